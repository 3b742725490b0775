"""Structured logs: one JSON object a line, event names in `noun_verb_past`, a correlation id, no personal data."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, WrappedLogger

from smartgov.shared import settings
from smartgov.shared.tw import national_id


def configure(process: str, least: int = logging.DEBUG) -> None:
    """Send this process's logs, from the level `least` on, to standard error as JSON lines that name it."""
    level = max(least, getattr(logging, settings.get("SMARTGOV_LOG_LEVEL").upper()))
    logging.basicConfig(stream=sys.stderr, level=max(level, logging.WARNING), format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the local variables, which hold the data of whoever the request was about.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
            mask_persons,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # the one of now, should it be replaced
    )
    structlog.contextvars.bind_contextvars(process=process)


def quieten() -> None:
    """Of a command that speaks for itself, only errors."""
    configure("command", logging.ERROR)


def mask_persons(logger: WrappedLogger, method: str, line: str | bytes | EventDict) -> str:
    """The rendered line with every national id covered: the text of an unforeseen error may repeat one."""
    return national_id.FINDER.sub("[national id]", str(line))
