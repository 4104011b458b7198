"""Sessions for developers: `nox` lints, checks types and tests; CI runs the same commands."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]

PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]


def _install(session: nox.Session) -> None:
    session.install("-e", ".", *nox.project.dependency_groups(_project(), "dev"))


def _project() -> dict[str, object]:
    return dict(nox.project.load_toml("pyproject.toml"))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and words."""
    session.install("ruff>=0.14")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "scripts/check_words.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, also those of the tests."""
    _install(session)
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the suite; arguments go to pytest."""
    _install(session)
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the bench; arguments go to it."""
    session.install(".", *nox.project.dependency_groups(_project(), "dev", "bench"))
    session.run("python", "-m", "bench", *session.posargs)


@nox.session(python=PYTHONS)
def pythons(session: nox.Session) -> None:
    """Run the suite on every installed CPython."""
    _install(session)
    session.run("pytest", "-n", "auto", *session.posargs)
