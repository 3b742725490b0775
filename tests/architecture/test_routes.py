"""Deny by default: no route without a declared permission, no operation without authentication."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from smartgov.site import machine
from tests.architecture.routes import Route, is_machine, walk

FOREIGN = ("language/",)  # Django's own language switch
# Signing in has to keep its challenge somewhere before anybody is known.
MAY_KEEP_STATE = {"identity"}


def pages() -> list[Route]:
    """Routes for browsers that are ours."""
    return [route for route in walk() if not is_machine(route) and not route.pattern.startswith(FOREIGN)]


def operations() -> list[tuple[str, Any]]:
    """Every operation of every API, with its path."""
    found = []
    for api in (machine.api, machine.troad):
        for _, router in api._routers:
            for path, view in router.path_operations.items():
                found += [(f"{api.title} {path}", operation) for operation in view.operations]
    return found


def test_there_is_something_to_walk() -> None:
    assert len(pages()) > 20
    assert len(operations()) > 5


@pytest.mark.parametrize("route", pages(), ids=lambda route: route.pattern)
def test_every_page_declares_who_may_see_it(route: Route) -> None:
    declared = getattr(route.view, "smartgov_permission", None) or getattr(route.view, "smartgov_public", None)
    assert declared, f"{route.pattern} has neither @permit nor @public"


@pytest.mark.parametrize(("path", "operation"), operations(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_operation_asks_who_calls(path: str, operation: Any) -> None:
    assert operation.auth_callbacks, f"{path} has no authentication"


@pytest.mark.django_db
@pytest.mark.parametrize("route", pages(), ids=lambda route: route.pattern)
def test_protected_pages_answer_strangers_with_sign_in_and_open_no_session(route: Route, client: Client) -> None:
    if route.parameters or getattr(route.view, "smartgov_public", None):
        pytest.skip("public, or needs an object (test_foreign_objects)")
    response = client.get("/" + route.pattern)
    assert response.status_code in (302, 401, 403, 405)
    if response.status_code == 302:
        assert response["Location"].startswith("/identity/")
    assert not client.session.get("_auth_user_id")


@pytest.mark.django_db
@pytest.mark.parametrize("route", pages(), ids=lambda route: route.pattern)
def test_public_pages_open_no_session(route: Route, client: Client) -> None:
    if route.parameters or not getattr(route.view, "smartgov_public", None):
        pytest.skip("protected, or needs an object")
    if route.namespace.rstrip(":") in MAY_KEEP_STATE:
        pytest.skip("keeps the challenge of a sign-in; nobody is signed in by it")
    client.get("/" + route.pattern)
    assert "smartgov_session_8000" not in client.cookies


def test_no_address_names_a_person() -> None:
    for route in walk():
        assert not route.parameters & {"national_id", "nid", "name", "email", "account"}, route.pattern
