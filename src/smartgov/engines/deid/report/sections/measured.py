"""Chapters that tell what was measured: risk, attacks, utility."""

from __future__ import annotations

from smartgov.engines.deid import risk as risks
from smartgov.engines.deid.report import charts
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections.blocks import (
    Block,
    Cell,
    Findings,
    Picture,
    Section,
    Table,
    Words,
    percent,
)
from smartgov.shared.text import Text

_BINS = tuple(step * 10**power for power in range(7) for step in (1, 2, 5))


def result(pack: Pack) -> Section:
    """The measured risk."""
    found, unique = pack.risk, pack.uniqueness
    framed = (
        Text("with a population frame", "依母體檔")
        if found.framed
        else Text("no population frame: taken as high as the prosecutor's", "無母體檔：視同檢察官風險")
    )
    attackers: list[list[Cell]] = [
        [Text(en, zh), *(percent(one) for one in (who.highest, who.average, who.at_risk))]
        for en, zh, who in (("Prosecutor", "檢察官", found.prosecutor), ("Journalist", "記者", found.journalist))
    ]
    attackers.append([Text("Marketer", "行銷者"), "—", percent(found.marketer), "—"])
    who = Text(
        "The prosecutor knows that a person is in the release; the journalist looks for anybody ({framed}); the "
        "marketer wants as many as possible.",
        "檢察官知悉某人在檔內；記者欲找出任何一人（{framed}）；行銷者欲找出愈多愈好。",
    ).format(framed=framed)
    models: list[list[Cell]] = [
        [
            name,
            "—" if share is None else percent(share),
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
                    Text(f"Rows above {percent(found.threshold)}", f"高於 {percent(found.threshold)} 之列"),
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
    marked = Text(f"threshold {percent(limit)}", f"門檻 {percent(limit)}")
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
        rows.append([percent(value), percent(share)])
    table = Table(
        Text("Rows by risk", "各風險之列數"), [Text("Risk at least", "風險不低於"), Text("Rows", "列")], rows, (1,)
    )
    caption = Text(
        "Share of rows whose risk is at least so high. Nothing may lie right of the threshold.",
        "風險不低於橫軸值之列所占比例。門檻右側不得有任何列。",
    )
    return Picture("risk", caption, Text(*both), table)


def test(pack: Pack) -> Section:
    """The attacks and what they found."""
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


def utility(pack: Pack) -> Section:
    """What the data are still good for."""
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
                    [one.attribute, percent(one.guessing), percent(one.source), percent(one.release)]
                    for one in pack.accuracies
                ],
                (1, 2, 3),
            )
        )
    return Section("utility", Text("What it is still good for", "資料可用性"), blocks)
