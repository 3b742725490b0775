"""Ask several others at once, and wait for none of them longer than one limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Silent(Exception):
    """The other side had not answered when the limit ended."""


def together(tasks: Mapping[K, Callable[[], T]], *, limit_s: float, width: int = 16) -> dict[K, T | Exception]:
    """Run all tasks at the same time; each key gets the result, the exception raised, or Silent.

    A task that is late keeps its thread until its own time limit ends; nobody waits for it. Tasks see the caller's
    context variables (correlation id, moved clock).
    """
    if not tasks:
        return {}
    pool = ThreadPoolExecutor(max_workers=min(width, len(tasks)))
    futures = {key: pool.submit(copy_context().run, task) for key, task in tasks.items()}
    wait(futures.values(), timeout=limit_s)
    pool.shutdown(wait=False, cancel_futures=True)
    results: dict[K, T | Exception] = {}
    for key, future in futures.items():
        if not future.done() or future.cancelled():
            results[key] = Silent()
        elif (error := future.exception()) is None:
            results[key] = future.result()
        elif isinstance(error, Exception):
            results[key] = error
        else:
            raise error
    return results
