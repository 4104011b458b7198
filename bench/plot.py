"""Plot the cost of an audit against the size of the wheel; equal numbers give an equal SVG."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.report import Measured

# Contender -> its label, colour (of Okabe and Ito's palette for colour-blind readers) and marker.
_SERIES = {
    "auditwheel show": ("auditwheel show", "#D55E00", "s"),
    "manyshim show": ("manyshim show", "#0072B2", "o"),
    "manyshim[fast] show": ("manyshim[fast] show", "#009E73", "^"),
    "inflate": ("only inflating the ELF members", "#999999", "_"),
}
# Wheel -> its label, and which part of the label is above the point.
_LABELLED = {
    "markupsafe": ("markupsafe", "center"),
    "cryptography": ("cryptography", "right"),
    "numpy": ("numpy", "center"),
    "scipy": ("scipy", "center"),
    "polars-runtime-32": ("polars", "right"),
    "torch": ("torch (CPU)", "right"),
}


def draw(measured: Measured, path: str) -> None:
    """Write the plot. Raises ImportError without matplotlib, OSError where it cannot be written."""
    from matplotlib import rc_context  # noqa: PLC0415 (only a plot needs it)
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context(
        {
            "svg.hashsalt": "manyshim",
            "font.family": "DejaVu Sans",
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log")
        for contender, (name, colour, marker) in _SERIES.items():
            points = _points(measured, contender)
            if not points:
                continue
            axes.plot(
                [measured.sizes[subject] for subject in points], list(points.values()),
                marker=marker, color=colour, label=name, linestyle="none", markersize=6,
            )  # fmt: skip
        _label(axes, measured)
        axes.set_xlabel("size of the wheel, MB")
        axes.set_ylabel("CPU time of the whole process, s")
        axes.set_title("What an audit costs", loc="left")
        axes.grid(visible=True, which="major", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper left")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _points(measured: Measured, contender: str) -> dict[str, float]:
    """Return the median cost on each wheel on which the contender succeeded."""
    return {
        subject: median(run.amount for run in outcome.runs)
        for subject in measured.sizes
        if (outcome := measured.runs.get(("audit", subject, contender))) and outcome.runs
    }


def _label(axes: Any, measured: Measured) -> None:  # noqa: ANN401 (matplotlib may be absent)
    highest = _points(measured, "auditwheel show")
    for subject, (name, end) in _LABELLED.items():
        if subject in highest:
            place = (measured.sizes[subject], highest[subject])
            axes.annotate(
                name, place, xytext=(0, 7), textcoords="offset points", ha=end, fontsize=9
            )
