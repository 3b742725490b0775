"""Chapters that tell what was done to the data: inventory, thresholds, method."""

from __future__ import annotations

from smartgov.engines.deid.models import Model
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections.blocks import (
    Cell,
    Facts,
    Section,
    Table,
    Words,
    percent,
)
from smartgov.engines.deid.report.words import CHANGES, MODELS, ROLES
from smartgov.shared.text import Text


def inventory(pack: Pack) -> Section:
    """Every column and what became of it."""
    rows: list[list[Cell]] = []
    for column in pack.columns:
        done = _treatment(pack, column.name, released=column.after is not None)
        after = "—" if column.after is None else f"{column.after:,}"
        rows.append([column.name, ROLES[column.role], done, f"{column.before:,}", after])
    telling: list[list[Cell]] = [
        [
            Text(", ".join(one.columns), "、".join(one.columns)),
            percent(one.uniques),
            percent(one.distinction),
            percent(one.separation),
        ]
        for one in pack.keys
    ]
    return Section(
        "inventory",
        Text("Data inventory", "資料盤點"),
        [
            Table(
                Text("Columns of the source and what became of them", "來源欄位及其處理"),
                [
                    Text("Column", "欄位"),
                    Text("Role", "類別"),
                    Text("Treatment", "處理"),
                    Text("Values before", "原值數"),
                    Text("after", "後值數"),
                ],
                rows,
                (3, 4),
            ),
            Words(
                Text(
                    "Before any treatment these sets of columns told people apart best; a search found them.",
                    "處理前下列欄位組合最能區分個人；係以搜尋而非臆測得出。",
                )
            ),
            Table(
                Text("Most telling sets of up to three quasi-identifiers", "最具識別力之準識別符組合（至多三欄）"),
                [
                    Text("Columns", "欄位"),
                    Text("Alone in class", "獨一無二之列"),
                    Text("Distinction", "相異度"),
                    Text("Separation", "分離度"),
                ],
                telling,
                (1, 2, 3),
            ),
        ],
    )


def _treatment(pack: Pack, name: str, *, released: bool) -> Text:
    """What became of a column, in the order in which it happened."""
    if not released:
        return Text("removed", "移除")
    change = pack.target.changes.plan.get(name)
    steps = [CHANGES[change.kind]] if change is not None else []
    steps += [Text("generalised", "概化")] if name in pack.target.labels else []
    steps = steps or [Text("unchanged", "不變")]
    return Text(", ".join(step.en for step in steps), "、".join(step.zh for step in steps))


def thresholds(pack: Pack) -> Section:
    """What the release is held to."""
    limits = pack.target.thresholds
    rows: list[tuple[Text, Cell]] = [
        (
            Text("k-anonymity", "k-匿名"),
            Text(f"every class has at least {limits.k} rows", f"每一等價類至少 {limits.k} 列"),
        ),
        (Text("Risk a row may carry", "單列可承受風險"), percent(pack.risk.threshold)),
    ]
    if pack.target.models:
        others = [one for one in pack.target.models if one.kind != "k-anonymity"]
        rows += [(MODELS[one.kind], _promised(one)) for one in others]
    elif limits.l > 1:
        rows.append((Text("l-diversity", "l-多樣性"), f"l = {limits.l:g}"))
    if not pack.target.models and limits.t is not None:
        rows.append((Text("t-closeness", "t-相近性"), f"t = {limits.t:g}"))
    rows += [
        (
            Text("Belief", "推定把握"),
            Text(
                f"no value that at most {limits.rare:.0%} have may be believed with {limits.belief:.0%} or more",
                f"全體至多 {limits.rare:.0%} 具有之值，不得以 {limits.belief:.0%} 以上把握推定",
            ),
        ),
        (
            Text("Row order", "列序"),
            Text(f"at most {limits.excess:.0%} better than chance", f"至多較隨機高 {limits.excess:.0%}"),
        ),
    ]
    return Section("thresholds", Text("Thresholds", "風險門檻"), [Facts(rows)])


def _promised(model: Model) -> str:
    """A model's words, as the policy has them."""
    return ", ".join(f"{name} = {value}" for name, value in model.as_dict().items() if name != "model")


def method(pack: Pack) -> Section:
    """How values were generalised."""
    rows: list[list[Cell]] = []
    for name in pack.target.quasi:
        labels = pack.target.labels.get(name)
        example: Cell = Text("as in the source", "同來源")
        if labels is not None and labels.num_rows:
            middle = labels.slice(labels.num_rows // 2, 1).to_pylist()[0]
            example = f"{middle['value']} → {middle['label']}"
        rows.append([name, example])
    return Section(
        "method",
        Text("Method", "去識別化方法"),
        [
            Words(pack.about.method),
            Table(
                Text(
                    "How each quasi-identifier is told (an example from its hierarchy)",
                    "各準識別符之概化（階層中之一例）",
                ),
                [Text("Column", "欄位"), Text("Becomes", "成為")],
                rows,
            ),
            Facts(
                [
                    (Text("Rows released", "釋出列數"), f"{pack.risk.rows:,}"),
                    (Text("Rows suppressed", "隱匿列數"), f"{pack.suppressed:,}"),
                    (Text("Classes", "等價類數"), f"{pack.risk.classes:,}"),
                ]
            ),
        ],
    )
