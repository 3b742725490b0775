"""Words for what stands in the entries as codes: actions, kinds of objects, seats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.blocks.audit.models import Entry

OBJECTS = {
    "account": Text("Account", "帳號"),
    "application": Text("Application", "申請"),
    "authorization": Text("Sign-in to a service", "服務登入授權"),
    "batch": Text("Batch", "批次"),
    "batch_seal": Text("Batch of seals", "批次用印"),
    "birth": Text("Birth", "出生通報"),
    "case": Text("Case", "案件"),
    "certificate": Text("Certificate", "證明書"),
    "certificate_key": Text("Certificate's key", "憑證金鑰"),
    "configuration": Text("Configuration", "組態"),
    "consent": Text("Consent", "同意"),
    "document": Text("Document", "文件"),
    "gateway": Text("Gateway", "閘道"),
    "mandate": Text("Mandate", "代理授權"),
    "member": Text("Member", "成員"),
    "outside_list": Text("List of another authority", "外部機構清單"),
    "party": Text("Service that signs people in", "使用登入之服務"),
    "payment": Text("Payment", "付款"),
    "presentation": Text("Certificate shown", "證明書出示"),
    "relation": Text("Relation to a service", "與服務之關係"),
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
DETAILS = {
    "ability": Text("For", "用途"),
    "added": Text("Added", "新增"),
    "agency": Text("Agency", "機關"),
    "cited": Text("Law cited", "引用法條"),
    "claims": Text("Fields", "欄位"),
    "client": Text("Who asks", "請求者"),
    "count": Text("Number", "數量"),
    "device": Text("Device", "裝置"),
    "expired": Text("Expired", "屆期"),
    "fields": Text("Fields", "欄位"),
    "gateway": Text("Gateway", "閘道"),
    "kind": Text("Kind", "種類"),
    "means": Text("Means", "方式"),
    "method": Text("Method", "方式"),
    "missing": Text("Missing", "缺少"),
    "passkey": Text("Passkey", "通行密鑰"),
    "purpose": Text("Purpose", "目的"),
    "reason": Text("Reason", "理由"),
    "role": Text("Role", "職務"),
    "rule": Text("Rule", "規則"),
    "service": Text("Service", "服務"),
    "state": Text("State", "狀態"),
    "stranger": Text("By another", "由他人"),
    "supplement": Text("Question", "補件"),
    "template": Text("Template", "範本"),
    "until": Text("Until", "至"),
    "visibility": Text("Use records", "使用紀錄"),
}
"""What the members of an entry's detail are; one that is not listed is shown by its name."""
_titles: list[Callable[[str], Text | None]] = []


def register_seat_titles(title: Callable[[str], Text | None]) -> None:
    """Set who names seats; the block of identities does it, which this block may not import."""
    _titles[:] = [title]


def detail(told: Mapping[str, Any]) -> Text:
    """The detail of an entry: each value after what it is."""
    named = [(DETAILS.get(name, Text.of(name)), _plain(value)) for name, value in told.items()]
    return Text(
        "; ".join(f"{name.en}: {value}" for name, value in named),
        "；".join(f"{name.zh}：{value}" for name, value in named),
    )


def _plain(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def who(entry: Entry) -> Text:
    """Who did it: the role of the seat, or the kind of actor."""
    known = seat(entry.seat) if entry.seat else None
    return known or KINDS.get(str(entry.kind), Text.of(str(entry.kind)))


def seat(identifier: str) -> Text | None:
    """The role of a seat, when this site knows the seat."""
    return _titles[0](identifier) if _titles else None
