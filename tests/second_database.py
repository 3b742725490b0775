"""A pytest plugin (`-p tests.second_database`): of all tests, those alone that may come to a database.

pytest-django refuses every query of a test that did not ask for the database: such a test cannot tell which one it is,
and proves the same on each. Kept are also tests with processes of their own, and those that come to it without Django.
`tests/architecture/test_second_run.py` holds this to what the tests really do.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

_FIXTURES = {"db", "transactional_db", "live_server"}
_WITHOUT_DJANGO = re.compile(r"SMARTGOV_DATABASE_URL|psycopg|in_postgresql")


def may_touch(item: pytest.Item) -> bool:
    """Whether the test may come to a database: through Django, in a process of its own, or by itself."""
    marked = any(item.get_closest_marker(name) for name in ("django_db", "process"))
    asked = _FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(marked or asked or says_so(item.path))


@cache
def says_so(path: Path) -> bool:
    """Whether a file of tests names a database that it reaches without Django."""
    return bool(_WITHOUT_DJANGO.search(path.read_text()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the others; they are counted as deselected."""
    config.hook.pytest_deselected(items=[item for item in items if not may_touch(item)])
    items[:] = [item for item in items if may_touch(item)]
