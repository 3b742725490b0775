"""The promise itself: k, l and t of the policy, counted anew on the finished release and not believed."""

from __future__ import annotations

from smartgov.engines.deid import risk
from smartgov.engines.deid.attacks.target import Finding, Target, classes, histogram, whole
from smartgov.engines.deid.relations import opened
from smartgov.shared.text import Text


def run(target: Target) -> list[Finding]:
    """One finding for k and one for distinct l of each sensitive column; t is skewness's business."""
    limits = target.thresholds
    own = risk.sizes(target.release, target.quasi)
    below = own.rows_below(limits.k)
    text = Text(
        f"The smallest class has {own.smallest:,} rows; k is {limits.k}.",
        f"最小等價類為 {own.smallest:,} 列；k 為 {limits.k}。",
    )
    found = [
        Finding(
            "k-anonymity", below == 0, "high", float(own.smallest), float(limits.k), text,
            {"rows": own.rows, "classes": own.classes, "rows_below_k": below},
        )
    ]  # fmt: skip
    if limits.l < 2:
        return found
    with opened(r=target.release) as db:
        classes(db, target)
        for attribute in target.sensitive:
            histogram(db, target, attribute)
            fewest = whole(db, "SELECT min(kinds) FROM (SELECT count(*) AS kinds FROM val GROUP BY cls)")
            text = Text(
                f"Every class has at least {fewest} values of {attribute}; l is {limits.l:g}.",
                f"每一等價類至少有 {fewest} 種「{attribute}」值；l 為 {limits.l:g}。",
            )
            evidence = {"attribute": attribute}
            found.append(Finding("l-diversity", fewest >= limits.l, "high", float(fewest), limits.l, text, evidence))
    return found
