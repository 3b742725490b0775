"""Names of attacks, roles and severities for people."""

from __future__ import annotations

from smartgov.shared.text import Text

ATTACKS = {
    "k-anonymity": Text("k-anonymity, counted anew", "k-匿名（重新計算）"),
    "l-diversity": Text("l-diversity, counted anew", "l-多樣性（重新計算）"),
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
