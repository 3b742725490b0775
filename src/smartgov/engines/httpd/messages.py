"""Requests, answers and the rules that both the server and the client keep about header fields."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

MAX_BODY = 5 * 2**20
"""Bytes of one body, unless the caller of `serve` says otherwise."""
MAX_HEAD = 64 * 2**10
"""Bytes of a request line and all header fields together."""
SINGLE = frozenset({"authorization", "host", "content-length", "content-type", "signature", "signature-input"})
"""Fields on which a decision may rest. A message that repeats one is refused: readers could differ on which counts."""
SINGLE_PREFIXES = ("x-road-", "x-troad-", "troad-")
_encode = canonical.compact()
REASON = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One received request; header names are lower case and `peer_cert` is the DER of the TLS peer's certificate."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer_cert: bytes | None = None

    def json(self) -> Any:
        """The body read as JSON; anything else is a Problem `json-invalid`."""
        return read_json(self.body)

    def args(self) -> dict[str, str]:
        """The query as a mapping; of a repeated name the last value counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """One answer. From the client, `peer_cert` is the DER of the certificate that the answering server showed."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer_cert: bytes | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """`value` as compact UTF-8 JSON."""
        body = _encode(value).encode()
        return cls(status, {"content-type": "application/json", **(headers or {})}, body)

    @classmethod
    def problem(cls, problem: Problem, language: str = "zh-hant") -> Response:
        """`problem` as RFC 9457 problem details in `language`."""
        answer = cls.json(problem.as_dict(language), problem.status)
        answer.headers["content-type"] = "application/problem+json"
        answer.headers["content-language"] = "en" if language.lower().startswith("en") else "zh-Hant"
        return answer

    @classmethod
    def html(cls, text: str, status: int = 200) -> Response:
        """A page of HTML that no cache keeps and no frame shows."""
        headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", "x-frame-options": "DENY"}
        return cls(status, headers, text.encode())

    def parsed(self) -> Any:
        """The body read as JSON; anything else is a Problem `json-invalid`."""
        return read_json(self.body)


Handler = Callable[[Request], Awaitable[Response]]


class HeadRefusedError(ValueError):
    """A message head breaks a rule of this module; the text says which and repeats no value."""


def collect_headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields as a mapping. A repeated deciding field is refused; others are joined as RFC 9110 5.3 allows."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = _NAMES.get(raw_name) or _name(raw_name)
        value = raw_value.decode("latin-1").strip(" \t")
        if name not in found:
            found[name] = value
        elif name in SINGLE or name.startswith(SINGLE_PREFIXES):
            raise HeadRefusedError(f"the field {name} is repeated")
        else:
            found[name] = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}"
    return found


def render_headers(headers: dict[str, str]) -> str:
    """Header lines for the wire; a value with a line break is refused, so that no value can start another field."""
    whole = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if whole.count("\n") != len(headers) or whole.count("\r") != len(headers) or "\0" in whole:
        name = next(name for name, value in headers.items() if set(f"{name}{value}") & set("\r\n\0"))
        raise HeadRefusedError(f"the field {name!r} holds a line break")
    return whole


_SHORT, _MOST_NAMES = 40, 512
_NAMES: dict[bytes, str] = {}
"""Names that were seen, as they arrived: few, and few are long, so that a stranger cannot fill the memory."""


def _name(raw: bytes) -> str:
    name = raw.decode("latin-1").lower()
    if len(raw) <= _SHORT and len(_NAMES) < _MOST_NAMES:
        _NAMES[raw] = name
    return name


def read_json(body: bytes) -> Any:
    """`body` as JSON, or a Problem `json-invalid`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(
            "json-invalid",
            400,
            what=Text("The message is not valid JSON.", "訊息不是有效的 JSON。"),
            why=Text("Its body could not be read.", "無法讀取其內容。"),
            todo=Text("Send a JSON body in UTF-8.", "請以 UTF-8 編碼傳送 JSON。"),
        ) from None
