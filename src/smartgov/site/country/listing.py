"""Villages for other tools: a summary on the screen, or the registers as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

from smartgov.engines import population
from smartgov.shared import clock


def write(seed: bytes, number: int, people: int, folder: Path | None) -> None:
    """Print how many rows each register has; with `folder`, write them as `<agency>.<table>.jsonl`."""
    village = population.build_village(seed, number, on=clock.today(), size=people)
    for agency, tables in population.registers(village).items():
        for table, rows in tables.items():
            lines = [json.dumps(row, ensure_ascii=False) for row in rows]
            print(f"{agency}.{table}\t{len(lines)}")  # noqa: T201 - this is the verb's output
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{agency}.{table}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
