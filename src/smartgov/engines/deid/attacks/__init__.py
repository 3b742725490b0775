"""Attacks on a finished release: each really tries, and reports what it reached.

`run_all` is what stands between a release and the public: the ledger refuses what any of them breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace

from smartgov.engines.deid.attacks import (
    composition,
    differencing,
    freetext,
    homogeneity,
    linkage,
    minimality,
    models,
    picture,
    roworder,
    skewness,
    undeclared,
)
from smartgov.engines.deid.attacks.target import Changes, Finding, Target, Thresholds
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.relations import Source

__all__ = ["NAMES", "Changes", "Finding", "Target", "Thresholds", "run_all"]

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
    keys: Sequence[KeyRing] = (),
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Every attack in turn; `progress` hears the name of each before it starts.

    `outside` is a file an attacker may hold, with the source's column names; `earlier` are the releases of the same
    source that are out already; `pseudonyms` the columns that identify rows on purpose. `keys` are those of all
    projects whose pseudonyms or date shifts are in them (see `picture`).
    """
    tell = progress or (lambda _: None)
    with ExitStack() as stack:
        source = stack.enter_context(picture.seen(target.source, target, keys))
        files = [] if outside is None else [stack.enter_context(picture.seen(outside, target, keys, outside=True))]
        others = stack.enter_context(picture.joint(target.source, (target, *earlier), keys)) if earlier else None
        known = replace(target, source=source.file)
        everybody = None
        if target.population is not None:
            everybody = stack.enter_context(picture.seen(target.population, target, keys, outside=True)).file
        steps: dict[str, Callable[[], list[Finding]]] = {
            "models": lambda: models.run(known, everybody),
            "linkage": lambda: (
                linkage.run(known, notes=source)
                + [one for file in files for one in linkage.run(known, file.file, notes=file)]
            ),
            "homogeneity": lambda: homogeneity.run(known),
            "skewness": lambda: skewness.run(known),
            "minimality": lambda: minimality.run(known),
            "differencing": lambda: differencing.run(target, earlier, others),
            "composition": lambda: composition.run(target, earlier, others),
            "row order": lambda: roworder.run(known),
            "free text": lambda: freetext.run(known),
            "undeclared identifiers": lambda: undeclared.run(known, pseudonyms),
        }
        findings = []
        for name in NAMES:
            tell(name)
            findings += steps[name]()
        return findings
