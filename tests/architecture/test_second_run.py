"""The run on the second database leaves out what cannot tell databases apart, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

from tests.architecture.test_both_databases import second_run
from tests.second_database import may_touch, says_so

ROOT = Path(__file__).parents[2]
_STARTS = re.compile(r"\bsubprocess\b|\bPopen\b|\bos\.fork\b")
_WITHOUT_OURS = 'startswith("SMARTGOV_")'


def test_who_did_not_ask_for_a_database_has_none_and_is_left_out(request: pytest.FixtureRequest) -> None:
    assert not may_touch(request.node)
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


@pytest.mark.django_db
def test_who_asked_by_a_mark_runs_again(request: pytest.FixtureRequest) -> None:
    assert may_touch(request.node)


@pytest.mark.usefixtures("db")
def test_who_asked_by_a_fixture_runs_again(request: pytest.FixtureRequest) -> None:
    assert may_touch(request.node)


@pytest.mark.process
def test_who_starts_processes_runs_again(request: pytest.FixtureRequest) -> None:
    assert may_touch(request.node)


def test_whoever_starts_a_process_is_marked_or_keeps_the_suites_settings_from_it() -> None:
    found = [path for folder in second_run() for path in (ROOT / folder).rglob("test_*.py")]
    starting = [path for path in found if _STARTS.search(path.read_text()) and not says_so(path)]
    assert len(starting) > 5
    unmarked = [path for path in starting if "pytest.mark.process" not in path.read_text()]
    assert [path for path in unmarked if _WITHOUT_OURS not in path.read_text()] == []
