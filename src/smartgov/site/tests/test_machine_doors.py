"""Doors for programs are answered before Django: as programs, whatever happens, and like the same doors within it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.ops.api import MachineDoor
from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import machine
from smartgov.shared.problems import Problem
from smartgov.site import machine_doors
from smartgov.site.machine_doors import MAX_BODY, MachineDoors

PATH = "/openid/jwks"


def _plainly(problem: Problem) -> Response:
    return Response.problem(problem, "en")


def ask(
    path: str = PATH, *, doors: dict[str, Any] | None = None, refuse: Any = _plainly, body: bytes = b"", **more: Any
) -> Any:
    """The status, headers and body that the application gives to a request."""
    said: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost:8000",
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    application = MachineDoors(lambda environ, start: [b"a page"])
    application._doors.update({path: MachineDoor(door, refuse) for path, door in (doors or {}).items()})
    content = b"".join(application(environ, lambda status, headers: said.extend((status, dict(headers)))))
    return (*said, content)


@pytest.mark.django_db
def test_a_door_answers_as_within_django() -> None:
    status, headers, content = ask()
    inside = Client().get(PATH)
    assert (status, json.loads(content)) == ("200 OK", inside.json())
    only_of_pages = {"content-language", "vary", "x-correlation-id", "x-frame-options"}
    within = {name.lower(): value for name, value in inside.items()}
    assert {name: headers.get(name) for name in within if name not in only_of_pages} == {
        name: value for name, value in within.items() if name not in only_of_pages
    }


def test_everything_else_is_a_page() -> None:
    assert ask("/")[-1] == b"a page"
    assert ask(f"{PATH}/")[-1] == b"a page"


@pytest.mark.django_db
def test_a_door_may_leave_it_to_a_page() -> None:
    assert ask(doors={PATH: lambda _: None})[-1] == b"a page"


def refused(answer: Any, status: str) -> None:
    assert answer[0].startswith(status)
    assert answer[1]["content-type"] == "application/json"
    assert json.loads(answer[2])["error"] == ("server_error" if status == "500" else "invalid_request")
    assert answer[1]["x-content-type-options"] == "nosniff"
    assert answer[1]["x-correlation-id"]


@pytest.mark.parametrize("host", ["evil.test", "", "localhost:8000@evil.test", "a b"])
def test_a_name_that_is_not_ours_is_refused(host: str) -> None:
    refused(ask(HTTP_HOST=host), "400")


@pytest.mark.django_db
def test_what_goes_wrong_is_told_in_one_form() -> None:
    refused(ask(doors={PATH: lambda _: 1 / 0}, refuse=machine.refused), "500")
    refused(ask(body=b"x" * (MAX_BODY + 1), CONTENT_LENGTH=str(MAX_BODY + 1)), "413")


def test_people_see_a_page_where_a_door_of_theirs_is_asked_wrongly() -> None:
    assert ask("/openid/authorize", QUERY_STRING="request_uri=%00")[-1] == b"a page"
    assert ask("/openid/authorize", HTTP_HOST="evil.test")[-1] == b"a page"
    assert (
        ask("/openid/authorize", doors={"/openid/authorize": lambda _: 1 / 0}, refuse=lambda _: None)[-1] == b"a page"
    )


@pytest.mark.django_db
def test_a_door_sees_what_was_sent() -> None:
    seen: list[Request] = []

    def door(request: Request) -> Response:
        seen.append(request)
        return Response(204, {"cache-control": "public"})

    more = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "text/x", "HTTP_DPOP": "c", "QUERY_STRING": "a=b"}
    status, headers, _ = ask(
        "/p", doors={"/p": door}, body=b"in", CONTENT_LENGTH="2", HTTP_X_CORRELATION_ID="k" * 99, **more
    )
    (one,) = seen
    assert (one.method, one.path, one.query, one.body) == ("POST", "/p", "a=b", b"in")
    assert (one.headers["content-type"], one.headers["dpop"]) == ("text/x", "c")
    assert (status, headers["cache-control"], headers["x-correlation-id"]) == ("204 No Content", "public", "k" * 64)


def test_doors_are_the_blocks_own() -> None:
    assert {PATH, "/openid/token", "/openid/par"} <= set(machine_doors.doors())
