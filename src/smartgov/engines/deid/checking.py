"""Measuring a finished release again, from its rows alone: what the record says is not taken on trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from smartgov.engines.deid import reading
from smartgov.engines.deid.classes import Classes, classes_of
from smartgov.engines.deid.encode import Discovered
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import DPresence, KMap, holding
from smartgov.engines.deid.reading import Source
from smartgov.engines.deid.release import Release
from smartgov.engines.deid.tally import grouped, of_keys

with analysis():
    import numpy as np


@dataclass(frozen=True)
class Measured:
    """One model on the rows of a release: its words, its figure, and whether every class holds."""

    words: str
    measured: float
    holds: bool


def check(release: Release) -> list[Measured]:
    """Every model that speaks of the release alone; k-map and d-presence need the population and are left out."""
    policy = release.policy
    orders = {a.name: [row[0] for row in a.hierarchy.rows] for a in policy.of_kind("sensitive") if a.hierarchy}
    classes = classes_in(release.table, policy.quasi, policy.protected, orders)
    found = []
    for model in policy.models:
        if isinstance(model, KMap | DPresence):
            continue
        words = ", ".join(f"{name} {value}" for name, value in model.as_dict().items() if name != "model")
        holds = bool(holding((model,), classes).all())
        found.append(Measured(f"{model.kind} ({words})", model.measure(classes), holds))
    return found


def classes_in(
    table: Source,
    quasi: tuple[str, ...],
    sensitive: tuple[str, ...] = (),
    orders: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Classes:
    """The classes of any table, by its values as they are written; `orders` has all values of a column in order."""
    columns = [Discovered(name) for name in (*quasi, *sensitive)]
    for batch in reading.batches(table, [column.name for column in columns]):
        for place, column in enumerate(columns):
            column.add(batch.column(place))
    finished = [column.finish(orders.get(column.name)) for column in columns]
    sizes = [max(len(values), 1) for _, values in finished]
    keys = np.zeros(len(finished[0][0]), dtype=np.int64)
    for (codes, _), size in zip(finished, sizes, strict=True):
        keys *= size
        keys += codes
    found, counts = grouped(keys, None, prod(sizes))
    return classes_of(of_keys((0,) * len(quasi), sizes, found, counts), sensitive)
