"""Plain titles of fields: of registers from their own descriptions, of case files from services and their forms."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from smartgov.engines import forms
from smartgov.engines.forms import services
from smartgov.shared import content
from smartgov.shared.text import Text


def column_title(service_id: str, path: str, column: str) -> Text:
    """The title of a register's column in words; its name when the register does not describe it.

    `service_id` is `TW/GOV/hpa/births/births.v1`; `path` is `/births/query`, with or without a method before it.
    """
    agency, table = service_id.split("/")[2], path.split("/")[1] if "/" in path else ""
    file = content.ROOT / "registers" / f"{agency}.yaml"
    if not file.exists():
        return Text.of(column)
    columns = _tables(file, file.stat().st_mtime_ns).get(table, {}).get("columns", {})
    title = columns.get(column, {}).get("title")
    return Text.of(title) if title else Text.of(column)


def case_title(name: str) -> Text:
    """The title of what a case file holds under `name`: a fact of a service, or an answer to its form."""
    return _case_titles().get(name, Text.of(name))


@lru_cache(maxsize=1)
def _case_titles() -> dict[str, Text]:
    known: dict[str, Text] = {}
    for service in services.load_services(content.ROOT / "services").values():
        form = forms.load(content.ROOT / "forms" / f"{service.form}.yaml")
        for part in service.parts:
            for fact in part.facts:
                known.setdefault(fact.id, fact.title)  # the first part's words: later ones tell a source apart
        for page in form.pages:
            for field in page.fields:
                known.setdefault(field.id, field.name)
    return known


@lru_cache(maxsize=64)
def _tables(path: Path, changed: int) -> dict[str, Any]:
    """The tables of the registers that a file describes: one register, or a list under `registers`."""
    raw = content.parse(path.read_text(encoding="utf-8"))
    return {name: table for register in raw.get("registers", [raw]) for name, table in register["tables"].items()}
