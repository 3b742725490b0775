"""What the pages say of a mandate in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from smartgov.blocks.mandates import api
from smartgov.blocks.mandates.domain import ENDS
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import written
from smartgov.theme.words import write_time

_STATES = {
    "draft": (Text("Not approved yet", "尚未核可"), "todo"),
    "offered": (Text("Waits to be accepted", "等待對方接受"), "waiting"),
    "active": (Text("In force", "有效"), "active"),
    "refused": (Text("Refused", "已拒絕"), "plain"),
    "ended": (Text("Ended", "已終止"), "plain"),
}
_NO_END = Text("until the register says otherwise", "至登記變更為止")


def row(view: api.MandateView) -> dict[str, Any]:
    """A mandate with its state, its end and its lines in words."""
    title, kind = _STATES[view.state]
    late = view.state == "active" and view.ends is not None and view.ends <= clock.now()
    if late:
        title, kind = _STATES["ended"]
    lines: list[tuple[Text, Any]] = [
        (Text("Represented", "本人（被代理人）"), view.represented),
        (Text("Representative", "代理人"), view.representative),
        (Text("Kind", "種類"), view.kind.title),
        (Text("Ground", "依據"), view.kind.law),
        (Text("Reaches", "代理事項"), [scope.title for scope in view.scope]),
        (Text("Lasts", "期限"), until(view)),
    ]
    if view.begins:
        lines.append((Text("Began", "生效"), write_time(view.begins)))
    if view.checked_at:
        lines.append((Text("Register asked", "最近查證"), write_time(view.checked_at)))
    if view.over:
        lines.append((Text("Ended", "終止"), ENDS[view.over]))
    return {
        "view": view,
        "lines": lines,
        "state_title": title,
        "state_kind": kind,
        "until": until(view),
        "may_act": view.mine == "representative" and view.state == "active" and not late,
        "may_answer": view.mine == "representative" and view.state == "offered",
        "may_sign": view.mine == "represented" and view.state == "draft",
        # Who was asked accepts or refuses; there is nothing to lay down yet.
        "may_end": (view.state == "active" or (view.state == "offered" and view.mine == "represented")) and not late,
        "fingerprint": view.digest[:16] if view.terms else "",
    }


def until(view: api.MandateView) -> Text:
    """The last day of a mandate."""
    if view.ends is None:
        return _NO_END
    last = (view.ends.astimezone(clock.TAIPEI) - timedelta(seconds=1)).date()
    return Text("to the end of {day}", "至{day}止").format(day=written(last))


def reach(kind: api.Kind) -> Text:
    """For how long a kind may be given, and by which law."""
    return Text("{law}; at most {days} days", "{law}；最長{days}日").format(law=kind.law, days=kind.most_days)


def scopes(codes: Iterable[str]) -> list[tuple[str, Text]]:
    """The named matters, in the catalogue's order."""
    wanted = set(codes)
    return [(code, scope.title) for code, scope in api.catalogue().scopes.items() if code in wanted]


def receipt(view: api.MandateView) -> dict[str, Any]:
    """The receipt's members. With the proof and the giver's public key anybody can check that the terms were signed."""
    return {
        "schema": "urn:smartgov:mandate-receipt:1",
        "mandate": view.id,
        "kind": view.kind.code,
        "law": view.kind.law.as_dict(),
        "represented": view.represented,
        "representative": view.representative,
        "scope": [scope.code for scope in view.scope],
        "state": view.state,
        "began_at": view.begins.isoformat() if view.begins else None,
        "ends_at": view.ends.isoformat() if view.ends else None,
        "over": view.over,
        "over_at": view.over_at.isoformat() if view.over_at else None,
        "terms": dict(view.terms),
        "terms_sha256": view.digest if view.terms else None,
        "proof": dict(view.proof),
    }
