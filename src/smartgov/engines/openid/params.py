"""Strict reading of what arrives: forms, queries, JSON members, scopes, numbers, addresses."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from smartgov.engines.openid.errors import invalid

MAX_BYTES = 64 * 1024
MAX_VALUE = 32 * 1024
MAX_COUNT = 60
# RFC 6749 appendix A: VSCHAR, and what a scope token and a PKCE verifier may hold (RFC 7636 4.1).
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def form(raw: bytes | str) -> dict[str, str]:
    """The parameters of a form body or a query. A repeated name is refused, an empty value is as if it were absent."""
    if isinstance(raw, bytes):
        try:
            text = raw.decode("ascii")
        except UnicodeDecodeError:
            raise invalid("parameters are percent-encoded ASCII") from None
    else:
        text = raw
    if len(text) > MAX_BYTES:
        raise invalid("the request is too large")
    found: dict[str, str] = {}
    parts = [part for part in text.split("&") if part]
    if len(parts) > MAX_COUNT:
        raise invalid("there are too many parameters")
    for part in parts:
        name, _, value = part.partition("=")
        name, value = _decoded(name), _decoded(value)
        if name in found:
            raise invalid("a parameter is repeated")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def _decoded(text: str) -> str:
    value = text if "%" not in text and "+" not in text and text.isascii() else _unquoted(text)
    if len(value) > MAX_VALUE or "\x00" in value:
        raise invalid("a parameter is too long or holds a null character")
    return value


def _unquoted(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise invalid("a parameter is not UTF-8") from None


def only_one(given: dict[str, str], name: str) -> str:
    """A parameter that must be there."""
    value = given.get(name)
    if not value:
        raise invalid(f"{name} is missing")
    return value


def visible(value: str, name: str, limit: int = 1000) -> str:
    """A value of printable ASCII (state, nonce, ids)."""
    if len(value) > limit or not _VISIBLE.fullmatch(value):
        raise invalid(f"{name} is too long or holds a character that it may not")
    return value


def scope(value: str) -> tuple[str, ...]:
    """The scope tokens in the order given, each once (RFC 6749 section 3.3)."""
    tokens = value.split(" ")
    if not all(_SCOPE_TOKEN.fullmatch(token) for token in tokens):
        raise invalid("scope is not a list of tokens with one space between")
    return tuple(dict.fromkeys(tokens))


def words(value: str, name: str) -> tuple[str, ...]:
    """A space-separated list such as `prompt` or `acr_values`."""
    return tuple(dict.fromkeys(visible(value, name).split()))


def number(value: str, name: str) -> int:
    """A whole number of seconds, from zero."""
    if not _NUMBER.fullmatch(value):
        raise invalid(f"{name} is not a whole number")
    return int(value)


def challenge(value: str) -> str:
    """A PKCE S256 challenge: 43 characters of base64url."""
    if not _CHALLENGE.fullmatch(value):
        raise invalid("code_challenge is not the base64url of a SHA-256")
    return value


def is_verifier(value: str) -> bool:
    """Whether `value` has the form of a PKCE verifier."""
    return bool(_VERIFIER.fullmatch(value))


def json_value(value: str | bytes, name: str) -> Any:
    """A JSON value; repeated members, NaN and depths that exhaust the reader are refused."""
    try:
        return json.loads(value, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid(f"{name} is not JSON") from None


def json_object(value: str | bytes, name: str) -> dict[str, Any]:
    """A JSON object."""
    found = json_value(value, name)
    if not isinstance(found, dict):
        raise invalid(f"{name} is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is repeated")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def is_web_address(value: str, *, loopback: bool = False) -> bool:
    """Whether `value` is an absolute https address without fragment, user or odd characters.

    With `loopback` also http on this machine, which is for development only.
    """
    if not _VISIBLE.fullmatch(value) or " " in value or "\\" in value or "*" in value or len(value) > 2000:
        return False
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not parts.hostname or parts.fragment or "#" in value or "@" in parts.netloc or not port_ok:
        return False
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and host in LOOPBACK)


def quoted(value: str) -> str:
    """A value for a query."""
    return quote(value, safe="")
