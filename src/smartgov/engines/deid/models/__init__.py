"""Privacy models: what a class has to fulfil, and what a whole release fulfils.

Every model answers for all classes at once. `holds(classes)` is a mask over the classes; `measure(classes)` is the
figure the model is named after for the table at hand (the smallest class, the fewest values, the largest distance).

Sources: k-anonymity, Sweeney 2002; k-map, Sweeney 2001; l-diversity, Machanavajjhala et al. 2007 (definition 4.1
entropy, 4.2 recursive); t-closeness, Li, Li and Venkatasubramanian 2007 (equal, ordered, hierarchical distance);
delta-presence, Nergiz, Atzori and Clifton 2007; delta-disclosure privacy, Brickell and Shmatikov 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartgov.engines.deid.classes import Classes
from smartgov.engines.deid.hierarchy import Hierarchy, natural
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models.distances import DeltaDisclosure, TCloseness
from smartgov.engines.deid.models.model import Figures, Mask, Model, check, invalid
from smartgov.engines.deid.models.sizes import DPresence, KAnonymity, KMap
from smartgov.engines.deid.models.values import DistinctL, EntropyL, RecursiveL, spread_of

with analysis():
    import numpy as np

__all__ = [
    "DPresence", "DeltaDisclosure", "DistinctL", "EntropyL", "Figures", "KAnonymity", "KMap", "Mask", "Model",
    "RecursiveL", "TCloseness", "holding", "model_from", "spread_of",
]  # fmt: skip


def holding(models: tuple[Model, ...], classes: Classes) -> Mask:
    """The classes that fulfil every model."""
    mask = np.ones(len(classes), dtype=bool)
    for model in models:
        mask &= model.holds(classes)
    return mask


def model_from(spec: Mapping[str, Any], hierarchies: Mapping[str, Hierarchy]) -> Model:
    """A model from a policy's words, `{model: k-anonymity, k: 5}`; Problem `deid-model-invalid`."""
    words = dict(spec)
    kind = str(words.pop("model", ""))
    makers: dict[str, Any] = {
        m.kind: m for m in (KAnonymity, KMap, DPresence, DistinctL, EntropyL, RecursiveL, TCloseness, DeltaDisclosure)
    }
    if kind not in makers:
        raise invalid(kind or "model", f"known models: {', '.join(makers)}", f"可用模型：{'、'.join(makers)}")
    if kind == TCloseness.kind and words.get("distance") == "hierarchical":
        words["hierarchy"] = hierarchies.get(str(words.get("attribute")))
        check(
            words["hierarchy"] is not None,
            kind,
            "a hierarchical distance needs the attribute's hierarchy",
            "hierarchical 距離需要該屬性的概化階層",
        )
    tree = hierarchies.get(str(words.get("attribute")))
    if kind == TCloseness.kind and words.get("distance") == "ordered" and tree is not None and "order" not in words:
        # A hierarchy keeps groups together, not neighbours: 100 stands before 20 in one of intervals.
        values = [row[0] for row in tree.rows]
        words["order"] = tuple(sorted(range(len(values)), key=lambda code: natural(values[code])))
    try:
        made: Model = makers[kind](**words)
    except TypeError as error:
        raise invalid(kind, str(error), str(error)) from error
    return made
