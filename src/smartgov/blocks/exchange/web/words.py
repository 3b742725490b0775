"""How the exchange's codes are said to people, and how ids with slashes stand in addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.ops import api as ops
from smartgov.engines.troad.problems import TABLE
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KEYS: Mapping[str, Text] = {
    "message_key": Text("Messages", "訊息簽章"),
    "log_key": Text("Log", "日誌"),
    "witness_key": Text("Witness", "見證"),
    "reference_key": Text("References to persons", "當事人參照"),
    "configuration_key": Text("What the member signs", "成員簽署"),
}

VISIBILITIES: Mapping[str, Text] = {
    "own": Text("Shown to the person concerned", "向當事人顯示"),
    "third-person-masked": Text("Shown, third persons masked", "顯示，第三人遮蔽"),
    "delayed": Text("Shown later", "延後顯示"),
    "sealed": Text("Sealed by order", "依令保密"),
}
VISIBILITY_OF_A_RIGHT: Mapping[str, Text] = {
    "": Text("As the service declares", "依服務之設定"),
    **{kind: text for kind, text in VISIBILITIES.items() if kind != "own"},
}
DURABILITIES: Mapping[str, Text] = {
    "strict": Text("Strict: on disk before anything is sent", "嚴格：寫入磁碟後才傳送"),
    "soon": Text("Soon: on disk within milliseconds", "稍後：數毫秒內寫入磁碟"),
    "meta": Text("Meta: the record only, no body", "僅紀錄：不留存本文"),
}
BASES: Mapping[str, Text] = {
    "statute": Text("Statute", "法律"),
    "consent": Text("The person's consent", "當事人同意"),
    "subject": Text("The person asks", "當事人自行申請"),
    "none": Text("No person concerned", "不涉個人"),
}
STATES: Mapping[str, tuple[Text, str]] = {
    "asked": (Text("To be reviewed", "待審核"), "todo"),
    "granted": (Text("Granted", "已核准"), "done"),
    "refused": (Text("Refused", "已駁回"), "bad"),
    "withdrawn": (Text("Withdrawn", "已撤回"), "plain"),
    "revoked": (Text("Revoked", "已廢止"), "bad"),
    "expired": (Text("Expired", "已屆期"), "plain"),
}
SETTINGS: Mapping[str, Text] = {
    "personal": Text("About persons", "涉及個人資料"),
    "related": Text("JSON keys that may name further persons", "得記載其他當事人之 JSON 欄位"),
    "visibility": Text("Use records", "使用紀錄"),
    "durability": Text("Durability of the log", "日誌寫入方式"),
    "retain_days": Text("Bodies are kept for so many days", "本文保存日數"),
    "body_bytes": Text("Largest message, in bytes", "訊息大小上限（位元組）"),
    "seconds": Text("Longest time for an answer, in seconds", "回應時間上限（秒）"),
    "per_minute": Text("Calls of one client a minute", "單一用戶端每分鐘呼叫次數"),
    "per_day": Text("Calls of one client a day", "單一用戶端每日呼叫次數"),
}

_BY_THE_SERVICE = Text("Refused by the service", "遭服務拒絕")
ORIGINS: Mapping[str, Text] = {
    "content": Text("Catalogue of services", "服務目錄"),
    "request": Text("On request", "依申請"),
    "": Text("By the centre", "由中心核定"),
}


def basis(text: str, code: str = "") -> Text:
    """The ground of a right: a kind in words, the law of `code`, or what is cited where the directory lacks it."""
    if code:
        try:
            law = directory.legal_basis(code)
        except Problem:
            return Text.of(text)
        return Text(f"{law.title.en}, {law.article.en}", f"{law.title.zh}{law.article.zh}")
    return BASES.get(text) or Text.of(text)


def origin(text: str) -> Text:
    """What a right follows from."""
    return ORIGINS.get(text.partition("/")[0], Text.of(text))


def visibility(kind: str, terms: Mapping[str, Any]) -> Text:
    """A class with its terms, as a sentence."""
    said = VISIBILITIES[kind]
    parts_en, parts_zh = [], []
    if terms.get("days"):
        parts_en.append(f"{terms['days']} days after the use")
        parts_zh.append(f"使用後 {terms['days']} 日")
    if terms.get("until"):
        parts_en.append(f"{'until' if kind == 'sealed' else 'from'} {terms['until']}")
        parts_zh.append(f"{'至' if kind == 'sealed' else '自'} {terms['until']}{' 止' if kind == 'sealed' else ' 起'}")
    if terms.get("order"):
        parts_en.append(f"order no. {terms['order']}")
        parts_zh.append(f"文號 {terms['order']}")
    if not parts_en:
        return said
    return Text(f"{said.en}: {', '.join(parts_en)}", f"{said.zh}：{'，'.join(parts_zh)}")


def differences(found: Mapping[str, tuple[Any, Any]]) -> list[tuple[Text, Text, Text]]:
    """Settings that differ: which, and in words how they are and would be."""
    return [(SETTINGS[name], _setting(name, old), _setting(name, new)) for name, (old, new) in found.items()]


def _setting(name: str, value: Any) -> Text:
    if name == "personal":
        return Text("Yes", "是") if value else Text("No", "否")
    if name == "visibility":
        terms = dict(value) if isinstance(value, dict) else {"class": value}
        return visibility(terms.pop("class"), terms)
    if name == "durability":
        return DURABILITIES[value]
    if name == "related":
        return Text(", ".join(value), "、".join(value)) if value else Text("None", "無")
    if name == "retain_days":
        return Text.of(f"{value}") if value else Text("As the gateway's settings say", "依閘道設定")
    return Text.of(f"{value:,}") if value else Text("No limit", "不限")


def fields(names: Iterable[str], titles: Mapping[str, Text]) -> list[tuple[str, Text | str, str]]:
    """Fields to choose from: by their titles with the names beneath, or by their names where there is no title."""
    known = ((name, titles.get(name) or Text.of("")) for name in names)
    return [(name, title, name) if title.en else (name, name, "") for name, title in known]


def acts(entries: Iterable[audit.Entry]) -> list[dict[str, Any]]:
    """Administrative acts in words: when, what, and in which seat."""
    known = ops.deeds()
    return [
        {"at": one.at, "what": known.get(one.action) or Text.of(one.action), "who": audit.who(one)} for one in entries
    ]


def refusals(counted: Mapping[str, int]) -> list[tuple[int, Text, str]]:
    """Why calls were refused, the most frequent first: how often, in words, and the code that programs were told."""
    found = [(count, _refusal(code), code) for code, count in counted.items()]
    return sorted(found, key=lambda one: (-one[0], one[2]))


def _refusal(code: str) -> Text:
    return Text(*TABLE[code][1]) if code in TABLE else _BY_THE_SERVICE


def slug(name: str) -> str:
    """`TW/GOV/ris/household/people.v1` as one part of an address; names hold no `~`."""
    return name.replace("/", "~")


def name_of(slug: str) -> str:
    """What `slug` stands for."""
    return slug.replace("~", "/")
