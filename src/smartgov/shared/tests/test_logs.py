"""No person in a log line, whatever went wrong."""

from __future__ import annotations

import json

import pytest
import structlog

from smartgov.shared import logs
from smartgov.shared.tw import national_id

NID = national_id.make(3, 2)


@pytest.fixture(autouse=True)
def _configured():
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)
    structlog.contextvars.clear_contextvars()


def test_an_error_is_logged_without_the_persons_it_was_about(capsys):
    logs.configure("tests")
    asked_for, name = NID, "林美玲"
    try:
        raise KeyError(asked_for)
    except KeyError:
        structlog.get_logger().exception("request_failed", about=name[:0])
    line = capsys.readouterr().err.strip().splitlines()[-1]
    said = json.loads(line)
    assert (said["event"], said["process"]) == ("request_failed", "tests")
    assert said["exception"][0]["exc_type"] == "KeyError"
    for personal in (NID, "林美玲"):
        assert personal not in line
