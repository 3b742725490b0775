"""What cannot be read is the sender's fault: it is refused as such, and the log has no error of ours."""

from __future__ import annotations

import pytest
from django.core.exceptions import RequestDataTooBig
from django.test import Client, RequestFactory
from structlog.testing import capture_logs

from smartgov.site import refusals
from smartgov.site.middleware import Problems

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/signing/check", "/credentials/check"])
def test_a_form_without_its_boundary_is_no_failure_of_ours(path: str) -> None:
    with capture_logs() as said:
        answer = Client().post(path, b"x", content_type="multipart/form-data")
    assert answer.status_code == 400
    assert refusals.FOR_PEOPLE[refusals.MALFORMED].todo.zh in answer.content.decode()
    assert [(one["event"], one["log_level"]) for one in said] == [("request_unreadable", "info")]


def test_a_form_that_is_too_large_keeps_its_status() -> None:
    asked = RequestFactory().post("/api/x")
    answer = Problems(lambda _: pytest.fail("not asked")).process_exception(asked, RequestDataTooBig())
    assert answer is not None
    assert answer.status_code == 413
