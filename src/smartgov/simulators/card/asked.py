"""What a site asks the card: read strictly, because it comes from any page that the browser shows."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from asn1crypto import cms

from smartgov.engines.pki import keys
from smartgov.engines.pki.keys import from_b64url
from smartgov.shared import canonical, clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

LIFE = timedelta(minutes=2)
_HEX = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{2}")
_LONGEST = 300


@dataclass(slots=True)
class Asked:
    """One request of one browser tab. `code` is the session's own: no form without it is taken."""

    origin: str
    nonce: str
    number: str
    text: dict[str, str]
    back: str
    document: dict[str, str] | None = None
    """For a document: its `name`, the `digest` that the site shows, and `to_sign` (base64url)."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    code: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    until: datetime = field(default_factory=lambda: clock.now() + LIFE)
    answer: str = ""

    @property
    def shown(self) -> Text:
        """The purpose, as it is shown and signed."""
        return Text(self.text["en"], self.text["zh"])

    @property
    def is_over(self) -> bool:
        """Whether it is too late."""
        return clock.now() >= self.until

    def content(self) -> bytes:
        """The bytes that a sign-in signs: who asks (as the browser said), for what, and the site's own nonce."""
        return canonical.dumps(
            {"origin": self.origin, "nonce": self.nonce, "number": self.number, "text": self.text, "issued": ""}
        )


def read(body: Any, origin: str) -> Asked:
    """The request of a page at `origin`, which is the browser's word and not the page's; Problem `request-invalid`."""
    if not isinstance(body, dict):
        raise _invalid("request")
    for name in ("origin", "nonce", "number", "back"):
        if not isinstance(body.get(name), str) or not 1 <= len(body[name]) <= _LONGEST:
            raise _invalid(name)
    if body["origin"] != origin:
        raise _invalid("origin")
    back = urlsplit(body["back"])
    if f"{back.scheme}://{back.netloc}" != origin:
        raise _invalid("back")
    if not _NUMBER.fullmatch(body["number"]):
        raise _invalid("number")
    document = body.get("document")
    return Asked(
        origin,
        body["nonce"],
        body["number"],
        _text(body.get("text")),
        body["back"],
        None if document is None else _document(document),
    )


def _text(text: Any) -> dict[str, str]:
    if not isinstance(text, dict) or set(text) != {"en", "zh"}:
        raise _invalid("text")
    if not all(isinstance(part, str) and 1 <= len(part) <= _LONGEST for part in text.values()):
        raise _invalid("text")
    return dict(text)


def _document(document: Any) -> dict[str, str]:
    """What is to be signed must be the signed attributes of a CMS signature over the document with this digest."""
    if not isinstance(document, dict) or set(document) != {"name", "digest", "to_sign"}:
        raise _invalid("document")
    if not all(isinstance(part, str) for part in document.values()) or not _HEX.fullmatch(document["digest"]):
        raise _invalid("document.digest")
    try:
        attributes = cms.CMSAttributes.load(from_b64url(document["to_sign"]), strict=True)
        found = [one["values"][0].native.hex() for one in attributes if one["type"].native == "message_digest"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _invalid("document.to_sign") from None
    if found != [document["digest"]] or not 1 <= len(document["name"]) <= _LONGEST:
        raise _invalid("document")
    return dict(document)


def encoded(value: Any) -> str:
    """An answer as it travels in a form."""
    return keys.b64url(canonical.dumps(value))


def _invalid(name: str) -> Problem:
    return Problem(
        "request-invalid",
        422,
        what=Text("The card was not asked.", "未向卡片提出請求。"),
        why=Text(f"The site's request is not whole ({name}).", f"網站的請求不完整（{name}）。"),
        todo=Text("Go back to the site and start again.", "請回到網站重新開始。"),
        member=name,
    )
