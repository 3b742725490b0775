"""What the pack tells, in the order of CNS 29100-2's process: scope, roles, inventory, thresholds, method, result,
re-identification test, utility, approval, review. Blocks know nothing of HTML or PDF.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from smartgov.engines.deid import risk as risks
from smartgov.engines.deid.attacks import Finding
from smartgov.engines.deid.models import Model
from smartgov.engines.deid.report import charts
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.words import ATTACKS, CHANGES, MODELS, PROMISES, ROLES, SEVERITIES
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.shared.tw import roc

Cell: TypeAlias = "Text | str"
_BINS = tuple(step * 10**power for power in range(7) for step in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: Text


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values."""

    rows: list[tuple[Text, Cell]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns in `numbers` are set right."""

    caption: Text
    head: list[Text]
    rows: list[list[Cell]]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in both languages with the table behind it."""

    name: str
    caption: Text
    svg: Text
    table: Table


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of every attack."""

    rows: list[Finding]


Block: TypeAlias = Words | Facts | Table | Picture | Findings


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered chapter; `key` is its anchor."""

    key: str
    title: Text
    blocks: list[Block]


def headline(pack: Pack) -> tuple[bool, Text, Text]:
    """(whether all attacks failed, the verdict, one sentence why)."""
    ran = [finding for finding in pack.findings if finding.ran]
    lost = [finding for finding in pack.findings if not finding.passed]
    if lost:
        names = list(dict.fromkeys(finding.attack for finding in lost))
        en, zh = ", ".join(ATTACKS[name].en for name in names), "、".join(ATTACKS[name].zh for name in names)
        return (
            False,
            Text("Must not be released", "不得釋出"),
            Text(
                f"{len(lost)} of {len(ran)} attacks succeeded: {en}.",
                f"{len(ran)} 項攻擊中有 {len(lost)} 項成功：{zh}。",
            ),
        )
    return (
        True,
        Text("All attacks failed", "所有攻擊均未成功"),
        Text(
            f"{len(ran)} tests of re-identification found nobody; thresholds are kept.",
            f"{len(ran)} 項重新識別測試均未找出任何人，符合各項門檻。",
        ),
    )


def figures(pack: Pack) -> list[tuple[Text, str, Text]]:
    """The four figures at the top: (name, value, what it means)."""
    found = pack.risk
    return [
        (
            Text("k", "k 值"),
            f"{found.k:,}",
            Text(
                f"rows of the smallest class; at least {pack.target.thresholds.k}",
                f"最小等價類列數；門檻 {pack.target.thresholds.k}",
            ),
        ),
        (
            Text("Highest risk", "最高風險"),
            _percent(found.prosecutor.highest),
            Text("for the easiest person to find", "最容易被找到者"),
        ),
        (
            Text("Average risk", "平均風險"),
            _percent(found.marketer),
            Text("share of people found by a marketer", "行銷者可找出之比例"),
        ),
        (
            Text("Unique people", "母體唯一"),
            _percent(pack.uniqueness.share),
            Text("estimated share of the population", "推估占母體比例"),
        ),
    ]


def sections(pack: Pack) -> list[Section]:
    """All chapters."""
    return [
        _scope(pack),
        _roles(pack),
        _inventory(pack),
        _thresholds(pack),
        _method(pack),
        _result(pack),
        _test(pack),
        _utility(pack),
        _approval(pack),
        _review(pack),
        _integrity(pack),
    ]


def _scope(pack: Pack) -> Section:
    about = pack.about
    return Section(
        "scope",
        Text("Scope", "適用範圍"),
        [
            Facts(
                [
                    (Text("Subject", "事項"), about.scope),
                    (Text("Purpose", "釋出目的"), about.purpose),
                    (Text("Legal basis", "法令依據"), about.legal_basis),
                    (Text("Source", "資料來源"), about.source),
                    (Text("Rows of the source", "來源列數"), f"{pack.rows:,}"),
                    (Text("Population", "母體人數"), f"{pack.population:,}"),
                ]
            )
        ],
    )


def _roles(pack: Pack) -> Section:
    about = pack.about
    return Section(
        "roles",
        Text("Roles", "角色與責任"),
        [
            Facts(
                [
                    (Text("PII controller", "個資控制者"), about.controller),
                    (Text("PII processor", "個資處理者"), about.processor),
                    (Text("Recipients", "接收者"), about.recipients),
                    (Text("Prepared by", "製作"), about.prepared_by),
                    (Text("Contact", "聯絡窗口"), about.contact),
                ]
            )
        ],
    )


def _inventory(pack: Pack) -> Section:
    rows: list[list[Cell]] = []
    for column in pack.columns:
        done = _treatment(pack, column.name, released=column.after is not None)
        after = "—" if column.after is None else f"{column.after:,}"
        rows.append([column.name, ROLES[column.role], done, f"{column.before:,}", after])
    telling: list[list[Cell]] = [
        [
            Text(", ".join(one.columns), "、".join(one.columns)),
            _percent(one.uniques),
            _percent(one.distinction),
            _percent(one.separation),
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


def _thresholds(pack: Pack) -> Section:
    limits = pack.target.thresholds
    rows: list[tuple[Text, Cell]] = [
        (
            Text("k-anonymity", "k-匿名"),
            Text(f"every class has at least {limits.k} rows", f"每一等價類至少 {limits.k} 列"),
        ),
        (Text("Risk a row may carry", "單列可承受風險"), _percent(pack.risk.threshold)),
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


def _method(pack: Pack) -> Section:
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


def _result(pack: Pack) -> Section:
    found, unique = pack.risk, pack.uniqueness
    framed = (
        Text("with a population frame", "依母體檔")
        if found.framed
        else Text("no population frame: taken as high as the prosecutor's", "無母體檔：視同檢察官風險")
    )
    attackers: list[list[Cell]] = [
        [Text(en, zh), *(_percent(one) for one in (who.highest, who.average, who.at_risk))]
        for en, zh, who in (("Prosecutor", "檢察官", found.prosecutor), ("Journalist", "記者", found.journalist))
    ]
    attackers.append([Text("Marketer", "行銷者"), "—", _percent(found.marketer), "—"])
    who = Text(
        "The prosecutor knows that a person is in the release; the journalist looks for anybody ({framed}); the "
        "marketer wants as many as possible.",
        "檢察官知悉某人在檔內；記者欲找出任何一人（{framed}）；行銷者欲找出愈多愈好。",
    ).format(framed=framed)
    models: list[list[Cell]] = [
        [
            name,
            "—" if share is None else _percent(share),
            Text("chosen", "採用") if unique.model == name.lower() else "",
        ]
        for name, share in (("Pitman", unique.pitman), ("Zayatz", unique.zayatz), ("SNB", unique.snb))
    ]
    return Section(
        "result",
        Text("Measured risk", "風險量測"),
        [
            Words(who),
            Table(
                Text("Three attackers", "三種攻擊者"),
                [
                    Text("Attacker", "攻擊者"),
                    Text("Highest", "最高"),
                    Text("Average", "平均"),
                    Text(f"Rows above {_percent(found.threshold)}", f"高於 {_percent(found.threshold)} 之列"),
                ],
                attackers,
                (1, 2, 3),
            ),
            _class_picture(pack),
            _risk_picture(pack),
            Table(
                Text(
                    "Estimated share of unique people in the population (Dankar's rule)",
                    "推估母體唯一比例（Dankar 規則）",
                ),
                [Text("Model", "模型"), Text("Share", "比例"), Text("By the rule", "依規則")],
                models,
                (1,),
            ),
        ],
    )


def _class_picture(pack: Pack) -> Picture:
    sizes, k = pack.sizes, pack.target.thresholds.k
    edges = [*([1] if k > 1 else []), k, *(edge for edge in _BINS if edge > k)]
    bins: list[tuple[str, int, int, bool]] = []
    for place, low in enumerate(edges):
        high = edges[place + 1] - 1 if place + 1 < len(edges) else None
        inside = (sizes.sizes >= low) & (sizes.sizes <= high if high is not None else True)
        classes, rows = int(sizes.counts[inside].sum()), int((sizes.sizes * sizes.counts)[inside].sum())
        label = f"{low:,}+" if high is None else f"{low:,}" if low == high else f"{low:,}–{high:,}"
        bins.append((label, classes, rows, low < k))
    last = max(place for place, (_, classes, _, _) in enumerate(bins) if classes)
    bins = bins[: last + 1]
    title = Text("Rows by the size of their class", "各等價類大小之列數")
    drawn = [
        (label, float(rows), f"{rows / sizes.rows:.1%}" if rows else "0", bad and rows > 0)
        for label, _, rows, bad in bins
    ]
    both = charts.bars(drawn, title=title.en, name="classes-en"), charts.bars(drawn, title=title.zh, name="classes-zh")
    table = Table(
        Text("Class sizes", "等價類大小"),
        [Text("Size", "大小"), Text("Classes", "等價類"), Text("Rows", "列數")],
        [[label, f"{classes:,}", f"{rows:,}"] for label, classes, rows, _ in bins],
        (1, 2),
    )
    caption = Text(
        f"Rows by the size of their class (rows that share all labels). Below {k}: none allowed.",
        f"各等價類大小（標籤全同之列數）之列數比例。小於 {k} 者不得存在。",
    )
    return Picture("classes", caption, Text(*both), table)


def _risk_picture(pack: Pack) -> Picture:
    points = risks.curve(pack.sizes)
    limit = pack.risk.threshold
    marked = Text(f"threshold {_percent(limit)}", f"門檻 {_percent(limit)}")
    both = [
        charts.steps(points, limit, title=title, x_label=x_label, y_label=y_label, limit_label=label)
        for title, x_label, y_label, label in (
            ("Share of rows by risk", "risk of a row (log scale)", "rows with at least that risk", marked.en),
            ("各風險之列數比例", "單列風險（對數尺度）", "風險不低於此值之列", marked.zh),
        )
    ]
    at = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.333, 0.5, 1.0]
    rows: list[list[Cell]] = []
    for value in at:
        share = max((part for risk, part in points if risk >= value), default=0.0)
        rows.append([_percent(value), _percent(share)])
    table = Table(
        Text("Rows by risk", "各風險之列數"), [Text("Risk at least", "風險不低於"), Text("Rows", "列")], rows, (1,)
    )
    caption = Text(
        "Share of rows whose risk is at least so high. Nothing may lie right of the threshold.",
        "風險不低於橫軸值之列所占比例。門檻右側不得有任何列。",
    )
    return Picture("risk", caption, Text(*both), table)


def _test(pack: Pack) -> Section:
    intro = Text(
        "Each attack was carried out on the finished release, not judged on paper.",
        "各項攻擊均實際施行於完成之釋出檔，非書面評估。",
    )
    blocks: list[Block] = [Words(intro)]
    if pack.target.changes.plan:
        blocks.append(Words(_ASSUMED))
    return Section("test", Text("Re-identification test", "重新識別測試"), [*blocks, Findings(pack.findings)])


_ASSUMED = Text(
    "Values were transformed before they were generalised. The attacker knows true values and does with them what the "
    "policy says. What a secret key made of quasi-identifiers (date shifts, pseudonyms) is assumed to be known to the "
    "attacker, which is the worst case; other keyed columns cannot be used by a holder of an outside file.",
    "各值於概化前先經轉換。假設攻擊者知悉真實值並依政策自行轉換；準識別符經金鑰處理（日期平移、假名）者，"
    "以最壞情況假設攻擊者知悉其結果；其他經金鑰處理之欄位，持有外部檔案者無從使用。",
)


def _utility(pack: Pack) -> Section:
    error = pack.query_error
    rows = [
        (Text("half of the answers are off by at most", "半數答案誤差至多"), error.median),
        (Text("nine of ten are off by at most", "九成答案誤差至多"), error.ninth),
        (Text("on average", "平均誤差"), error.mean),
    ]
    title = Text("Error of counting queries", "計數查詢誤差")
    pictures = [
        charts.bars(
            [(label.in_language(language), value, f"{value:.1%}", False) for label, value in rows],
            title=title.in_language(language),
            name=f"utility-{language}",
        )
        for language in ("en", "zh")
    ]
    table = Table(
        title,
        [Text("Measure", "項目"), Text("Relative error", "相對誤差")],
        [[label, f"{value:.2%}"] for label, value in rows],
        (1,),
    )
    blocks: list[Block] = [
        Picture(
            "utility",
            Text(
                f"How wrong {error.queries} random counts over two columns become.",
                f"隨機 {error.queries} 個雙欄計數查詢之誤差。",
            ),
            Text(*pictures),
            table,
        ),
    ]
    if pack.accuracies:
        blocks.append(
            Table(
                Text(
                    "How often a classifier is right (naive Bayes, cross-validated)",
                    "分類器正確率（單純貝氏、交叉驗證）",
                ),
                [Text("Learns", "預測"), Text("Guessing", "猜測"), Text("Source", "來源"), Text("Release", "釋出")],
                [
                    [one.attribute, _percent(one.guessing), _percent(one.source), _percent(one.release)]
                    for one in pack.accuracies
                ],
                (1, 2, 3),
            )
        )
    return Section("utility", Text("What it is still good for", "資料可用性"), blocks)


def _approval(pack: Pack) -> Section:
    about = pack.about
    return Section(
        "approval",
        Text("Approval", "核准"),
        [
            Facts(
                [
                    (Text("Prepared by", "製作"), about.prepared_by),
                    (Text("Reviewed by", "審查"), about.reviewed_by),
                    (Text("Approved by", "核准"), about.approved_by),
                    (Text("Approved on", "核准日期"), about.approved_on),
                ]
            )
        ],
    )


def _review(pack: Pack) -> Section:
    about = pack.about
    return Section(
        "review",
        Text("Periodic review", "定期審查"),
        [
            Words(
                Text(
                    "Files in the outside world change and attacks get better, so a risk measured today does not last.",
                    "外部資料與攻擊方法持續變化，今日量測之風險不會永久有效。",
                )
            ),
            Facts(
                [
                    (Text("Next review by", "下次審查期限"), about.review_on),
                    (Text("Earlier, if", "提前審查事由"), about.review_triggers),
                ]
            ),
        ],
    )


def _integrity(pack: Pack) -> Section:
    return Section(
        "integrity",
        Text("Integrity", "完整性"),
        [
            Facts(
                [
                    (Text("Measured at", "量測時間"), when(pack.made_at)),
                    (Text("Digest of the findings (SHA-256)", "測試結果摘要（SHA-256）"), pack.findings_digest),
                    (
                        Text("Digest of the release (SHA-256)", "釋出檔摘要（SHA-256）"),
                        pack.digest or Text("not published", "尚未釋出"),
                    ),
                    (
                        Text("Head of the release ledger", "釋出帳冊鏈首"),
                        pack.head or Text("not published", "尚未釋出"),
                    ),
                ]
            )
        ],
    )


def under(pack: Pack) -> Text:
    """The line below the title."""
    told = Text("In the terms of CNS 29100-2. Measured {at}.", "依 CNS 29100-2 之架構。量測於{at}。")
    return told.format(at=when(pack.made_at))


def when(moment: str) -> Text:
    """An ISO instant in Taiwan's time, in both calendars."""
    local = datetime.fromisoformat(moment).astimezone(clock.TAIPEI)
    day = roc.written(local.date())
    return Text(f"{day.en}, {local:%H:%M}", f"{day.zh} {local:%H:%M}")


def outcome(finding: Finding) -> Text:
    """What a finding's label says."""
    if not finding.ran:
        return Text("Nothing to attack", "無可攻擊")
    if finding.attack in PROMISES:
        return Text("Kept", "符合") if finding.passed else Text("Broken", "不符")
    return (
        Text("Failed: nobody found", "未成功")
        if finding.passed
        else Text(f"Succeeded ({SEVERITIES[finding.severity].en})", f"攻擊成功（{SEVERITIES[finding.severity].zh}）")
    )


def _percent(share: float) -> str:
    """A share with two or three telling digits: 12%, 1.2%, 0.012%."""
    if share in (0, 1):
        return f"{share:.0%}"
    if share > 0.99:
        return f"{math.floor(share * 1000) / 10:.1f}%"
    if share < 1e-7:
        return "<0.00001%"
    return f"{share:.{max(0, 1 - math.floor(math.log10(share * 100)))}%}"
