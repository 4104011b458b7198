"""A program that calls the sample project's functions, and its output."""

from __future__ import annotations

import math

WAVE = "".join("_.-'"[int((math.sin(x / 2) + 1) * 1.999)] for x in range(10))
DRAW = "import sample; print(sample.draw(10))"
