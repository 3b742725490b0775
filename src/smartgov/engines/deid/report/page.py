"""The pack as one HTML file: no script, no request, no style but its own, which the content policy names by digest."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from smartgov.engines.deid.attacks import Finding
from smartgov.engines.deid.report import sections as told
from smartgov.engines.deid.report.pack import Pack
from smartgov.engines.deid.report.sections import Block, Cell, Facts, Findings, Picture, Table, Words
from smartgov.engines.deid.report.words import ATTACKS
from smartgov.shared.text import Text

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_TICK = '<path d="M5 12.5l5 5 9-11" fill="none" stroke="{}" stroke-width="2.5" stroke-linecap="round"/>'
_CROSS = '<path d="M6 6l12 12M18 6L6 18" fill="none" stroke="{}" stroke-width="2.5" stroke-linecap="round"/>'
_DASH = '<path d="M6 12h12" fill="none" stroke="{}" stroke-width="2.5" stroke-linecap="round"/>'
_GREEN, _RED, _GREY = "#1d5f49", "#a32219", "#4c544f"


def render(pack: Pack, language: str) -> str:
    """The page in `language` (zh or en)."""
    say = _Speaker(language)
    chapters = told.sections(pack)
    body = "".join(
        f'<section aria-labelledby="{one.key}"><h2 id="{one.key}"><span>{place}</span>{say(one.title)}</h2>'
        + "".join(_block(block, say) for block in one.blocks)
        + "</section>"
        for place, one in enumerate(chapters, 1)
    )
    listed = "".join(f'<li><a href="#{one.key}">{say(one.title)}</a></li>' for one in chapters)
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    title = say(Text("De-identification evidence pack", "去識別化證據包"))
    name = say(pack.about.title)
    return (
        f'<!doctype html>\n<html lang="{"en" if language == "en" else "zh-Hant-TW"}"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{name} - {title}</title><style>{_STYLE}</style>'
        "</head><body>"
        f'<a class="skip" href="#main">{say(Text("Skip to the content", "跳到主要內容"))}</a><div class="page">'
        f'<header><p class="kind">{title}</p><h1>{name}</h1>'
        f'<p class="soft">{say(told.under(pack))}</p>'
        f'</header><main id="main">{_verdict(pack, say)}{_figures(pack, say)}'
        f'<nav aria-labelledby="contents"><h2 id="contents">{say(Text("Contents", "目次"))}</h2><ol>{listed}</ol></nav>'
        f"{body}</main><footer>{say(_FOOT)}</footer></div></body></html>\n"
    )


_FOOT = Text(
    "This file needs no network and holds no row of the data. The digest in chapter 11 binds it to the release ledger.",
    "本檔無須網路，亦不含任何資料列。第 11 章之摘要將其繫於釋出帳冊。",
)


class _Speaker:
    """Texts of one language, escaped."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, cell: Cell) -> str:
        return escape(cell if isinstance(cell, str) else cell.in_language(self.language))


def _verdict(pack: Pack, say: _Speaker) -> str:
    good, word, why = told.headline(pack)
    mark = (_TICK if good else _CROSS).format(_GREEN if good else _RED)
    return (
        f'<div class="verdict{"" if good else " bad"}"><svg viewBox="0 0 24 24" aria-hidden="true">{mark}</svg>'
        f"<div><strong>{say(word)}</strong><p>{say(why)}</p></div></div>"
    )


def _figures(pack: Pack, say: _Speaker) -> str:
    parts = "".join(
        f'<div><dt>{say(name)}</dt><dd><span class="value">{say(value)}</span><br>'
        f'<span class="means">{say(means)}</span></dd></div>'
        for name, value, means in told.figures(pack)
    )
    return f'<dl class="figures">{parts}</dl>'


def _block(block: Block, say: _Speaker) -> str:
    match block:
        case Words(text):
            return f"<p>{say(text)}</p>"
        case Facts(rows):
            return (
                f'<dl class="facts">{"".join(f"<div><dt>{say(a)}</dt><dd>{say(b)}</dd></div>" for a, b in rows)}</dl>'
            )
        case Table():
            return _table(block, say)
        case Picture():
            more = say(Text("The numbers behind the picture", "圖中數字"))
            return (
                f"<figure>{block.svg.in_language(say.language)}<figcaption>{say(block.caption)}</figcaption>"
                f"<details><summary>{more}</summary>{_table(block.table, say)}</details></figure>"
            )
        case Findings(rows):
            return f'<ul class="findings">{"".join(_finding(one, say) for one in rows)}</ul>'


def _table(table: Table, say: _Speaker) -> str:
    def kind(place: int) -> str:
        return ' class="number"' if place in table.numbers else ""

    head = "".join(f'<th scope="col"{kind(place)}>{say(cell)}</th>' for place, cell in enumerate(table.head))
    rows = ""
    for row in table.rows:
        first, *rest = row
        cells = "".join(f"<td{kind(place)}>{say(cell)}</td>" for place, cell in enumerate(rest, 1))
        rows += f'<tr><th scope="row"{kind(0)}>{say(first)}</th>{cells}</tr>'
    caption = say(table.caption)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _finding(finding: Finding, say: _Speaker) -> str:
    kind = "none" if not finding.ran else "" if finding.passed else "bad"
    path, colour = {"none": (_DASH, _GREY), "": (_TICK, _GREEN), "bad": (_CROSS, _RED)}[kind]
    return (
        f'<li><div><h3>{say(ATTACKS[finding.attack])}</h3><span class="mark {kind}"><svg viewBox="0 0 24 24" '
        f'aria-hidden="true">{path.format(colour)}</svg>{say(told.outcome(finding))}</span></div>'
        f"<p>{say(finding.sentence)}</p></li>"
    )
