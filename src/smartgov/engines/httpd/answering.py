"""What every serving connection shares: its limits of time, and how a handler's word becomes an answer."""

from __future__ import annotations

import structlog

from smartgov.engines.httpd.messages import Handler, Request, Response
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

log = structlog.get_logger()
IDLE_SECONDS = 75.0
"""A connection without a request for this long is closed."""
READ_SECONDS = 30.0
"""A request must arrive whole within this time, so that slow senders cannot hold connections."""
NEVER = float("inf")


async def answer(handler: Handler, request: Request) -> Response:
    """What `handler` says; a Problem becomes problem+json, anything else a 500 that tells the caller nothing inside."""
    try:
        return await handler(request)
    except Problem as problem:
        return Response.problem(problem, request.headers.get("accept-language", "zh-hant"))
    except Exception:
        log.exception("request_failed", method=request.method)
        return failed(request.headers.get("accept-language", "zh-hant"))


def failed(language: str = "zh-hant") -> Response:
    """The answer to a request that met an error of ours."""
    return Response.problem(_FAILED, language)


def malformed(status: int) -> Problem:
    """Why a message is refused before a handler sees it."""
    return Problem(
        "request-malformed",
        status,
        what=Text("The request could not be read.", "無法讀取此請求。"),
        why=Text("It breaks a rule of HTTP or a limit of this server.", "不符 HTTP 規則或超過伺服器限制。"),
        todo=Text("Correct it and send it again.", "請修正後重新傳送。"),
    )


_FAILED = Problem(
    "internal-error",
    500,
    what=Text("The service could not answer.", "服務無法回應。"),
    why=Text("It met an error that it has recorded.", "發生錯誤，已留下紀錄。"),
    todo=Text("Try again later; tell the operator if it stays.", "請稍後再試；若持續發生請通知維運人員。"),
)
