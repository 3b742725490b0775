"""Attacks on a finished release: each really tries, and reports what it reached.

`run_all` is what stands between a release and the public: the ledger refuses what any of them breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from smartgov.engines.deid.attacks import (
    composition,
    differencing,
    freetext,
    homogeneity,
    linkage,
    minimality,
    models,
    roworder,
    skewness,
    undeclared,
)
from smartgov.engines.deid.attacks.target import Finding, Target, Thresholds
from smartgov.engines.deid.relations import Source

__all__ = ["NAMES", "Finding", "Target", "Thresholds", "run_all"]

NAMES = (
    "models", "linkage", "homogeneity", "skewness", "minimality", "differencing", "composition", "row order",
    "free text", "undeclared identifiers",
)  # fmt: skip


def run_all(
    target: Target,
    *,
    outside: Source | None = None,
    earlier: Sequence[Target] = (),
    pseudonyms: Collection[str] = (),
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Every attack in turn; `progress` hears the name of each before it starts.

    `outside` is a file an attacker may hold, with the source's column names; `earlier` are the releases of the same
    source that are out already; `pseudonyms` the columns that identify rows on purpose.
    """
    steps: dict[str, Callable[[], list[Finding]]] = {
        "models": lambda: models.run(target),
        "linkage": lambda: linkage.run(target) + (linkage.run(target, outside) if outside is not None else []),
        "homogeneity": lambda: homogeneity.run(target),
        "skewness": lambda: skewness.run(target),
        "minimality": lambda: minimality.run(target),
        "differencing": lambda: differencing.run(target, earlier),
        "composition": lambda: composition.run(target, earlier),
        "row order": lambda: roworder.run(target),
        "free text": lambda: freetext.run(target),
        "undeclared identifiers": lambda: undeclared.run(target, pseudonyms),
    }
    findings = []
    for name in NAMES:
        if progress is not None:
            progress(name)
        findings += steps[name]()
    return findings
