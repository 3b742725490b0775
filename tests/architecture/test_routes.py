"""Deny by default: no route without a declared permission, no operation without authentication."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client

from tests.architecture.routes import FOREIGN, Operation, Route, is_machine, operations, walk

# Signing in has to keep its challenge somewhere before anybody is known: a session that belongs to nobody.
KEEP_A_CHALLENGE = {"identity:mobile-begin", "identity:passkey-options"}


def pages() -> list[Route]:
    """Routes for browsers that are ours."""
    return [route for route in walk() if not is_machine(route) and not route.pattern.startswith(FOREIGN)]


def is_public(route: Route) -> bool:
    """Whether everybody may come."""
    return bool(getattr(route.view, "smartgov_public", None))


def label(route: Route) -> str:
    """The full name of a route."""
    return f"{route.namespace}{route.name}"


def address(route: Route) -> str:
    """A path of the route, with made-up values for its parameters."""
    made_up = {"uuid": "01990000-0000-7000-8000-000000000000", "int": "7"}
    path = route.pattern
    for name in route.parameters:
        for converter in ("str", "slug", "uuid", "int"):
            path = path.replace(f"<{converter}:{name}>", made_up.get(converter, "x"))
    assert "<" not in path
    return f"/{path}"


PROTECTED = [route for route in pages() if not is_public(route)]
PUBLIC = [route for route in pages() if is_public(route)]


def test_there_is_something_to_walk() -> None:
    assert len(PROTECTED) > 20
    assert len(PUBLIC) > 8
    assert len(operations()) > 5
    assert {label(route) for route in PUBLIC} >= KEEP_A_CHALLENGE


@pytest.mark.parametrize("route", pages(), ids=label)
def test_every_page_declares_who_may_see_it(route: Route) -> None:
    declared = getattr(route.view, "smartgov_permission", None) or getattr(route.view, "smartgov_public", None)
    assert declared, f"{route.pattern} has neither @permit nor @public"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", PROTECTED, ids=label)
def test_protected_pages_send_strangers_to_sign_in_and_open_no_session(
    route: Route, method: str, client: Client
) -> None:
    response = getattr(client, method)(address(route))
    assert response.status_code in (302, 405)
    if response.status_code == 302:
        assert response["Location"].startswith("/identity/sign-in")
    assert nobody_is_signed_in()
    assert not Session.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", PUBLIC, ids=label)
def test_public_pages_sign_nobody_in(route: Route, method: str, client: Client) -> None:
    response = getattr(client, method)(address(route))
    assert response.status_code != 500
    assert nobody_is_signed_in()
    if label(route) not in KEEP_A_CHALLENGE:
        assert not Session.objects.exists()
        assert settings.SESSION_COOKIE_NAME not in client.cookies


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_every_operation_asks_who_calls(operation: Operation) -> None:
    assert operation.view.auth_callbacks, f"{operation.label} has no authentication"


@pytest.mark.django_db
@pytest.mark.parametrize("credential", [None, "Bearer guess", "Basic Og=="])
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_every_operation_refuses_strangers(
    operation: Operation, credential: str | None, client: Client, gateways: None
) -> None:
    headers: dict[str, Any] = {"Authorization": credential} if credential else {}
    answer = client.generic(
        operation.method, operation.address(), "{}", content_type="application/json", headers=headers
    )
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "todo"} <= set(answer.json())
    assert not Session.objects.exists()


def nobody_is_signed_in() -> bool:
    """Whether no session belongs to a person (`client.session` would open one)."""
    return not any(session.get_decoded().get(SESSION_KEY) for session in Session.objects.all())


def test_no_address_names_a_person() -> None:
    for route in walk():
        assert not route.parameters & {"national_id", "nid", "name", "email", "account"}, route.pattern
    for operation in operations():
        assert not operation.parameters & {"national_id", "nid", "name", "email", "account"}, operation.label
