"""Where a value or a condition is published, and from when it holds: what every rule and parameter must state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_MEND = Text("Mend the file and load it again.", "請修正檔案後重新載入。")


@dataclass(frozen=True, slots=True)
class Citation:
    """A published source: the law or page, the article or section, and its official address."""

    title: Text
    article: Text
    url: str

    @classmethod
    def of(cls, raw: Mapping[str, Any] | None, place: str) -> Citation:
        """Read the YAML form; Problem `rule-unsourced` when a part of it is absent."""
        if not raw or not all(raw.get(key) for key in ("title", "article", "url")):
            raise unsourced(place, "names no source with title, article and url")
        if not str(raw["url"]).startswith("https://"):
            raise unsourced(place, "has a source without an official https address")
        return cls(Text.of(raw["title"]), Text.of(raw["article"]), str(raw["url"]))

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"title": self.title.as_dict(), "article": self.article.as_dict(), "url": self.url}

    def short(self) -> Text:
        """Law and article in one line."""
        return Text(f"{self.title.en}, {self.article.en}", f"{self.title.zh}{self.article.zh}")


def effective_from(raw: Mapping[str, Any], place: str) -> date:
    """The day from which a version or value holds; Problem `rule-unsourced` when it is not stated."""
    value = raw.get("from")
    if not isinstance(value, date) or isinstance(value, datetime):
        raise unsourced(place, "names no day from which it holds")
    return value


def unsourced(place: str, why: str) -> Problem:
    """The refusal of a rule or parameter that does not say where it comes from and since when."""
    return Problem(
        "rule-unsourced",
        500,
        what=Text("A rule without source or effective date is not loaded.", "沒有依據或生效日期的規則不予載入。"),
        why=f"{place} {why}",
        todo=_MEND,
    )


def invalid(place: str, why: str) -> Problem:
    """The refusal of a rule or parameter that is not coherent."""
    return Problem(
        "rule-invalid",
        500,
        what=Text("A rule cannot be used.", "規則無法使用。"),
        why=f"{place} {why}",
        todo=_MEND,
    )


def read(path: Path, place: str) -> Any:
    """The content of a YAML file; Problem `rule-invalid` when it is not YAML."""
    try:
        return content.parse(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise invalid(place, "is not well-formed YAML") from error
