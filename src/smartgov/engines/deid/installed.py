"""Analysis needs more than the platform does: DuckDB, Arrow, SciPy and OpenDP, from `requirements/analysis.txt`.

A portal that never analyses anything runs without them, so `smartgov` must import without them; and a steward who
starts an analysis where they are absent is told which file to install, not shown a traceback.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

LIBRARIES = ("duckdb", "numpy", "opendp", "pyarrow", "scipy")


class AnalysisMissing(Problem, ImportError):
    """A library of `requirements/analysis.txt` is not installed; as an ImportError, so that importers may catch it."""


def absent() -> list[str]:
    """Which of the libraries are not there, without importing them."""
    return [name for name in LIBRARIES if find_spec(name) is None]


@contextmanager
def analysis() -> Iterator[None]:
    """Around the imports of such libraries: an absent one is a Problem `analysis-missing` that names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in LIBRARIES:
            raise
        raise missing((error.name or "").split(".")[0]) from error


def missing(library: str) -> AnalysisMissing:
    """The problem of an absent library."""
    return AnalysisMissing(
        "analysis-missing",
        501,
        what=Text("De-identification cannot run here.", "此處無法執行去識別化。"),
        why=Text(f"The library {library} is not installed.", f"未安裝程式庫 {library}。"),
        todo=Text(
            "Install requirements/analysis.txt (pip install --require-hashes -r requirements/analysis.txt).",
            "請安裝 requirements/analysis.txt（pip install --require-hashes -r requirements/analysis.txt）。",
        ),
        library=library,
    )
