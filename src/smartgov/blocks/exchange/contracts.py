"""OpenAPI documents of services: held to the published rules when they come in, kept as versions, found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from smartgov.blocks.exchange import refusals
from smartgov.blocks.exchange.models import Contract, Service
from smartgov.engines import apilint
from smartgov.engines.troad import contract as compiled
from smartgov.shared.text import Text

LONGEST_TITLE = 200
DOCUMENT = Text("The OpenAPI document", "OpenAPI 文件")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that may be registered: its digest, endpoints, and what the rules remark (warnings)."""

    document: bytes
    digest: str
    endpoints: tuple[str, ...]
    title: str
    title_zh: str
    version: str
    findings: list[dict[str, Any]]
    personal: bool
    related: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation with the request and answer that its document shows, as JSON in lines; empty where it shows none."""

    endpoint: str
    summary: Text | str
    request: str
    answer: str


@cache
def rules() -> apilint.Ruleset:
    """The published rules."""
    return apilint.read()


def check(document: bytes) -> list[dict[str, Any]]:
    """What the rules say of a document, in the order of its lines."""
    return [one.as_dict() for one in apilint.lint(document, rules())]


def accept(document: bytes) -> Accepted:
    """Hold a document to the rules; Problem `openapi-refused`, or `registration-invalid` if no gateway can use it."""
    digest = sha256(document).hexdigest()
    known = Contract.objects.filter(digest=digest).first()
    findings = known.findings if known else check(document)
    if any(one["severity"] == "error" for one in findings):
        raise refusals.document_refused(findings)
    try:
        endpoints = tuple(compiled.parse(document).endpoints)
    except ValueError as error:
        raise refusals.invalid(DOCUMENT, str(error)[:200]) from None
    value = apilint.Document.parse(document).value
    told = value.get("x-troad")
    ours = told if isinstance(told, dict) else {}
    return Accepted(
        document=document,
        digest=digest,
        endpoints=endpoints,
        title=str(value["info"]["title"])[:LONGEST_TITLE],
        title_zh=_chinese_title(ours),
        version=str(value["info"]["version"])[:60],
        findings=findings,
        personal=bool(ours.get("personal", True)),
        related=tuple(str(one) for one in ours.get("related") or ()),
    )


def keep(service: str, accepted: Accepted) -> None:
    """Keep the document as a version of the service."""
    Contract.objects.get_or_create(
        service_id=service,
        digest=accepted.digest,
        defaults={
            "document": accepted.document.decode(),
            "title": accepted.title,
            "title_zh": accepted.title_zh,
            "version": accepted.version,
            "findings": accepted.findings,
        },
    )


def in_force() -> dict[str, dict[str, bytes]]:
    """The documents that the members' gateways need now: member to digest to document."""
    found: dict[str, dict[str, bytes]] = {}
    offered = dict(Service.objects.filter(withdrawn_at=None).exclude(contract="").values_list("id", "contract"))
    for row in Contract.objects.filter(service__in=offered):
        if offered[row.service_id] == row.digest:
            member = row.service_id.rsplit("/", 2)[0]
            found.setdefault(member, {})[row.digest] = row.document.encode()
    return found


def fields_of(document: str) -> dict[str, Text]:
    """The fields that answers of a document may have, as rights name them: members of items, or of the object.

    Each with its title where the document gives one, else with an empty text.
    """
    try:
        parsed = apilint.Document.parse(document.encode())
    except ValueError:
        return {}
    found: dict[str, Text] = {}
    for operation in parsed.operations():
        for status, answer, at in parsed.answers(operation):
            for media, content in (answer.get("content") or {}).items():
                if status.startswith("2") and media == "application/json":
                    top, _ = parsed.follow(content.get("schema"), (*at, "content", media, "schema"))
                    found |= {name: _field_title(parsed, schema) for name, schema in _members(parsed, top).items()}
    return found


def _field_title(parsed: apilint.Document, schema: Any) -> Text:
    """What a field is called: in both languages where the document keeps the house's way (see `_is_paired`)."""
    value, _ = parsed.follow(schema, ())
    title, described = (_words(value, name) for name in ("title", "description"))
    return Text(title, described or title) if _is_paired(parsed) else Text.of(title)


def _words(value: Any, name: str) -> str:
    said = value.get(name) if isinstance(value, dict) else None
    return said.strip() if isinstance(said, str) else ""


def _is_paired(parsed: apilint.Document) -> bool:
    """Documents with a title in both languages have English titles and summaries, and Chinese descriptions."""
    ours = parsed.value.get("x-troad")
    return isinstance(ours, dict) and bool(_chinese_title(ours))


def examples_of(document: str) -> list[Shown]:
    """The operations of a document that show an example."""
    try:
        parsed = apilint.Document.parse(document.encode())
    except ValueError:
        return []
    found = []
    for operation in parsed.operations():
        body, _ = parsed.follow(operation.value.get("requestBody"), operation.at)
        answers = [answer for status, answer, _ in parsed.answers(operation) if status.startswith("2")]
        shown = [_example(part) for part in (body, *answers[:1])]
        if any(shown):
            endpoint = f"{operation.method.upper()} {operation.path}"
            summary, described = (_words(operation.value, name) for name in ("summary", "description"))
            paired = Text(summary, described or summary) if _is_paired(parsed) else f"{summary} {described}".strip()
            found.append(Shown(endpoint, paired, *[*shown, ""][:2]))
    return found


def _chinese_title(ours: Mapping[str, Any]) -> str:
    """The Chinese half of the pair that a document may give beside its own title (`x-troad: {title: {en, zh}}`)."""
    pair = ours.get("title")
    said = pair.get("zh") if isinstance(pair, dict) else None
    return said.strip()[:LONGEST_TITLE] if isinstance(said, str) else ""


def _example(part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    media = (content or {}).get("application/json") or {}
    if "example" in media:
        return json.dumps(media["example"], ensure_ascii=False, indent=2)
    named = media.get("examples")
    first = next(iter(named.values()), None) if isinstance(named, dict) else None
    value = first.get("value") if isinstance(first, dict) else None
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _members(parsed: apilint.Document, schema: Any) -> dict[str, Any]:
    named = schema.get("properties") if isinstance(schema, dict) else None
    items, _ = parsed.follow((named or {}).get("items"), ())
    if isinstance(items, dict) and items.get("type") == "array":
        row, _ = parsed.follow(items.get("items"), ())
        return dict((row or {}).get("properties") or {})
    return dict(named or {})
