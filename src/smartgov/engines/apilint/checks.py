"""The checks that rules name: each looks at a document with a rule's options and yields the places that break it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smartgov.engines.apilint import personal, structure
from smartgov.engines.apilint.document import Document, Json, Part
from smartgov.engines.apilint.hits import Hit
from smartgov.shared.text import Text

MOST = 200
"""So many places of one rule are named; more help nobody."""
Options = Mapping[str, Any]
Check = Callable[[Document, Options], Iterator[Hit]]


def present(document: Document, options: Options) -> Iterator[Hit]:
    """`paths`: each of these dotted paths is there and not empty."""
    for path in options["paths"]:
        at = tuple(path.split("."))
        if not document.get(at):
            yield Hit(at, Text(f"{path} is missing", f"缺少 {path}"))


def operation_ids(document: Document, options: Options) -> Iterator[Hit]:
    """Every operation has an id, and no two have the same."""
    found = list(document.operations())
    count = Counter(part.value.get("operationId") for part in found)
    for part in found:
        name = part.value.get("operationId")
        if not isinstance(name, str) or not name:
            yield Hit(part.at, Text(f"{part.label} has no operationId", f"{part.label} 沒有 operationId"))
        elif count[name] > 1:
            at = (*part.at, "operationId")
            yield Hit(at, Text(f"{part.label}: {name!r} is used twice", f"{part.label}：{name!r} 重複使用"))


def described(document: Document, options: Options) -> Iterator[Hit]:
    """Every operation says in words what it does."""
    for part in document.operations():
        if not part.value.get("summary") and not part.value.get("description"):
            yield Hit(part.at, Text(f"{part.label} has no summary", f"{part.label} 沒有說明"))


def versioned(document: Document, options: Options) -> Iterator[Hit]:
    """`pattern`: the address of the servers, or every path, shows the version."""
    pattern = re.compile(options["pattern"])
    servers = document.value.get("servers") or []
    urls = [str(one.get("url", "")) for one in servers if isinstance(one, dict)] if isinstance(servers, list) else []
    if urls and all(pattern.search(url) for url in urls):
        return
    for path in document.value.get("paths") or {}:
        if not pattern.search(str(path)):
            yield Hit(
                ("paths", path),
                Text(f"no version in {path} or in the server's address", f"{path} 與伺服器位址均無版次"),
            )
            return


def paths(document: Document, options: Options) -> Iterator[Hit]:
    """`pattern`: each segment of a path; `verbs`: words that no segment begins with; parameters stand alone."""
    segment, verbs = re.compile(options["pattern"]), tuple(options["verbs"])
    for path in document.value.get("paths") or {}:
        for part in str(path).strip("/").split("/"):
            if part.startswith("{") or (segment.fullmatch(part) and not _starts_with(part, verbs)):
                continue
            yield Hit(("paths", path), Text(f"{path}: {part!r}", f"{path}：{part!r}"))
        if str(path).endswith("/") and len(str(path)) > 1:
            yield Hit(("paths", path), Text(f"{path} ends with /", f"{path} 以 / 結尾"))


def _starts_with(segment: str, verbs: tuple[str, ...]) -> bool:
    return (re.split(r"[-_.A-Z0-9]", segment, maxsplit=1)[0] in verbs and not segment.islower()) or segment in verbs


def bodiless(document: Document, options: Options) -> Iterator[Hit]:
    """`methods`: operations of these methods take no body."""
    for part in document.operations():
        if part.method in options["methods"] and "requestBody" in part.value:
            yield Hit((*part.at, "requestBody"), Text(f"{part.label} takes a body", f"{part.label} 帶有本文"))


def problems(document: Document, options: Options) -> Iterator[Hit]:
    """Every operation documents an error (4xx or default), and `media` is the form of every documented error."""
    for part in document.operations():
        found = list(document.answers(part))
        failing = [row for row in found if row[0][:1] in "45" or row[0] == "default"]
        if not any(status[:1] == "4" or status == "default" for status, _, _ in failing):
            yield Hit(part.at, Text(f"{part.label} documents no error", f"{part.label} 未記載錯誤回應"))
        for status, answer, at in failing:
            if options["media"] not in (answer.get("content") or {}):
                yield Hit(
                    at,
                    Text(
                        f"{part.label}, {status}: not {options['media']}",
                        f"{part.label}，{status}：不是 {options['media']}",
                    ),
                )


def succeeds(document: Document, options: Options) -> Iterator[Hit]:
    """Every operation documents an answer of success (2xx or 3xx)."""
    for part in document.operations():
        if not any(status[:1] in {"2", "3"} for status, _, _ in document.answers(part)):
            yield Hit(part.at, Text(f"{part.label} documents no success", f"{part.label} 未記載成功回應"))


def not_found(document: Document, options: Options) -> Iterator[Hit]:
    """An operation whose path names an object documents `404`."""
    for part in document.operations():
        documented = {status for status, _, _ in document.answers(part)}
        if "{" in part.path and not documented & {"404", "4XX", "default"}:
            yield Hit(part.at, Text(f"{part.label} documents no 404", f"{part.label} 未記載 404"))


def paged(document: Document, options: Options) -> Iterator[Hit]:
    """`names`: a list is asked for in pages, by a parameter or body member of such a name that has a maximum."""
    for part in document.operations():
        if part.method not in {"get", "post"} or not _answers_list(document, part):
            continue
        given = dict(_limits(document, part, frozenset(options["names"])))
        if not given:
            yield Hit(
                part.at, Text(f"{part.label} answers with a list without a limit", f"{part.label} 回傳清單但無筆數上限")
            )
        elif not any(isinstance(schema.get("maximum"), int) for schema in given.values()):
            yield Hit(part.at, Text(f"{part.label}: the limit has no maximum", f"{part.label}：筆數參數未定最大值"))


def _answers_list(document: Document, operation: Part) -> bool:
    if operation.method == "post" and not operation.path.endswith(("/query", "/search")):
        return False
    for status, answer, at in document.answers(operation):
        for media, content in (answer.get("content") or {}).items():
            if not status.startswith("2") or "json" not in media or not isinstance(content, dict):
                continue
            top, _ = document.follow(content.get("schema"), (*at, "content", media, "schema"))
            if isinstance(top, dict) and _is_list(document, top):
                return True
    return False


def _is_list(document: Document, schema: Json) -> bool:
    items, _ = document.follow((schema.get("properties") or {}).get("items"), ())
    return schema.get("type") == "array" or (isinstance(items, dict) and items.get("type") == "array")


def _limits(document: Document, operation: Part, names: frozenset[str]) -> Iterator[tuple[str, Json]]:
    for parameter in document.parameters():
        if parameter.operation is operation.value and parameter.value.get("name") in names:
            yield str(parameter.value["name"]), document.follow(parameter.value.get("schema"), ())[0] or {}
    body, at = document.follow(operation.value.get("requestBody"), operation.at)
    for media, content in ((body or {}).get("content") or {}).items():
        for schema, _ in document.schema((content or {}).get("schema"), (*at, "content", media, "schema")):
            for name, inner in (schema.get("properties") or {}).items():
                if name in names:
                    yield name, document.follow(inner, ())[0] or {}


def dates(document: Document, options: Options) -> Iterator[Hit]:
    """`days` and `times` (patterns of names) have the formats date and date-time; `other` formats are refused."""
    days, times = re.compile(options["days"]), re.compile(options["times"])
    for part in [*document.properties(), *document.parameters()]:
        is_parameter = "in" in part.value and "schema" in part.value
        name = str(part.value.get("name", "")) if is_parameter else part.label
        schema, at = part.value, part.at
        if is_parameter:
            schema, at = document.follow(part.value["schema"], (*part.at, "schema"))
        if not isinstance(schema, dict) or "string" not in _types(schema) or "enum" in schema:
            continue
        wanted = "date-time" if times.search(name) else "date" if days.search(name) else ""
        if wanted and schema.get("format") not in {"date", "date-time"}:
            yield Hit(at, Text(f"{part.label} has no format {wanted}", f"{part.label} 未定 format: {wanted}"))


def _types(schema: Json) -> list[str]:
    named = schema.get("type")
    return [named] if isinstance(named, str) else list(named) if isinstance(named, list) else []


def secured(document: Document, options: Options) -> Iterator[Hit]:
    """Every operation says how callers prove who they are; `security: []` says that everybody may come."""
    whole = document.value.get("security")
    for part in document.operations():
        if part.value.get("security", whole) is None:
            yield Hit(part.at, Text(f"{part.label} names no security", f"{part.label} 未定安全機制"))


def https(document: Document, options: Options) -> Iterator[Hit]:
    """Servers are reached over TLS, or their address is relative."""
    servers = document.value.get("servers")
    for number, one in enumerate(servers if isinstance(servers, list) else ()):
        url = str(one.get("url", "")) if isinstance(one, dict) else ""
        if re.match(r"[a-z]+:", url) and not url.startswith("https://"):
            yield Hit(("servers", number, "url"), Text(url[:80], url[:80]))


CHECKS: dict[str, Check] = {
    "openapi-valid": structure.valid,
    "local-references": structure.local_references,
    "personal-in-address": personal.in_address,
    "present": present,
    "operation-ids": operation_ids,
    "described": described,
    "versioned": versioned,
    "paths": paths,
    "bodiless": bodiless,
    "problems": problems,
    "succeeds": succeeds,
    "not-found": not_found,
    "paged": paged,
    "dates": dates,
    "secured": secured,
    "https": https,
}
