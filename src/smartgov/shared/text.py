"""Text in both languages of the platform, for engines and content that know no web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in English and in Traditional Chinese."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """The sentence in `language` (a BCP 47 tag; anything that is not English gets Chinese)."""
        return self.en if language.lower().startswith("en") else self.zh

    def format(self, **values: Any) -> Text:
        """Fill the `{name}` places of both sentences; a value that is a Text gives each its own language."""
        en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
        zh = {k: v.zh if isinstance(v, Text) else v for k, v in values.items()}
        return Text(self.en.format(**en), self.zh.format(**zh))

    def as_dict(self) -> dict[str, str]:
        """The JSON form, `{"en": ..., "zh": ...}`."""
        return {"en": self.en, "zh": self.zh}

    @classmethod
    def of(cls, value: Text | str | Mapping[str, str]) -> Text:
        """Read the JSON or YAML form; a bare string serves both languages."""
        if isinstance(value, Text):
            return value
        if isinstance(value, str):
            return cls(value, value)
        if set(value) != {"en", "zh"}:
            raise ValueError(f"a text needs exactly the keys en and zh, not {sorted(value)}")
        return cls(value["en"], value["zh"])

    def __str__(self) -> str:
        return self.zh
