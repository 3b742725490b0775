"""Templates of notices and what a reader sees of a notice; no Django, no mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from smartgov.shared import content
from smartgov.shared.text import Text

# Mail crosses networks in clear: its subject and text may name the application's reference and nothing else.
ALLOWED_IN_MAIL = frozenset({"reference"})


@dataclass(frozen=True, slots=True)
class Template:
    """A notice to be filled: `subject` and `mail` travel by e-mail, `body` is shown to the signed-in reader only."""

    id: str
    subject: Text
    body: Text
    mail: Text

    @classmethod
    def of(cls, name: str, data: dict[str, Any]) -> Template:
        """Read the YAML form; a mail text that could carry personal data is a ValueError."""
        template = cls(name, Text.of(data["subject"]), Text.of(data["body"]), Text.of(data["mail"]))
        for text in (template.subject, template.mail):
            if strange := (places(text.en) | places(text.zh)) - ALLOWED_IN_MAIL:
                raise ValueError(f"notice {name}: {', '.join(sorted(strange))} may not appear in e-mail")
        return template


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice as its reader sees it; `mail_state` is waiting, sent or none (no address known)."""

    id: str
    subject: Text
    body: Text
    link: str
    created_at: datetime
    read: bool
    mail_state: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A message for the mail server; `message_id` stays the same when it is sent again."""

    to: str
    subject: str
    text: str
    message_id: str


def template(name: str) -> Template:
    """The template `content/tw/notices/<name>.yaml`."""
    return Template.of(name, content.read(f"notices/{name}.yaml"))


def places(text: str) -> set[str]:
    """The names in braces that `text` wants filled."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}
