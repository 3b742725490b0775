"""Plain titles of registers' fields, from the registers' own descriptions in content."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

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


@lru_cache(maxsize=64)
def _tables(path: Path, changed: int) -> dict[str, Any]:
    """The tables of the registers that a file describes: one register, or a list under `registers`."""
    raw = content.parse(path.read_text(encoding="utf-8"))
    return {name: table for register in raw.get("registers", [raw]) for name, table in register["tables"].items()}
