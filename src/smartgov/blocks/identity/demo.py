"""The demo's people, as the country's folder lists them. Shown, never signed in: each has a phone of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import accounts
from smartgov.shared import homes
from smartgov.shared.settings import get
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up person; `phone` is the address of the simulator that plays their phone."""

    key: str
    name: str
    national_id: str
    seats: tuple[Text, ...]
    about: Text
    phone: str


def personas() -> list[Persona]:
    """The people of `personas.json`; none when the folder has no such file."""
    path = homes.home() / "personas.json"
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [_persona(row) for row in rows]


def _persona(row: dict[str, object]) -> Persona:
    seats = row.get("seats") or []
    assert isinstance(seats, list)
    return Persona(
        key=str(row["key"]),
        name=str(row["name"]),
        national_id=str(row["national_id"]),
        seats=tuple(_seat(str(seat["agency"]), str(seat["role"])) for seat in seats),
        about=Text.of(row.get("story") or ""),  # type: ignore[arg-type]
        phone=f"{get('SMARTGOV_PHONE_URL')}/phones/{quote(str(row['key']))}",
    )


def _seat(agency: str, role: str) -> Text:
    where, title = directory.agency(agency).short, accounts.roles()[role].title
    return Text("{where}: {title}", "{where}{title}").format(where=where, title=title)
