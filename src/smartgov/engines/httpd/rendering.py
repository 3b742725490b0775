"""A request and an answer as HTTP/1.1 carries them."""

from __future__ import annotations

import re
import time
from email.utils import formatdate

import structlog

from smartgov.engines.httpd.answering import failed
from smartgov.engines.httpd.messages import REASON, HeadRefusedError, Request, Response, render_headers

log = structlog.get_logger()
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_BROKEN = re.compile(r"[ \r\n\0]")


def render(response: Response, *, keep: bool, head_only: bool = False) -> bytes:
    """The bytes of an answer."""
    try:
        fields = render_headers(response.headers)
    except HeadRefusedError:
        log.exception("response_refused")
        response = failed()
        fields = render_headers(response.headers)
    status, body = response.status, response.body
    bare = status in {204, 304}
    length = "" if bare else f"content-length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status} {REASON.get(status, 'Unknown')}\r\n{fields}{length}{_tail(keep=keep)}"
    return head.encode("latin-1") + (b"" if head_only or bare else body)


def render_request(message: Request) -> bytes:
    """The bytes of a request; ValueError when its first line would not be one."""
    target = f"{message.path}?{message.query}" if message.query else message.path
    if _BROKEN.search(target) or _BROKEN.search(message.method):
        raise ValueError("method or target holds a space or line break")
    body = message.body
    length = f"content-length: {len(body)}\r\n" if body or message.method in _WITH_BODY else ""
    head = f"{message.method} {target} HTTP/1.1\r\n{render_headers(message.headers)}{length}\r\n"
    return head.encode("latin-1") + body


def _tail(*, keep: bool) -> str:
    closing = "" if keep else "connection: close\r\n"
    return f"date: {_date()}\r\n{closing}\r\n"


_dated: tuple[int, str] = (0, "")


def _date() -> str:
    global _dated
    second = int(time.time())
    if _dated[0] != second:
        _dated = (second, formatdate(second, usegmt=True))
    return _dated[1]
