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


def malformed(status: int, limit: int | None = None) -> Problem:
    """Why a message is refused before a handler sees it; `limit` is the number of bytes that it went beyond."""
    if limit is not None:
        return (_too_large if status == 413 else _head_too_large)(limit)
    return Problem(
        "request-malformed",
        status,
        what=Text("The request could not be read.", "無法讀取此請求。"),
        why=Text("It breaks a rule of HTTP.", "不符 HTTP 規則。"),
        todo=Text("Correct it and send it again.", "請修正後重新傳送。"),
    )


def _too_large(limit: int) -> Problem:
    return Problem(
        "body-too-large",
        413,
        what=Text("The message is larger than the service allows.", "訊息超過服務允許的大小。"),
        why=Text(
            f"Its body may have at most {limit} bytes; nothing of it was looked at.",
            f"內容最多 {limit} 位元組；伺服器未處理此訊息。",
        ),
        todo=Text(
            "Send less, in several messages; or ask the operator of this server for a higher limit.",
            "請減少內容或分次傳送；或洽此伺服器的維運人員提高上限。",
        ),
        limit=limit,
    )


def _head_too_large(limit: int) -> Problem:
    return Problem(
        "head-too-large",
        431,
        what=Text("The head of the request is larger than this server takes.", "請求標頭超過伺服器可接收的大小。"),
        why=Text(
            f"Address and header fields may have at most {limit} bytes together.",
            f"位址與標頭欄位合計最多 {limit} 位元組。",
        ),
        todo=Text(
            "Send fewer or shorter fields; what is long belongs into the body.",
            "請縮短欄位，較長的資料請放在內容中。",
        ),
        limit=limit,
    )


_FAILED = Problem(
    "internal-error",
    500,
    what=Text("The service could not answer.", "服務無法回應。"),
    why=Text("It met an error that it has recorded.", "發生錯誤，已留下紀錄。"),
    todo=Text("Try again later; tell the operator if it stays.", "請稍後再試；若持續發生請通知維運人員。"),
)
