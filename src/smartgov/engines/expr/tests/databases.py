"""The databases that translated expressions are asked in: each gives a function that answers a query with its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import psycopg
import pytest

from smartgov.shared import settings

Ask = Callable[[str], list[tuple[Any, ...]]]


@contextmanager
def in_duckdb() -> Iterator[Ask]:
    """One of its own, in memory."""
    with duckdb.connect() as base:
        yield lambda query: base.execute(query).fetchall()


@contextmanager
def in_postgresql() -> Iterator[Ask]:
    """The suite's own; NOT RUN where it has none."""
    url = settings.get("SMARTGOV_DATABASE_URL")
    if not url.startswith("postgres"):
        pytest.skip("NOT RUN: the suite has no PostgreSQL")
    with psycopg.connect(url, autocommit=True) as base:
        yield lambda query: base.execute(query).fetchall()  # type: ignore[call-overload]
