"""A form that is sent twice, and a form's own address that is opened: nothing happens twice, and no page is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.audit.api import Entry
from smartgov.blocks.exchange.models import Right, RightRequest
from smartgov.blocks.exchange.tests.forms import ENGLISH, PEOPLE, tables, wish
from smartgov.blocks.identity.tests.factories import signed_in_officer
from smartgov.shared import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_on_the_road")]


def asked(ris: Client, nhi: Client) -> str:
    tables(ris)
    address: str = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish())["Location"]
    return address


def grant(days: int = 30, **changed: Any) -> dict[str, Any]:
    until = (clock.today() + timedelta(days=days)).isoformat()
    parts = {"endpoints": ["POST /people/query"], "has_fields": "yes", "fields": ["name"]}
    return {"do": "grant", "until": until, **parts, **changed}


def noted(action: str) -> int:
    return Entry.objects.filter(action=action).count()


def test_a_request_granted_twice_is_granted_once(ris: Client, nhi: Client) -> None:
    address = asked(ris, nhi)
    for _ in range(2):
        assert ris.post(address, grant()).status_code == 302
    assert (Right.objects.count(), noted("exchange.request_granted")) == (1, 1)
    other = ris.post(address, grant(days=40), headers=ENGLISH)
    assert other.status_code == 409
    assert "It was decided or withdrawn before" in other.content.decode()
    assert (Right.objects.count(), noted("exchange.right_granted")) == (1, 1)


def test_a_request_refused_twice_is_refused_once(ris: Client, nhi: Client) -> None:
    address = asked(ris, nhi)
    for _ in range(2):
        assert ris.post(address, {"do": "refuse", "reason": "not needed"}).status_code == 302
    assert noted("exchange.request_refused") == 1
    assert ris.post(address, grant()).status_code == 409
    assert not Right.objects.exists()


def test_a_request_withdrawn_twice_is_withdrawn_once(ris: Client, nhi: Client) -> None:
    address = asked(ris, nhi)
    for _ in range(2):
        assert nhi.post(address, {"do": "withdraw"}).status_code == 302
    assert (RightRequest.objects.get().state, noted("exchange.request_withdrawn")) == ("withdrawn", 1)


def test_a_right_renewed_twice_is_renewed_once_and_ended_twice_ends_once(ris: Client, nhi: Client) -> None:
    ris.post(asked(ris, nhi), grant())
    right = Right.objects.get().id
    later = (clock.today() + timedelta(days=60)).isoformat()
    for _ in range(2):
        assert ris.post(f"/exchange/rights/{right}/renew", {"until": later}).status_code == 302
    assert noted("exchange.right_renewed") == 1
    for _ in range(2):
        assert ris.post(f"/exchange/rights/{right}/revoke", {"reason": "over"}).status_code == 302
    assert noted("exchange.right_revoked") == 1


def test_a_right_ended_without_a_reason_says_so_on_the_page_of_rights(ris: Client, nhi: Client) -> None:
    ris.post(asked(ris, nhi), grant())
    answer = ris.post(f"/exchange/rights/{Right.objects.get().id}/revoke", {"reason": " "}, headers=ENGLISH)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "a revocation has a reason" in page
    assert "Of your agency, in all states" in page


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("services/TW~GOV~ris~household~persons.v1/change", "services/TW~GOV~ris~household~persons.v1"),
        ("rights/some-right/revoke", "rights"),
        ("rights/some-right/renew", "rights"),
        ("joining/approve", "joining"),
        ("joining/refuse", "joining"),
        ("certificates/revoke", "joining"),
    ],
)
def test_who_opens_the_address_of_a_form_is_led_to_its_page(form: str, page: str) -> None:
    seat = ("portal", "operator") if page == "joining" else ("ris", "exchange_officer")
    answer = signed_in_officer(*seat).get(f"/exchange/{form}")
    assert (answer.status_code, answer["Location"]) == (302, f"/exchange/{page}")
