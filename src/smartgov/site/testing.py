"""A pytest plugin (`-p` in pyproject.toml): each run gets a home of its own, before Django reads its settings.

It logs as the product does: structlog's own default draws every traceback with its local variables, which costs
seconds each and would hide what the product writes. Hypothesis asserts no wall-clock time: machines are shared.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

os.environ.setdefault("SMARTGOV_HOME", tempfile.mkdtemp(prefix="smartgov-test-"))

from smartgov.shared import logs  # settings of the home come first

logs.configure("tests")
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that runs within a test may quieten the logs; the next test has them again."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
