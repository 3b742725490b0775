"""A blocking client with one kept connection a thread and server, for web processes, scripts and tests."""

from __future__ import annotations

import http.client
import select
import threading
import time
from urllib.parse import urlsplit

from smartgov.engines.httpd.client import IDEMPOTENT, IDLE_SECONDS
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.httpd.messages import Response

_local = threading.local()


def request(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 20,
    *,
    idempotent: bool | None = None,
) -> Response:
    """Send one request and return the answer, whatever its status; only plain HTTP, meant for loopback.

    Raises ConnectionFailedError (an OSError) or TimeoutError. A request that died on a reused connection is sent once
    more if it is `idempotent` (default: by its method).
    """
    parts = urlsplit(url)
    if parts.scheme != "http":
        raise ValueError("the blocking client speaks plain HTTP only")
    key = (parts.hostname or "", parts.port or 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    again = method in IDEMPOTENT if idempotent is None else idempotent
    connection, reused = _connection(key, timeout)
    try:
        return _exchange(connection, method, target, headers or {}, body)
    except TimeoutError:
        _drop(key)
        raise
    except (OSError, http.client.HTTPException) as error:
        _drop(key)
        if not (reused and again):
            raise ConnectionFailedError(f"{key[0]}:{key[1]} did not answer: {type(error).__name__}") from error
    connection, _ = _connection(key, timeout)
    try:
        return _exchange(connection, method, target, headers or {}, body)
    except (OSError, http.client.HTTPException) as error:
        _drop(key)
        if isinstance(error, TimeoutError):
            raise
        raise ConnectionFailedError(f"{key[0]}:{key[1]} did not answer: {type(error).__name__}") from error


def close() -> None:
    """Close the connections that this thread keeps."""
    for key in list(_pool()):
        _drop(key)


def _pool() -> dict[tuple[str, int], tuple[http.client.HTTPConnection, float]]:
    if not hasattr(_local, "pool"):
        _local.pool = {}
    pool: dict[tuple[str, int], tuple[http.client.HTTPConnection, float]] = _local.pool
    return pool


def _connection(key: tuple[str, int], timeout: float) -> tuple[http.client.HTTPConnection, bool]:
    kept = _pool().get(key)
    if kept is not None and time.monotonic() - kept[1] < IDLE_SECONDS and _is_quiet(kept[0]):
        if kept[0].sock is not None:
            kept[0].sock.settimeout(timeout)
        return kept[0], True
    _drop(key)
    return http.client.HTTPConnection(key[0], key[1], timeout=timeout), False


def _is_quiet(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection still stands: one that has something to read was closed by the server."""
    if connection.sock is None:
        return False
    watch = select.poll()
    watch.register(connection.sock, select.POLLIN)
    return not watch.poll(0)


def _exchange(
    connection: http.client.HTTPConnection, method: str, target: str, headers: dict[str, str], body: bytes
) -> Response:
    key = (connection.host, connection.port)
    data = body if body or method in {"POST", "PUT", "PATCH"} else None
    connection.request(method, target, body=data, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.will_close:
        _drop(key)
        connection.close()
    else:
        _pool()[key] = (connection, time.monotonic())
    return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)


def _drop(key: tuple[str, int]) -> None:
    kept = _pool().pop(key, None)
    if kept is not None:
        kept[0].close()
