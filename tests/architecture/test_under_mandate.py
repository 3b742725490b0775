"""Whoever acts for another meets a closed door at every page that touches accounts, means, seats or mandates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from smartgov.blocks.identity.tests.factories import SEEDER, a_national_id, a_person, signed_in_citizen
from smartgov.blocks.mandates import api, catalogue
from smartgov.blocks.mandates.tests.factories import Family, a_family, gives, registers
from smartgov.blocks.notify import api as notify
from smartgov.shared.actor import Actor
from tests.architecture.routes import Route
from tests.architecture.test_routes import PROTECTED, address, label

pytestmark = pytest.mark.django_db
NEVER = ("identity.", "mandates.")


def permission(route: Route) -> str:
    """What a route asks for; empty for whoever is signed in."""
    return str(getattr(route.view, "smartgov_permission", "") or "")


@pytest.fixture
def acting() -> Iterator[tuple[Client, frozenset[str]]]:
    """A mother who acts for her child, and what the mandate reaches."""
    family: Family = a_family()
    with registers(family):
        api.draw(actor=family.actor)
        (view,) = api.views(actor=family.actor)
        browser = signed_in_citizen(family.mother)
        assert browser.post(f"/mandates/{view.id}/act").status_code == 302
        reached = [catalogue.known().scopes[code].permissions for code in catalogue.known().kinds["parent"].scope]
        yield browser, frozenset().union(*reached)


def test_every_page_that_the_mandate_does_not_reach_is_closed(acting: tuple[Client, frozenset[str]]) -> None:
    browser, reached = acting
    closed = [route for route in PROTECTED if permission(route) and permission(route) not in reached]
    assert {permission(route) for route in closed} >= {"identity.account", "mandates.hold", "identity.parties"}
    for route in closed:
        for method in ("get", "post"):
            answer = getattr(browser, method)(address(route))
            assert answer.status_code in (403, 405), f"{method} {label(route)} answers {answer.status_code}"


def test_no_page_of_accounts_or_mandates_is_open_to_whoever_is_signed_in() -> None:
    bare = {label(route) for route in PROTECTED if not permission(route)}
    assert not [name for name in bare if name.startswith(("identity:account", "mandates:"))]
    for scope in catalogue.known().scopes.values():
        assert not [name for name in scope.permissions if name.startswith(NEVER)], scope.code


def test_a_public_page_changes_nothing_of_the_account_either(acting: tuple[Client, frozenset[str]]) -> None:
    """Taking a seat, or another mandate on top, is not among what is open to everybody."""
    browser, _ = acting
    assert browser.post("/identity/seat", {"seat": "x"}).status_code in (403, 404)
    assert "陳小安" in browser.get("/").content.decode(), "she still acts for the child"


@pytest.mark.parametrize(("scope", "sees"), [(("applications", "messages"), True), (("applications",), False)])
def test_the_first_page_shows_what_the_mandate_reaches_and_nothing_once_it_is_over(
    scope: tuple[str, ...], sees: bool
) -> None:
    """It is open to everybody, so it has to look for itself."""
    number, giver = a_national_id(), Actor("citizen", subject=a_person("王大明"), assurance=2)
    told = {"reference": "B-7K3M9Q", "agency": "戶政司", "ask": "哪個病房？", "due": "2026-12-01"}
    notify.send(actor=SEEDER, subject=giver.subject or "", template="supplement_asked", context=told)
    proxy = Actor("citizen", subject=a_person("林志明", nid=number), assurance=2)
    mandate = gives(giver, number, "林志明", scope=scope)
    api.accept(actor=proxy, mandate=mandate)
    browser = signed_in_citizen(proxy.subject)
    assert "哪個病房" not in browser.get("/").content.decode(), "as himself he sees his own"
    assert browser.post(f"/mandates/{mandate}/act").status_code == 302
    page = browser.get("/").content.decode()
    assert "王大明的服務牆" in page
    assert "申請案件" in page
    assert ("哪個病房" in page) is sees
    assert "/mydata/consents/" in page
    assert 'card-link" href="/mydata/"' not in page, "whose data was looked at is beyond this mandate"
    api.end(actor=giver, mandate=mandate)
    page = browser.get("/").content.decode()
    for gone in ("哪個病房", "申請案件", "電子證明"):
        assert gone not in page, gone
