"""A service at a desk, agreed to on the phone; and a counter that asks."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from smartgov.blocks.identity.models import OpenidAuthorization, Passkey, SignIn
from smartgov.blocks.identity.openid.service import provider
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.engines.openid import remote
from smartgov.engines.openid.ciba import CIBA
from smartgov.shared import clock

pytestmark = pytest.mark.django_db


def waiting(shop: Shop, desk: Client) -> tuple[str, dict[str, str], str, str]:
    """The address of the waiting screen, what the service kept, the link to scan, and the number shown."""
    page, kept = shop.visit(desk)
    assert "包裹中心" in page.content.decode()
    address = page.context["other_device"]
    screen = desk.get(address)
    assert screen.headers["Refresh"] == "5"
    found = provider().store.by_id(address.split("/")[3])
    assert found is not None
    return address, kept, f"/openid/link/{remote.link_code(provider(), found)}", screen.context["number"]


def test_a_code_is_scanned_and_the_desk_goes_on(client: Client) -> None:
    shop, phone, before = Shop(), signed_in_citizen(), SignIn.objects.count()
    address, kept, link, number = waiting(shop, client)
    page = phone.get(link)
    assert number in page.content.decode()
    assert "您的姓名" in page.content.decode()
    with clock.travelling(delta=timedelta(seconds=90)):
        done = phone.post(link, {"number": number})
        assert "請在另一個畫面繼續" in done.content.decode()
        arrived = client.get(address)
        query = urlsplit(arrived.headers["Refresh"].partition("url=")[2]).query
        signed_in = shop.rp.finish(query, kept)
    assert signed_in.claims["acr"] == "urn:smartgov:acr:aal2"
    assert client.get("/identity/account").status_code == 302, "only that one service is signed in"
    assert (SignIn.objects.count(), Passkey.objects.count()) == (before, 0)


def test_a_stale_code_and_a_strange_number(client: Client) -> None:
    shop, phone = Shop(), signed_in_citizen()
    address, _, link, number = waiting(shop, client)
    with clock.travelling(delta=timedelta(seconds=61)):
        assert phone.get(link).status_code == 410
        assert signed_in_citizen().post(link, {"number": number}).status_code == 410
    phone.get(link)
    phone.post(link, {"number": "00"})
    assert OpenidAuthorization.objects.get().state == "refused"
    assert client.get(address).status_code == 410


def test_a_counter_asks_and_the_phone_answers() -> None:
    subject = a_person()
    phone = signed_in_citizen(subject)
    shop = Shop(grants=["authorization_code", CIBA])
    sub = shop.sign_in(phone).claims["sub"]
    form = {"scope": "openid profile", "login_hint": sub, "binding_message": "3 號櫃檯"}
    asked = shop.rp.post("backchannel_authentication_endpoint", form)
    page = phone.get("/openid/asked").content.decode()
    assert "3 號櫃檯" in page
    (found,) = provider().store.waiting_for(subject)
    assert signed_in_citizen().get(f"/openid/asked/{found.id}").status_code == 404
    assert asked["binding_number"] in phone.get(f"/openid/asked/{found.id}").content.decode()
    phone.post(f"/openid/asked/{found.id}", {"number": asked["binding_number"]})
    answer = shop.rp.post("token_endpoint", {"grant_type": CIBA, "auth_req_id": asked["auth_req_id"]})
    assert shop.rp.userinfo(answer["access_token"])["sub"] == sub
