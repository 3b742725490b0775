"""From a policy and the levels that a search chose to what is attacked."""

from __future__ import annotations

from collections.abc import Sequence

from smartgov.engines.deid.attacks.target import Changes, Target, Thresholds
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import DistinctL, EntropyL, Model, RecursiveL, TCloseness
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.relations import Source, opened, quoted

with analysis():
    import pyarrow as pa


def target_of(
    policy: Policy, release: Source, source: Source, node: Sequence[int] | None, *, name: str = "", key: str = ""
) -> Target:
    """What is attacked of a release that was generalised to `node`, a level of each quasi-identifier's hierarchy.

    `key` is the id of the key that its transforms were made with.

    Hierarchies are public, so the attacker has the labels of the released level and those of the one below. Under local
    recoding (`node` None) a value may have the label of any level that occurs.
    """
    trees = dict(zip(policy.quasi, policy.hierarchies, strict=True))
    chosen = {name: level for name, level in zip(policy.quasi, node or (), strict=node is not None) if level > 0}
    labels = {name: _labels(trees[name], level) for name, level in chosen.items()}
    if node is None:
        labels = {name: _any_level(trees[name], release) for name in policy.quasi}
    return Target(
        release,
        source,
        policy.quasi,
        tuple(attribute.name for attribute in policy.of_kind("sensitive") if not attribute.removed),
        tuple(attribute.name for attribute in policy.of_kind("identifying")),
        labels=labels,
        finer={name: _labels(trees[name], level - 1) for name, level in chosen.items()},
        thresholds=thresholds_of(policy.models),
        name=name or policy.project,
        changes=Changes(policy.transforms, policy.project, key),
        models=policy.models,
        values={a.name: a.hierarchy for a in policy.of_kind("sensitive") if a.hierarchy is not None},
        population=policy.population,
    )


def thresholds_of(models: Sequence[Model]) -> Thresholds:
    """What the models promise of every class, in the attackers' terms: rows (k), values (l), distance (t).

    Any l-diversity needs as many rows as values, and an entropy of log l or a recursive (c, l) needs l values. A
    distance over an order or a hierarchy bounds no equal one, and delta-disclosure neither; k-map and d-presence speak
    of the population, not of rows of the release: those are held to their own figures (`models`) alone.
    """
    k = max((model.smallest_class for model in models), default=1)
    ls: dict[str, float] = {}
    ts: dict[str, float] = {}
    for model in models:
        if isinstance(model, DistinctL | EntropyL | RecursiveL):
            ls[model.attribute] = max(ls.get(model.attribute, 1), model.smallest_class)
        if isinstance(model, TCloseness) and model.distance == "equal":
            ts[model.attribute] = min(ts.get(model.attribute, 1.0), model.t)
    return Thresholds(max(k, 1), max(ls.values(), default=1), min(ts.values(), default=None), ls=ls, ts=ts)


def _any_level(tree: Hierarchy, release: Source) -> pa.Table:
    """Every label of a value that the release uses."""
    with opened(r=release) as db:
        column = f"CAST({quoted(tree.name)} AS VARCHAR)"
        used = {row[0] for row in db.execute(f"SELECT DISTINCT {column} FROM r").fetchall()}  # noqa: S608 - quoted
    pairs = [(row[0], label) for row in tree.rows for label in dict.fromkeys(row) if label in used]
    return pa.table({"value": [value for value, _ in pairs], "label": [label for _, label in pairs]})


def _labels(tree: Hierarchy, level: int) -> pa.Table:
    return pa.table({"value": [row[0] for row in tree.rows], "label": [row[level] for row in tree.rows]})
