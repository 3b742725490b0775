"""One error shape (RFC 9457 problem details): what happened, why, and what to do, in both languages."""

from __future__ import annotations

from typing import Any

from smartgov.shared.text import Text

TRY_AGAIN = Text("Try again in a moment.", "請稍候再試。")


class Problem(Exception):
    """An error that a person or a program can act on.

    `slug` is stable and documented; `status` is the HTTP status; `extra` members are public facts about the case.
    """

    def __init__(
        self,
        slug: str,
        status: int = 400,
        *,
        what: Text | str,
        why: Text | str = "",
        todo: Text | str = "",
        **extra: Any,
    ) -> None:
        super().__init__(slug)
        self.slug, self.status, self.extra = slug, status, extra
        self.what, self.why, self.todo = Text.of(what), Text.of(why), Text.of(todo)

    @property
    def type(self) -> str:
        """The URI of this kind of problem."""
        return f"urn:smartgov:problem:{self.slug}"

    def as_dict(self, language: str = "zh-hant") -> dict[str, Any]:
        """The members of an `application/problem+json` body in `language`."""
        gap = " " if language == "en" else ""  # Chinese sentences end in a full-width stop
        detail = gap.join(part.in_language(language) for part in (self.why, self.todo) if part.en)
        return {
            "type": self.type,
            "title": self.what.in_language(language),
            "status": self.status,
            "detail": detail,
            "todo": self.todo.in_language(language),
            **self.extra,
        }

    def __str__(self) -> str:
        return f"{self.slug}: {self.what.en} {self.why.en}".strip()
