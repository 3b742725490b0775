"""The kinds of rich authorization request (RFC 9396) that people of this platform can be asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smartgov.engines.openid.model import DetailType
from smartgov.shared.text import Text

_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,60}")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


def _dataset(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if set(given) != {"dataset", "fields", "purpose"}:
        raise ValueError("it has exactly dataset, fields and purpose")
    fields, purpose = given["fields"], given["purpose"]
    if not isinstance(given["dataset"], str) or not _CODE.fullmatch(given["dataset"]):
        raise ValueError("dataset is a code")
    if not isinstance(fields, list) or not 1 <= len(fields) <= 30 or not all(_is_code(name) for name in fields):
        raise ValueError("fields are one to thirty codes")
    return {"dataset": given["dataset"], "fields": fields, "purpose": _words(purpose)}


def _signature(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if set(given) != {"title", "sha256"}:
        raise ValueError("it has exactly title and sha256")
    if not isinstance(given["sha256"], str) or not _DIGEST.fullmatch(given["sha256"]):
        raise ValueError("sha256 is 43 characters of base64url")
    return {"title": _words(given["title"]), "sha256": given["sha256"]}


def _words(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or set(given) != {"en", "zh"}:
        raise ValueError("a text has exactly en and zh")
    if not all(isinstance(each, str) and 0 < len(each) <= 200 and each.isprintable() for each in given.values()):
        raise ValueError("a text has 1 to 200 printable characters")
    return dict(given)


def _is_code(given: object) -> bool:
    return isinstance(given, str) and bool(_CODE.fullmatch(given))


TYPES = {
    kind.name: kind
    for kind in (
        DetailType(
            "mydata_access",
            _dataset,
            lambda given: Text("Read {what} ({dataset}): {why}", "讀取 {what}（{dataset}）：{why}").format(
                what=", ".join(given["fields"]), dataset=given["dataset"], why=Text.of(given["purpose"])
            ),
        ),
        DetailType(
            "document_signature",
            _signature,
            lambda given: Text("Sign “{title}”", "簽署「{title}」").format(title=Text.of(given["title"])),
            needs_phishing_resistant=True,
        ),
    )
}


def register(kind: DetailType) -> None:
    """Let relying parties ask for one kind more: whoever answers such requests says so when the site starts."""
    TYPES[kind.name] = kind
