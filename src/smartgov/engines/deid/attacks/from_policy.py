"""From a policy and the levels that a search chose to what is attacked."""

from __future__ import annotations

from collections.abc import Sequence

from smartgov.engines.deid.attacks.target import Target, Thresholds
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import DistinctL, KAnonymity, Model, TCloseness
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.relations import Source, opened, quoted
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import pyarrow as pa


def target_of(policy: Policy, release: Source, source: Source, node: Sequence[int] | None, *, name: str = "") -> Target:
    """What is attacked of a release that was generalised to `node`, a level of each quasi-identifier's hierarchy.

    Hierarchies are public, so the attacker has the labels of the released level and those of the one below. Under local
    recoding (`node` None) a value may have the label of any level that occurs.
    """
    _refuse_transformed(policy)
    trees = dict(zip(policy.quasi, policy.hierarchies, strict=True))
    chosen = {name: level for name, level in zip(policy.quasi, node or (), strict=node is not None) if level > 0}
    labels = {name: _labels(trees[name], level) for name, level in chosen.items()}
    if node is None:
        labels = {name: _any_level(trees[name], release) for name in policy.quasi}
    return Target(
        release,
        source,
        policy.quasi,
        tuple(attribute.name for attribute in policy.of_kind("sensitive")),
        tuple(attribute.name for attribute in policy.of_kind("identifying")),
        labels=labels,
        finer={name: _labels(trees[name], level - 1) for name, level in chosen.items()},
        thresholds=thresholds_of(policy.models),
        name=name or policy.project,
    )


def _refuse_transformed(policy: Policy) -> None:
    """Attackers are given the source's values; compared with transformed ones they would miss people, and pass."""
    changed = [attribute.name for attribute in policy.of_kind("quasi") if attribute.transform]
    if changed:
        raise Problem(
            "deid-attack-on-transformed",
            409,
            what=Text("This release cannot be attacked fairly.", "此釋出資料無法公正進行攻擊測試。"),
            why=Text(
                f"Quasi-identifiers were transformed first: {', '.join(changed)}.",
                f"準識別欄位先經轉換：{'、'.join(changed)}。",
            ),
            todo=Text("Transform the table first and give it as the source.", "請先轉換資料表，再以其為來源。"),
        )


def thresholds_of(models: Sequence[Model]) -> Thresholds:
    """The strictest k, l and t (equal distance) that the models name; other models are the search's own business."""
    k = max((model.k for model in models if isinstance(model, KAnonymity)), default=1)
    l = max((model.l for model in models if isinstance(model, DistinctL)), default=1)  # noqa: E741
    near = [model.t for model in models if isinstance(model, TCloseness) and model.distance == "equal"]
    return Thresholds(k=k, l=l, t=min(near, default=None))


def _any_level(tree: Hierarchy, release: Source) -> pa.Table:
    """Every label of a value that the release uses."""
    with opened(r=release) as db:
        column = f"CAST({quoted(tree.name)} AS VARCHAR)"
        used = {row[0] for row in db.execute(f"SELECT DISTINCT {column} FROM r").fetchall()}  # noqa: S608 - quoted
    pairs = [(row[0], label) for row in tree.rows for label in dict.fromkeys(row) if label in used]
    return pa.table({"value": [value for value, _ in pairs], "label": [label for _, label in pairs]})


def _labels(tree: Hierarchy, level: int) -> pa.Table:
    return pa.table({"value": [row[0] for row in tree.rows], "label": [row[level] for row in tree.rows]})
