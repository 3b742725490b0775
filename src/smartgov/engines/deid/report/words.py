"""Names of attacks, roles and severities for people."""

from __future__ import annotations

from smartgov.shared.text import Text

ATTACKS = {
    "k-anonymity": Text("k-anonymity, counted anew", "k-匿名（重新計算）"),
    "l-diversity": Text("l-diversity, counted anew", "l-多樣性（重新計算）"),
    "entropy-l-diversity": Text("Entropy l-diversity, measured anew", "熵 l-多樣性（重新量測）"),
    "recursive-l-diversity": Text("Recursive (c, l)-diversity, measured anew", "遞迴 (c, l)-多樣性（重新量測）"),
    "t-closeness": Text("t-closeness, measured anew", "t-相近性（重新量測）"),
    "delta-disclosure": Text("Delta-disclosure privacy, measured anew", "δ-揭露隱私（重新量測）"),
    "k-map": Text("k-map, counted in the population", "k-map（於母體計數）"),
    "d-presence": Text("d-presence, counted in the population", "δ-存在性（於母體計數）"),
    "linkage": Text("Linkage with an outside file", "與外部檔案連結"),
    "homogeneity": Text("Homogeneity", "同質性攻擊"),
    "skewness": Text("Skewness", "偏斜攻擊"),
    "minimality": Text("Minimality", "最小性攻擊"),
    "differencing": Text("Differencing", "差分攻擊"),
    "composition": Text("Composition", "組合攻擊"),
    "row order": Text("Row order", "列序洩漏"),
    "free text": Text("Free text", "自由文字洩漏"),
    "undeclared identifiers": Text("Undeclared identifiers", "未宣告之識別欄位"),
}
MODELS = {
    "distinct-l-diversity": Text("Distinct l-diversity", "相異 l-多樣性"),
    "entropy-l-diversity": Text("Entropy l-diversity", "熵 l-多樣性"),
    "recursive-l-diversity": Text("Recursive (c, l)-diversity", "遞迴 (c, l)-多樣性"),
    "t-closeness": Text("t-closeness", "t-相近性"),
    "delta-disclosure": Text("Delta-disclosure privacy", "δ-揭露隱私"),
    "k-map": Text("k-map", "k-map"),
    "d-presence": Text("d-presence", "δ-存在性"),
}
PROMISES = (
    "k-anonymity", "l-diversity", "entropy-l-diversity", "recursive-l-diversity", "t-closeness", "delta-disclosure",
    "k-map", "d-presence",
)  # fmt: skip
"""Those that count what a policy promises; the others are attacks."""
ROLES = {
    "identifying": Text("identifying", "直接識別"),
    "quasi": Text("quasi-identifier", "準識別符"),
    "sensitive": Text("sensitive", "敏感"),
    "insensitive": Text("other", "其他"),
}
SEVERITIES = {"high": Text("high", "高"), "medium": Text("medium", "中"), "low": Text("low", "低")}
CHANGES = {
    "pseudonym": Text("pseudonyms by a key", "以金鑰假名化"),
    "mask": Text("masked", "遮罩"),
    "limit": Text("top and bottom coded", "上下限編碼"),
    "round": Text("rounded", "捨入"),
    "truncate": Text("cut to a period", "截至期間"),
    "date-shift": Text("shifted by a key", "以金鑰平移日期"),
    "coarsen": Text("told by a larger place", "地點粗略化"),
    "remove": Text("removed", "移除"),
}
