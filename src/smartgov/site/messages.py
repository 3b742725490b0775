"""The words of pages: collect them, compile them, and say what is not translated. Needs no GNU gettext.

    python -m smartgov.site.messages update|compile|check [name ...]

A name is a block (`cases`), `theme` or `site`; none means all. Message ids are English; each name keeps its own
`locale/zh_Hant/LC_MESSAGES/django.po`, the language that must be complete. `update` adds new messages, empty, and drops
those that no page says any more; `compile` writes the `.mo` files that Django reads; `check` exits with 1 and lists
what a reader would notice: missing, fuzzy, unused, a placeholder lost in translation, one message said in two ways.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = "zh_Hant"
KEYWORDS: dict[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_HEADER = """# Traditional Chinese of {name}.
msgid ""
msgstr ""
"Project-Id-Version: smartgov\\n"
"Language: zh_Hant\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}|(?<!%)%[sd]")

Key = tuple[str, str]
"""A message's context (or an empty string) and its singular."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a catalogue: where, what kind (`missing`, `fuzzy`, ...), and the message."""

    name: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}: {self.message!r}"


def names() -> list[str]:
    """What keeps words of its own: the theme, the site and every block."""
    blocks = sorted(path.parent.name for path in (ROOT / "blocks").glob("*/apps.py"))
    return ["theme", "site", *blocks]


def folder(name: str) -> Path:
    """The package of a name; an unknown one is refused."""
    if name not in names():
        raise ValueError(f"{name} is neither theme, site nor a block; known are {', '.join(names())}")
    return ROOT / name if name in {"theme", "site"} else ROOT / "blocks" / name


def po_path(name: str) -> Path:
    """The catalogue that people edit."""
    return folder(name) / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def said(name: str) -> Catalog:
    """Every message that the code and the templates of `name` say, untranslated."""
    catalog = Catalog(locale=LOCALE, fuzzy=False)
    base = folder(name)
    for path in sorted([*base.rglob("*.py"), *base.rglob("templates/**/*.*")]):
        if "tests" in path.relative_to(base).parts:
            continue
        for line, words, comments, context in _extract(path):
            place = (path.relative_to(base).as_posix(), line)
            catalog.add(words, locations=[place], auto_comments=comments, context=context)
    return catalog


def update(name: str) -> list[str]:
    """Bring the catalogue of `name` up to what its pages say; returns the messages that still need words."""
    fresh = said(name)
    if not len(fresh) and not po_path(name).exists():
        return []
    catalog = read(name)
    catalog.update(fresh, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    po_path(name).parent.mkdir(parents=True, exist_ok=True)
    body = BytesIO()
    write_po(body, catalog, width=110, sort_output=True, omit_header=True, include_lineno=False)
    po_path(name).write_bytes(_HEADER.format(name=name).encode() + body.getvalue().lstrip(b"\n"))
    return [_show(message) for message in _messages(catalog) if not _words(message)]


def read(name: str) -> Catalog:
    """The catalogue of `name` as it stands; empty when there is none yet."""
    path = po_path(name)
    if not path.exists():
        return Catalog(locale=LOCALE, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE, ignore_obsolete=True, abort_invalid=True)


def compile_stale(chosen: Iterable[str] | None = None, *, force: bool = False) -> list[str]:
    """Write the `.mo` files that are missing or older than their `.po`; returns the names done.

    A folder that may not be written (an installed package, whose `.mo` files come with it) is left alone.
    """
    done = []
    for name in names() if chosen is None else chosen:
        source = po_path(name)
        target = source.with_suffix(".mo")
        if not source.exists() or not os.access(source.parent, os.W_OK):
            continue
        if force or not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            _compile(name, target)
            done.append(name)
    return done


def check(chosen: Iterable[str] | None = None) -> list[Finding]:
    """What a reader of Chinese pages would notice in the catalogues of `chosen` (all, when not given)."""
    chosen = list(names() if chosen is None else chosen)
    findings = [finding for name in chosen for finding in _check_one(name)]
    return findings + list(_said_in_two_ways(chosen))


def _check_one(name: str) -> Iterator[Finding]:
    catalog = read(name)
    wanted, have = _by_key(said(name)), _by_key(catalog)
    for key, message in wanted.items():
        if key not in have or not _words(have[key]):
            yield Finding(name, "missing", _show(message))
        elif have[key].fuzzy:
            yield Finding(name, "fuzzy", _show(message))
        elif any(_placeholders(message) != _placeholders_of(text) for text in _words(have[key])):
            yield Finding(name, "placeholders differ", _show(message))
    for key in have.keys() - wanted.keys():
        yield Finding(name, "unused", _show(have[key]))


def _said_in_two_ways(chosen: list[str]) -> Iterator[Finding]:
    """Django merges all catalogues into one, so a message translated twice shows only the first app's words."""
    seen: dict[Key, dict[tuple[str, ...], str]] = defaultdict(dict)
    for name in names():
        for key, message in _by_key(read(name)).items():
            if words := _words(message):
                seen[key].setdefault(words, name)
    for (_context, text), ways in seen.items():
        if len(ways) > 1 and set(ways.values()) & set(chosen):
            said_as = "; ".join(f"{name} says {'/'.join(words)}" for words, name in ways.items())
            yield Finding(",".join(ways.values()), "said in two ways", f"{text} ({said_as})")


def _extract(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        source = _template_as_python(source)
    yield from extract("python", BytesIO(source.encode()), KEYWORDS, ("Translators",), options={"encoding": "utf-8"})


def _template_as_python(source: str) -> str:
    """Django's own rewriting of a template into gettext calls, without the indentation that Python would read."""
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure()
    return "\n".join(line.lstrip() for line in templatize(source).split("\n"))


def _compile(name: str, target: Path) -> None:
    """Written aside and renamed, because several processes of one country may start at once."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False) as file:
        write_mo(file, read(name))
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _by_key(catalog: Catalog) -> dict[Key, Message]:
    return {(message.context or "", _singular(message)): message for message in _messages(catalog)}


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _words(message: Message) -> tuple[str, ...]:
    """The translation, one text per plural form; empty when any form is."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string or "",)
    return tuple(forms) if all(forms) else ()


def _placeholders(message: Message) -> set[str]:
    forms = (message.id,) if isinstance(message.id, str) else message.id
    return _placeholders_of(forms[-1])


def _placeholders_of(text: str) -> set[str]:
    return {match.group(0) for match in _PLACEHOLDER.finditer(text)}


def _show(message: Message) -> str:
    return f"{message.context}|{_singular(message)}" if message.context else _singular(message)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    summary = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m smartgov.site.messages", description=summary)
    parser.add_argument("verb", choices=["update", "compile", "check"])
    parser.add_argument("names", nargs="*", help="blocks, theme or site; none means all")
    asked = parser.parse_args(arguments)
    chosen = asked.names or names()
    lines: list[str]
    if asked.verb == "update":
        lines = [f"{name}: to translate: {text!r}" for name in chosen for text in update(name)]
    elif asked.verb == "compile":
        lines = [f"{name}: compiled" for name in compile_stale(chosen, force=True)]
    else:
        lines = [str(finding) for finding in check(chosen)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if asked.verb == "check" and lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
