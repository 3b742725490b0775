"""The pack as PDF/A-2b, set by typst from the same sections as the page. Nothing leaves the process."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import typst

from smartgov.engines.deid.report import sections as told
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections import Block, Cell, Facts, Findings, Picture, Table, Words
from smartgov.engines.deid.report.words import ATTACKS
from smartgov.shared.text import Text

_TEMPLATE = Path(__file__).parent / "pack.typ"


def render(pack: Pack, language: str) -> bytes:
    """The document in `language` (zh or en)."""

    def say(cell: Cell) -> str:
        return cell if isinstance(cell, str) else cell.in_language(language)

    good, word, why = told.headline(pack)
    chapters = told.sections(pack)
    data = {
        "language": language,
        "kind": say(Text("De-identification evidence pack", "去識別化證據包")),
        "title": say(pack.about.title),
        "under": say(told.under(pack)),
        "good": good,
        "word": say(word),
        "why": say(why),
        "figures": [[say(name), value, say(means)] for name, value, means in told.figures(pack)],
        "sections": [
            {"title": say(one.title), "blocks": [_block(block, say) for block in one.blocks]} for one in chapters
        ],
    }
    with tempfile.TemporaryDirectory(prefix="evidence-") as name:
        folder = Path(name)
        shutil.copyfile(_TEMPLATE, folder / "pack.typ")
        for one in chapters:
            for block in one.blocks:
                if isinstance(block, Picture):
                    (folder / f"{block.name}.svg").write_text(block.svg.in_language(language), encoding="utf-8")
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        made: bytes = typst.compile(str(folder / "pack.typ"), root=str(folder), pdf_standards="a-2b")
    return made


def _block(block: Block, say: Any) -> dict[str, Any]:
    match block:
        case Words(text):
            return {"kind": "words", "text": say(text)}
        case Facts(rows):
            return {"kind": "facts", "rows": [[say(name), say(value)] for name, value in rows]}
        case Table():
            return _table(block, say)
        case Picture():
            return {
                "kind": "picture",
                "file": f"{block.name}.svg",
                "caption": say(block.caption),
                "table": _table(block.table, say),
            }
        case Findings(rows):
            return {
                "kind": "findings",
                "rows": [
                    [
                        say(ATTACKS[one.attack]),
                        "none" if not one.ran else "good" if one.passed else "bad",
                        say(told.outcome(one)),
                        say(one.sentence),
                    ]
                    for one in rows
                ],
            }


def _table(table: Table, say: Any) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": say(table.caption),
        "head": [say(cell) for cell in table.head],
        "rows": [[say(cell) for cell in row] for row in table.rows],
        "numbers": list(table.numbers),
    }
