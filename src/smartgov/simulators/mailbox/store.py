"""Messages in a folder: one file each, named by a sortable id."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from smartgov.engines.pki.keys import write_secret
from smartgov.shared import ids

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, as readers see it; every member is plain text."""

    id: str
    sender: str
    recipients: str
    subject: str
    received_at: str
    text: str


class Mailbox:
    """The messages of a home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "messages"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._last = next(iter(self._names()), "")

    def add(self, raw: bytes) -> str:
        """Keep a message and return its id; the oldest beyond 1,000 go."""
        name = self._next_name()
        write_secret(self.folder / f"{name}.eml", raw)
        for old in self._names()[KEPT:]:
            (self.folder / f"{old}.eml").unlink(missing_ok=True)
        return name

    def newest(self, limit: int = 100) -> list[Mail]:
        """The latest messages, newest first."""
        return [mail for name in self._names()[:limit] if (mail := self.get(name))]

    def get(self, name: str) -> Mail | None:
        """One message by its id, or None."""
        if not ids.is_uuid(name):
            return None
        try:
            raw = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        return _read(name, raw)

    def _next_name(self) -> str:
        while (name := ids.uuid7()) <= self._last:  # two of one millisecond are in random order; wait it out
            continue
        self._last = name
        return name

    def _names(self) -> list[str]:
        return sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)


def _read(name: str, raw: bytes) -> Mail:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return Mail(
        id=name,
        sender=_header(message, "from"),
        recipients=_header(message, "to"),
        subject=_header(message, "subject"),
        received_at=_header(message, "x-received-at"),
        text=_text(message),
    )


def _header(message: EmailMessage, name: str) -> str:
    # The parser raises on some malformed headers; a broken message must not hide the others.
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError):
        return ""


def _text(message: EmailMessage) -> str:
    try:
        part = message.get_body(preferencelist=("plain", "html"))
        content = part.get_content() if part is not None else ""
    except (LookupError, ValueError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""
