"""The promise itself: k and l of the policy, counted anew on the finished release and not believed."""

from __future__ import annotations

from smartgov.engines.deid.attacks.target import Finding, Target
from smartgov.engines.deid.recount import recount
from smartgov.shared.text import Text


def run(target: Target) -> list[Finding]:
    """One finding for k and one for distinct l of each sensitive column; t is skewness's business."""
    limits = target.thresholds
    counted = recount(target.release, target.quasi, target.sensitive if limits.l > 1 else ())
    own = counted.sizes
    below = own.rows_below(limits.k)
    text = Text(
        f"The smallest class has {own.smallest:,} rows; k is {limits.k}.",
        f"最小等價類為 {own.smallest:,} 列；k 為 {limits.k}。",
    )
    evidence = {"rows": own.rows, "classes": own.classes, "rows_below_k": below, "suppressed": counted.suppressed}
    found = [Finding("k-anonymity", below == 0, "high", float(own.smallest), float(limits.k), text, evidence)]
    for one in counted.sensitive:
        text = Text(
            f"Every class has at least {one.l} values of {one.attribute}; l is {limits.l:g}.",
            f"每一等價類至少有 {one.l} 種「{one.attribute}」值；l 為 {limits.l:g}。",
        )
        facts = {"attribute": one.attribute}
        found.append(Finding("l-diversity", one.l >= limits.l, "high", float(one.l), limits.l, text, facts))
    return found
