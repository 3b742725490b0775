"""What a chapter is made of, without any HTML or PDF; and how moments and shares are written in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from smartgov.engines.deid.attacks import Finding
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.shared.tw import roc

Cell: TypeAlias = "Text | str"


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: Text


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values."""

    rows: list[tuple[Text, Cell]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns in `numbers` are set right."""

    caption: Text
    head: list[Text]
    rows: list[list[Cell]]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in both languages with the table behind it."""

    name: str
    caption: Text
    svg: Text
    table: Table


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of every attack."""

    rows: list[Finding]


Block: TypeAlias = Words | Facts | Table | Picture | Findings


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered chapter; `key` is its anchor."""

    key: str
    title: Text
    blocks: list[Block]


def when(moment: str) -> Text:
    """An ISO instant in Taiwan's time, in both calendars."""
    local = datetime.fromisoformat(moment).astimezone(clock.TAIPEI)
    day = roc.written(local.date())
    return Text(f"{day.en}, {local:%H:%M}", f"{day.zh} {local:%H:%M}")


def percent(share: float) -> str:
    """A share with two or three telling digits: 12%, 1.2%, 0.012%."""
    if share in (0, 1):
        return f"{share:.0%}"
    if share > 0.99:
        return f"{math.floor(share * 1000) / 10:.1f}%"
    if share < 1e-7:
        return "<0.00001%"
    return f"{share:.{max(0, 1 - math.floor(math.log10(share * 100)))}%}"
