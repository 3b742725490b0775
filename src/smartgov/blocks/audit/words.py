"""Words for what stands in the entries as codes: actions, kinds of objects, seats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.blocks.audit.models import Entry

OBJECTS = {
    "account": Text("Account", "帳號"),
    "application": Text("Application", "申請"),
    "batch": Text("Batch", "批次"),
    "birth": Text("Birth", "出生通報"),
    "case": Text("Case", "案件"),
    "certificate": Text("Certificate", "證明書"),
    "configuration": Text("Configuration", "組態"),
    "consent": Text("Consent", "同意"),
    "gateway": Text("Gateway", "閘道"),
    "member": Text("Member", "成員"),
    "payment": Text("Payment", "付款"),
    "right_request": Text("Request for a right", "權限申請"),
    "right": Text("Right", "權限"),
    "seat": Text("Seat", "職務"),
    "service": Text("Service", "服務"),
    "subsystem": Text("Subsystem", "子系統"),
}
KINDS = {
    "citizen": Text("The person", "本人"),
    "officer": Text("Officer", "承辦人員"),
    "system": Text("Program", "系統"),
}
_titles: list[Callable[[str], Text | None]] = []


def register_seat_titles(title: Callable[[str], Text | None]) -> None:
    """Set who names seats; the block of identities does it, which this block may not import."""
    _titles[:] = [title]


def who(entry: Entry) -> Text:
    """Who did it: the role of the seat, or the kind of actor."""
    known = seat(entry.seat) if entry.seat else None
    return known or KINDS.get(str(entry.kind), Text.of(str(entry.kind)))


def seat(identifier: str) -> Text | None:
    """The role of a seat, when this site knows the seat."""
    return _titles[0](identifier) if _titles else None
