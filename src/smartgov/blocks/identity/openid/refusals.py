"""What people are told when a relying party's request cannot be believed; the party is told nothing."""

from __future__ import annotations

import structlog

from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

logger = structlog.get_logger()
_TODO = Text("Go back to the service and start again there.", "請回到原服務，重新開始。")
_WHY = {
    "client": Text("The service is not registered or not active here.", "該服務未在此登錄或未啟用。"),
    "redirect": Text("The answer would go to an address that is not registered.", "回傳網址並非該服務所登錄。"),
    "request": Text("The request is not valid, was used before, or has expired.", "請求無效、已使用過，或已逾時。"),
}


def not_believed(error: NotAnsweredToClientError) -> Problem:
    """A request that names no client of ours, or would lead the answer elsewhere."""
    logger.info("openid_not_believed", reason=error.code, description=error.description)
    return Problem(
        "openid-request-refused",
        400,
        what=Text("This request to sign in cannot be accepted.", "無法接受這個登入請求。"),
        why=_WHY[error.code],
        todo=_TODO,
    )


def over() -> Problem:
    """A request that was answered before, has expired, or belongs to another browser."""
    return Problem(
        "openid-request-over",
        410,
        what=Text("This request to sign in is over.", "這個登入請求已經結束。"),
        why=Text(
            "It was answered before, took longer than ten minutes, or began in another browser.",
            "已經回應過、超過十分鐘，或由其他瀏覽器開始。",
        ),
        todo=_TODO,
    )
