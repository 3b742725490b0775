"""What the pages say in words: agencies' names, titles of laws, fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.http import Http404

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import api as identity
from smartgov.blocks.mydata import registers
from smartgov.blocks.mydata.api import ConsentItem, ConsentView, RequestView, TrailEntry, TrailView
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import written

_UNTIL = Text("{days} days, until {day}; you can take it back earlier", "{days}天，至{day}止，可隨時撤回")
_ENDS = Text("until {day}", "至{day}")
_TAKEN_BACK = Text("taken back on {day}", "{day}撤回")
_PROVEN = Text("{proven} of {listed} listed entries proven", "列出 {listed} 筆，其中 {proven} 筆已驗證")
_PROVEN_ENTRY = Text("Proven", "已驗證")
_FAILED_ENTRY = Text("Proof failed", "證明不成立")
# Paths that fetch; every other message brings data about the person to somebody.
_QUESTIONS = ("/query", "/preparations", "/documents")
_COLUMNS = (
    Text("Gateway", "閘道"),
    Text("Answer", "回應"),
    Text("Entries about you", "與您有關的筆數"),
    Text("Size of its log", "紀錄總數"),
)
_MEMBER_STATES = {
    "proven": Text("answered, proofs hold", "已回應，證明成立"),
    "failed": Text("answered, a proof does not hold", "已回應，但證明不成立"),
    "silent": Text("did not answer", "未回應"),
}
_STATES = {
    "active": (Text("In force", "有效"), "active"),
    "expired": (Text("Expired", "已到期"), "plain"),
    "revoked": (Text("Taken back", "已撤回"), "plain"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """What one agency asks for on the consent page."""

    agency: Text
    items: list[dict[str, Any]] = field(default_factory=list)


def groups(view: RequestView) -> list[Group]:
    """The items of a consent page by asking agency; everything is ticked only if she ticked it."""
    found: dict[str, Group] = {}
    for item in view.items:
        group = found.setdefault(item.agency, Group(agency_name(item.agency)))
        ticked = view.allowed is not None and item.id in view.allowed
        group.items.append(
            {
                "item": item,
                "source": agency_name(item.source),
                "fields": [field.title for field in item.fields],
                "ticked": ticked,
                "duration": _UNTIL.format(days=view.days, day=written(as_day(view.expires_on))),
            }
        )
    return list(found.values())


def consents(views: Iterable[ConsentView]) -> list[dict[str, Any]]:
    """Consents with names."""
    return [_consent(view) for view in views]


def one_consent(views: Iterable[ConsentView], consent: str) -> dict[str, Any]:
    """One of them, or Http404."""
    for view in views:
        if view.id == consent:
            return _consent(view)
    raise Http404


def as_day(moment: datetime) -> date:
    """The civil day of an instant in Taiwan."""
    return moment.astimezone(clock.TAIPEI).date()


def gateways(view: TrailView) -> list[list[Any]]:
    """One row for each gateway asked: name, how it did, entries, log size."""
    return [
        [member.name, _MEMBER_STATES[member.state], member.entries, member.log_size or "—"] for member in view.members
    ]


def headline(view: TrailView) -> dict[str, Any]:
    """What the page says before the list: how many entries are proven, what failed, who was silent."""
    names = {"proven": view.proven, "listed": len(view.entries)}
    return {
        "proven_text": _PROVEN.format(**names),
        "failed_title": Text("A proof does not hold", "證明不成立"),
        "silent_title": Text(
            f"{len(view.silent)} of {len(view.members)} gateways did not answer",
            f"{len(view.members)} 個閘道中有 {len(view.silent)} 個未回應",
        ),
        "lost_title": Text("Some records were lost in a restore", "部分紀錄於系統還原時遺失"),
        "columns": _COLUMNS,
        "gateways": gateways(view),
    }


def rows(view: TrailView, entries: Iterable[TrailEntry]) -> list[dict[str, Any]]:
    """The lines of the trail with names of agencies and laws."""
    names = {member.member: member.name for member in view.members}
    return [_row(entry, names) for entry in entries]


def chosen(view: TrailView, who: str) -> list[TrailEntry]:
    """What the page lists: all, or only looks by people; what is not proven stands first either way."""
    found = [entry for entry in view.entries if who != "people" or by_person(entry) or not entry.proven]
    return sorted(found, key=lambda entry: entry.proven)


def filters(view: TrailView, who: str) -> list[dict[str, Any]]:
    """The choices above the list, with how many entries each shows."""
    people = sum(by_person(entry) for entry in view.entries)
    return [
        {"label": Text("Everything", "全部"), "count": len(view.entries), "href": "?", "on": who != "people"},
        {
            "label": Text("Looks by officers", "承辦人員查看"),
            "count": people,
            "href": "?who=people",
            "on": who == "people",
        },
    ]


def by_day(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines under their day; those that are not proven under a heading of their own, above."""
    days: dict[date | None, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(as_day(row["entry"].time) if row["entry"].proven else None, []).append(row)
    return [{"day": day, "rows": held} for day, held in days.items()]


def _row(entry: TrailEntry, names: dict[str, Text]) -> dict[str, Any]:
    recorded = [names.get(member, Text.of(member)) for member in entry.recorded_by]
    lines: list[tuple[Text, Any]] = [
        (Text("Who", "誰"), _joined([agency_name(entry.agency), role(entry)], Text(", ", "，"))),
        (Text("For what", "目的"), purpose(entry)),
        (Text("Ground", "依據"), law(entry)),
        *([(Text("Fields", "欄位"), [field_title(entry, name) for name in entry.fields])] if entry.fields else []),
        *([(Text("Case", "案號"), entry.case)] if entry.case else []),
        *([(Text("Why so little, or so late", "為何較少或較晚顯示"), why)] if (why := kept_back(entry)) else []),
        (Text("Written down by", "留下紀錄者"), recorded),
        *([(Text("System", "系統"), entry.system)] if entry.system else []),
        (Text("Proof", "證明"), _PROVEN_ENTRY if entry.proven else _FAILED_ENTRY),
    ]
    person = by_person(entry)
    return {
        "entry": entry,
        "icon": "cross" if not entry.proven else "person" if person else "lock" if entry.kind == "refusal" else "more",
        "kind": "bad" if not entry.proven else "by-person" if person else "by-system",
        "agency": agency_short(entry.agency),
        "what": _what(entry),
        "role": role(entry),
        "purpose": purpose(entry),
        "law": law(entry),
        "proof": _PROVEN_ENTRY if entry.proven else _FAILED_ENTRY,
        "proof_kind": "done" if entry.proven else "bad",
        "lines": lines,
    }


def _what(entry: TrailEntry) -> Text:
    if entry.kind == "local-read":
        return Text("read what it holds about you", "讀取其保有的您的資料")
    source = agency_short(entry.source) if entry.source else Text("another agency", "其他機關")
    if entry.kind == "refusal":
        return Text("asked {source} and was refused", "向{source}查詢，遭拒絕").format(source=source)
    if not entry.path.startswith("GET") and not entry.path.endswith(_QUESTIONS):
        return Text("passed data about you to {source}", "將您的資料送交{source}").format(source=source)
    if entry.source == entry.agency:
        return Text("looked into its own register", "查詢自己的登記資料")
    return Text("asked {source}", "向{source}查詢").format(source=source)


def purpose(entry: TrailEntry) -> Text:
    """The purpose in words when its code is one that the directory knows (`birth.allowance`)."""
    return directory.purpose(entry.purpose) if entry.purpose else Text.of("—")


def field_title(entry: TrailEntry, name: str) -> Text:
    """The plain title of a register's field, when the register describes it."""
    return registers.column_title(entry.service, entry.path, name) if entry.service else registers.case_title(name)


def kept_back(entry: TrailEntry) -> Text | None:
    """Why an entry shows less than others, or came later, in plain words."""
    if entry.seal:
        return Text(
            f"An order (no. {entry.seal}) kept this from you until it ended.",
            f"依命令（文號 {entry.seal}）於期限屆滿前不予顯示。",
        )
    if entry.masked:
        return Text(
            "Case, officer and fields are left out: they could tell of somebody else. That they were written down is"
            " proven.",
            "案號、承辦人員與欄位可能涉及他人，故不顯示；已留存紀錄並經驗證。",
        )
    return None


def shown_otherwise(declared: Iterable[tuple[str, str, dict[str, Any]]]) -> list[tuple[Text, Text]]:
    """Services whose uses appear less or later than others', each with why in plain words: (name, words)."""
    found = []
    for service, kind, terms in declared:
        member = service.split("/")[2] if service.count("/") > 2 else service
        found.append(
            (
                Text(f"{agency_short(member).en}: {service}", f"{agency_short(member).zh}：{service}"),
                _promise(kind, terms),
            )
        )
    return found


def _promise(kind: str, terms: dict[str, Any]) -> Text:
    if kind == "third-person-masked":
        return Text("without case, officer and fields", "不含案號、承辦人員與欄位")
    if kind == "sealed":
        return Text(
            f"not before the order ends ({terms.get('until', '—')})", f"命令期限屆滿（{terms.get('until', '—')}）後"
        )
    if terms.get("days"):
        return Text(f"{terms['days']} days after the use", f"使用後 {terms['days']} 日")
    return Text(f"from {terms.get('until', '—')} on", f"自 {terms.get('until', '—')} 起")


def _joined(texts: list[Text], between: Text) -> Text:
    return Text(between.en.join(text.en for text in texts), between.zh.join(text.zh for text in texts))


def agency_short(code: str) -> Text:
    """What people call the agency, or its code when the directory does not know it."""
    try:
        return directory.agency(code).short
    except Problem:
        return Text.of(code)


def agency_name(code: str) -> Text:
    """The agency's name, or its code when the directory does not know it."""
    try:
        return directory.agency(code).name
    except Problem:
        return Text.of(code)


def role(entry: TrailEntry) -> Text:
    """In which role somebody acted: the seat's title when this site knows the seat, else that a system acted."""
    if not by_person(entry):
        return Text("A system, by itself", "系統自動處理")
    try:
        return identity.seat(entry.seat).role_title
    except Problem:
        return Text(f"Officer, seat {entry.seat[-6:]}", f"承辦人員（席位 {entry.seat[-6:]}）")


def by_person(entry: TrailEntry) -> bool:
    """Whether a person in a seat did it, and not a program."""
    return bool(entry.seat) and not entry.seat.startswith(entry.agency) and "/" not in entry.seat


def law(entry: TrailEntry) -> Text:
    """The law or consent on which data was used, in words."""
    if entry.consent:
        return Text("Your consent", "您的同意")
    if entry.basis == "subject":
        return Text("You asked for it yourself", "您本人申請")
    try:
        found = directory.legal_basis(entry.basis)
    except Problem:
        return Text.of(entry.basis or "—")
    return Text(f"{found.title.en}, {found.article.en}", f"{found.title.zh} {found.article.zh}")


def _until(view: ConsentView) -> Text:
    """The day on which it ends, or on which she took it back."""
    if view.revoked_at:
        return _TAKEN_BACK.format(day=written(as_day(view.revoked_at)))
    return _ENDS.format(day=written(as_day(view.expires_at)))


def _consent(view: ConsentView) -> dict[str, Any]:
    item: ConsentItem = view.item
    return {
        "view": view,
        "item": item,
        "agency": agency_name(item.agency),
        "source": agency_name(item.source),
        "agency_short": agency_short(item.agency),
        "source_short": agency_short(item.source),
        "fields": [field.title for field in item.fields],
        "until": _until(view),
        "state_title": _STATES[view.state][0],
        "state_kind": _STATES[view.state][1],
        "lines": [
            (Text("Who may ask", "可查詢的機關"), agency_name(item.agency)),
            (Text("Whom", "資料來源"), agency_name(item.source)),
            (Text("Fields", "欄位"), [field.title for field in item.fields]),
            (Text("For what", "目的"), item.purpose),
            (Text("Given", "同意時間"), view.granted_at),
            (Text("Ends", "有效期限"), view.expires_at),
            *([(Text("Taken back", "撤回時間"), view.revoked_at)] if view.revoked_at else []),
        ],
    }
