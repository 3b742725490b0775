"""An answer as HTTP/1.1 carries it."""

from __future__ import annotations

import time
from email.utils import formatdate

import structlog

from smartgov.engines.httpd.answering import failed
from smartgov.engines.httpd.messages import REASON, HeadRefusedError, Response, render_headers

log = structlog.get_logger()


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
