"""Who passes: roles, seats, programs of our own pages; deny by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from smartgov.blocks.identity import api
from smartgov.blocks.identity.tests.factories import a_person, a_seat, signed_in_citizen, signed_in_officer
from smartgov.blocks.ops import access
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.django_db


def request_of(browser: Client) -> HttpRequest:
    """A request as this browser would send it, with its session."""
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.sessions.middleware import SessionMiddleware

    made = RequestFactory().get("/somewhere")
    made.COOKIES.update({name: morsel.value for name, morsel in browser.cookies.items()})
    for middleware in (SessionMiddleware, AuthenticationMiddleware):
        middleware(lambda _: HttpResponse()).process_request(made)
    return made


def door(permission: str) -> Callable[..., Any]:
    @api.permit(permission)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("inside")

    return view


def test_a_citizen_passes_a_citizens_door_and_no_officers() -> None:
    browser = signed_in_citizen()
    assert door("services.apply")(request_of(browser)).content == b"inside"
    with pytest.raises(Problem, match="permission-missing"):
        door("cases.decide")(request_of(browser))


def test_an_officer_passes_by_the_role_of_the_present_seat() -> None:
    browser = signed_in_officer("ris", "case_officer")
    assert door("cases.decide")(request_of(browser)).content == b"inside"
    with pytest.raises(Problem, match="permission-missing"):
        door("payments.release")(request_of(browser))


def test_an_unknown_permission_opens_nothing() -> None:
    for browser in (signed_in_citizen(), signed_in_officer("ris", "case_officer")):
        with pytest.raises(Problem, match="permission-missing"):
            door("cases.everything")(request_of(browser))


def test_without_a_gate_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in_citizen()
    monkeypatch.setattr(access, "_gate", [])
    with pytest.raises(Problem, match="gate-missing"):
        door("services.apply")(request_of(browser))


def test_doors_say_what_they_ask() -> None:
    assert door("cases.work").smartgov_permission == "cases.work"  # type: ignore[attr-defined]
    assert api.public("a reason")(lambda request: HttpResponse()).smartgov_public == "a reason"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="reason"):
        api.public(" ")


def test_actors_are_citizens_officers_or_the_public() -> None:
    subject = a_person()
    citizen = api.actor(request_of(signed_in_citizen(subject)))
    assert (citizen.kind, citizen.subject, citizen.assurance) == ("citizen", subject, 2)
    officer = api.actor(request_of(signed_in_officer("ris", "case_officer", subject)))
    assert (officer.kind, officer.subject, officer.agency) == ("officer", None, "ris")
    assert officer.seat is not None
    assert api.person_of_seat(officer.seat) == subject
    assert api.actor(request_of(Client())).kind == "public"


def test_the_menu_and_the_frame_follow_the_person() -> None:
    stranger = request_of(Client())
    assert (api.may(stranger, ""), api.may(stranger, "services.apply"), api.person(stranger)) == (True, False, None)
    subject = a_person("林美玲")
    a_seat("ris", "auditor", subject)
    request = request_of(signed_in_citizen(subject))
    person = api.person(request)
    assert person is not None
    assert (person.name, person.seat, person.has_seats) == ("林美玲", None, True)
    assert (api.may(request, "services.apply"), api.may(request, "audit.view")) == (True, False)


def test_programs_of_our_own_pages_are_asked_the_same() -> None:
    auth = api.SessionAuth("cases.work")
    assert auth.smartgov_permission == "cases.work"
    assert auth.authenticate(request_of(Client()), None) is None
    with pytest.raises(Problem, match="permission-missing"):
        auth.authenticate(request_of(signed_in_citizen()), "key")
    actor = auth.authenticate(request_of(signed_in_officer("ris", "case_officer")), "key")
    assert actor is not None
    assert actor.agency == "ris"


def test_a_scripts_request_needs_the_forgery_token() -> None:
    auth = api.SessionAuth("services.apply")
    request = request_of(signed_in_citizen())
    request.method = "POST"
    request._dont_enforce_csrf_checks = False  # type: ignore[attr-defined]
    with pytest.raises(Problem, match="csrf-token-missing"):
        auth(request)
