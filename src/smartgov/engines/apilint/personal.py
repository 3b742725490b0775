"""Parameters that name a person: addresses are kept in logs, caches and histories, so no person may stand in one.

Recognised by name (`nationalId`, `birth_date`), by format, by a pattern that takes the sample ids of the rule, by an
example, and by what the description says. `x-not-personal: why` excuses a name or a description, and is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from smartgov.engines.apilint.document import Document, Json, Part, Pointer
from smartgov.engines.apilint.hits import Hit
from smartgov.shared.text import Text

EXCUSE = "x-not-personal"
_CONTROLS = ("", "x", "7", "0000", "2026-11-01", "01990000-0000-7000-8000-000000000000", "zzzzzzzzzz")
"""What a pattern must refuse for its taking an id to mean anything."""


def in_address(document: Document, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Parameters in path or query, and fixed parts of paths, that name a person.

    Options: `names` (whole names), `endings` (their last words), `formats`, `words` (in descriptions), `samples` (ids).
    """
    for parameter in document.parameters():
        if parameter.value.get("in") in {"path", "query"}:
            yield from _parameter(document, parameter, options)
    for path in document.value.get("paths") or {}:
        if sample := next((s for s in options["samples"] if re.search(_shape(s), str(path))), None):
            yield Hit(("paths", path), Text(f"an id like {sample} stands in the path", f"路徑中有如 {sample} 的識別碼"))


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in any style: `nationalId`, `national-id`, `NATIONAL_ID` are all national, id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(part.lower() for part in re.split(r"[^0-9A-Za-z\u3400-\u9fff]+", spaced) if part)


def _parameter(document: Document, parameter: Part, options: Mapping[str, Any]) -> Iterator[Hit]:
    excuse = parameter.value.get(EXCUSE)
    name = str(parameter.value.get("name", ""))
    parts = [(parameter.value, parameter.at, name), *_schemas(document, parameter)]
    for value, at, called in parts:
        if proof := _proof(value, options):
            yield Hit(at, _note(parameter, proof))
        elif guess := _named(called, options) or _told(value, options):
            if isinstance(excuse, str) and len(excuse) > 3:
                yield Hit(at, _note(parameter, Text(f"excused: {excuse[:100]}", f"已說明：{excuse[:100]}")), "warning")
            else:
                yield Hit(at, _note(parameter, guess))


def _schemas(document: Document, parameter: Part) -> Iterator[tuple[Json, Pointer, str]]:
    given = [(parameter.value.get("schema"), (*parameter.at, "schema"))]
    for media, content in (parameter.value.get("content") or {}).items():
        given.append(((content or {}).get("schema"), (*parameter.at, "content", media, "schema")))
    for schema, at in given:
        for value, there in document.schema(schema, at):
            yield value, there, str(there[-1]) if there[-2:-1] == ("properties",) else ""


def _proof(value: Json, options: Mapping[str, Any]) -> Text | None:
    """What leaves no doubt: a declaration, a format, a pattern, an example."""
    if value.get("x-person") is True:
        return Text("x-person says so", "標示為 x-person")
    if str(value.get("format", "")).lower() in options["formats"]:
        return Text(f"its format is {value['format']}", f"格式為 {value['format']}")
    samples = options["samples"]
    if isinstance(value.get("pattern"), str) and _takes(value["pattern"], samples):
        return Text("its pattern takes national ids", "樣式可容身分證統一編號")
    shown = json.dumps([value.get(word) for word in ("example", "examples", "default", "enum", "const")], default=str)
    if any(re.search(_shape(sample), shown) for sample in samples):
        return Text("an example of it is a national id", "範例為身分證統一編號")
    return None


def _named(name: str, options: Mapping[str, Any]) -> Text | None:
    words = words_of(name)
    joined = "_".join(words)
    known = joined in options["names"] or any(joined == end or joined.endswith(f"_{end}") for end in options["endings"])
    known = known or any(word in name for word in options["words"] if not word.isascii())
    return Text(f"its name {name!r}", f"名稱 {name!r}") if known else None


def _told(value: Json, options: Mapping[str, Any]) -> Text | None:
    told = f"{value.get('title', '')} {value.get('description', '')}".lower()
    word = next((one for one in options["words"] if one in told), None)
    return Text(f"its description says {word!r}", f"說明中有 {word!r}") if word else None


def _takes(pattern: str, samples: list[str]) -> bool:
    if len(pattern) > 200:
        return False
    try:
        compiled = re.compile(pattern)
    except re.error:
        return False
    return any(compiled.search(one) for one in samples) and not any(compiled.search(one) for one in _CONTROLS)


def _shape(sample: str) -> str:
    """A pattern for whatever is built as the sample is: its kinds of letters and digits, standing alone."""
    built = "".join("[0-9]" if c.isdigit() else "[A-Z]" if c.isupper() else re.escape(c) for c in sample)
    return rf"(?<![0-9A-Za-z]){built}(?![0-9A-Za-z])"


def _note(parameter: Part, why: Text) -> Text:
    return Text(f"{parameter.label}: {why.en}", f"{parameter.label}：{why.zh}")
