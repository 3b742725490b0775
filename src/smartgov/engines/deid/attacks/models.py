"""The promise itself: every model of the policy, counted anew on the finished release and not believed.

k and l are counted in one reading of the release. Entropy and recursive l, t by any distance and delta-disclosure are
measured as the policy defines them, against the distribution of the whole source. k-map and d-presence are counted in
the population file, whose people are placed into the released classes as a linking attacker places them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

from smartgov.engines.deid import reading
from smartgov.engines.deid.attacks.target import Finding, Target, classes, not_run, people, whole
from smartgov.engines.deid.classes import Classes, classes_of
from smartgov.engines.deid.encode import Discovered
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import DistinctL, DPresence, KAnonymity, KMap, Model
from smartgov.engines.deid.recount import recount
from smartgov.engines.deid.relations import Source, count, opened
from smartgov.engines.deid.tally import grouped, of_keys
from smartgov.shared.text import Text

with analysis():
    import numpy as np


def run(target: Target, population: Source | None = None) -> list[Finding]:
    """One finding for k, for l of each sensitive column that has one, and for every other model of the policy.

    `population` is the policy's population file as the release's attacker sees it.
    """
    limits = target.thresholds
    several = [name for name in target.sensitive if limits.l_of(name) > 1]
    counted = recount(target.release, target.quasi, several)
    own = counted.sizes
    below = own.rows_below(limits.k)
    text = Text(
        f"The smallest class has {own.smallest:,} rows; k is {limits.k}.",
        f"最小等價類為 {own.smallest:,} 列；k 為 {limits.k}。",
    )
    evidence = {"rows": own.rows, "classes": own.classes, "rows_below_k": below, "suppressed": counted.suppressed}
    found = [Finding("k-anonymity", below == 0, "high", float(own.smallest), float(limits.k), text, evidence)]
    for one in counted.sensitive:
        l = limits.l_of(one.attribute)  # noqa: E741 - the field's name
        text = Text(
            f"Every class has at least {one.l} values of {one.attribute}; l is {l:g}.",
            f"每一等價類至少有 {one.l} 種「{one.attribute}」值；l 為 {l:g}。",
        )
        found.append(Finding("l-diversity", one.l >= l, "high", float(one.l), l, text, {"attribute": one.attribute}))
    others = [model for model in target.models if not isinstance(model, KAnonymity | DistinctL | KMap | DPresence)]
    if others:
        spread = _spread(target, others)
        found += [_held(model, spread) for model in others]
    for model in target.models:
        if isinstance(model, KMap | DPresence):
            found.append(_in_population(target, model, population))
    return found


def _held(model: Model, found: Classes) -> Finding:
    """One model on all classes."""
    failing, measured = int(np.count_nonzero(~model.holds(found))), model.measure(found)
    words = model.as_dict()
    promised = float(words.get("t", words.get("delta", words.get("c", words.get("k", words.get("l", 0.0))))))
    asked = ", ".join(f"{name} {value}" for name, value in words.items() if name != "model")
    sentence = Text(
        "{failing:,} classes break {kind} ({asked}); measured {measured:.6g}.",
        "有 {failing:,} 個等價類不符 {kind}（{asked}）；量測值 {measured:.6g}。",
    )
    if not failing:
        sentence = Text(
            "Every class keeps {kind} ({asked}); measured {measured:.6g}.",
            "每一等價類均符合 {kind}（{asked}）；量測值 {measured:.6g}。",
        )
    text = sentence.format(failing=failing, kind=model.kind, asked=asked, measured=measured)
    evidence = {"classes": failing, **words}
    return Finding(model.kind, not failing, "high", measured, promised, text, evidence)


def _spread(target: Target, models: Sequence[Model]) -> Classes:
    """The release's classes with their sensitive values; what is usual is taken from the source."""
    names = list(dict.fromkeys(model.sensitive for model in models if model.sensitive))
    orders = {name: [row[0] for row in tree.rows] for name, tree in target.values.items()}
    columns = [Discovered(name) for name in (*target.quasi, *names)]
    release, source = _place(target.release), _place(target.source)
    for batch in reading.batches(release, [column.name for column in columns]):
        for place, column in enumerate(columns):
            column.add(batch.column(place))
    rows = sum(map(len, columns[0].parts))
    there = reading.columns(source)
    known = [column for column in columns[len(target.quasi) :] if column.name in there]
    for batch in reading.batches(source, [column.name for column in known]) if known else ():
        for place, column in enumerate(known):
            column.add(batch.column(place))
    keys, sizes, usual = np.zeros(rows, dtype=np.int64), [], {}
    for column in columns:
        codes, values = column.finish(orders.get(column.name))
        sizes.append(max(len(values), 1))
        keys *= sizes[-1]
        keys += codes[:rows]
        usual[column.name] = np.bincount(codes[rows:] if column in known else codes, minlength=sizes[-1])
    found_keys, counts = grouped(keys, None, prod(sizes))
    found = classes_of(of_keys((0,) * len(target.quasi), sizes, found_keys, counts), tuple(names))
    spreads = {name: replace(spread, overall=usual[name]) for name, spread in found.spreads.items()}
    return replace(found, spreads=spreads)


def _in_population(target: Target, model: Model, population: Source | None) -> Finding:
    """k-map or d-presence: the people behind each class, and those whose absence from the release shows.

    Where rows were suppressed, people without a class may be theirs, and are not held against the release.
    """
    if population is None:
        why = Text("The population file is not at hand.", "缺少母體檔。")
        return not_run(model.kind, why)
    with opened(r=target.release, s=population) as db:
        classes(db, target)
        people(db, target)
        rows = db.execute(
            "SELECT n, coalesce(p.there, 0) AS people FROM cls LEFT JOIN "
            "(SELECT cls, sum(m) AS there FROM ppl GROUP BY cls) p USING (cls)"
        ).fetchnumpy()
        absent = whole(db, "SELECT (SELECT count(*) FROM s) - (SELECT coalesce(sum(m), 0) FROM ppl)")
    sizes, there = rows["n"].astype(np.int64), np.asarray(rows["people"]).astype(np.int64)
    with opened(s=target.source) as db:
        suppressed = count(db, "s") - int(sizes.sum())
    if (
        absent > 0 and not suppressed
    ):  # together they are a class without rows: whoever is in it is known not to be in the release
        sizes, there = np.append(sizes, 0), np.append(there, absent)
    return _held(model, Classes((), (), np.arange(len(sizes)), sizes, there))


def _place(table: Source) -> reading.Source:
    return Path(table) if isinstance(table, str) else table
