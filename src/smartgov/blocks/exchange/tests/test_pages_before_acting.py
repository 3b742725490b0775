"""Before a service is replaced or offered no more, a page says what changes and for whom; titles in both languages."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.exchange import api
from smartgov.blocks.exchange.models import Contract, Service
from smartgov.blocks.exchange.tests.forms import CHINESE, ENGLISH, PEOPLE, SETTINGS, STATIONS, publish, tables
from smartgov.engines.apilint import read
from smartgov.shared import clock
from smartgov.shared.actor import Actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_on_the_road")]
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
NHI = Actor("officer", seat="seat-nhi", agency="nhi")


def document(version: str = "1.0.0", **info: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps(read().example))
    value["info"] |= {"version": version, **info}
    return value


def newer() -> dict[str, Any]:
    value = document("2.0.0")
    value["paths"]["/winds"] = value["paths"].pop("/stations/{id}")
    value["paths"]["/winds"]["get"].pop("parameters")
    return value


def service(slug: str = STATIONS) -> Service:
    return Service.objects.get(id=slug.replace("~", "/"))


def granted() -> None:
    wish = api.Wish(
        client="TW/GOV/nhi/cases",
        service=STATIONS.replace("~", "/"),
        endpoints=("GET /stations",),
        basis=api.Basis.NONE,
        purpose="weather",
    )
    ours = Actor("officer", seat="seat-ris", agency="ris")
    until = clock.today() + timedelta(days=30)
    api.grant_request(actor=ours, request=api.ask_right(actor=NHI, wish=wish), until=until)


def test_a_name_that_exists_is_replaced_after_a_page_that_shows_what_changes(ris: Client) -> None:
    publish(ris, document())
    granted()
    answer = publish(ris, newer())
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "There is a service TW/GOV/ris/household/stations.v1 already." in page
    assert "1.0.0 → 2.0.0" in page
    assert re.search(r"Removed</span>\s*<code>GET /stations/{id}", page)
    assert re.search(r"Added</span>\s*<code>GET /winds", page)
    assert "Second agency" in page or "TW/GOV/nhi/cases" in page
    assert (Contract.objects.count(), service().endpoints) == (1, ["GET /stations", "GET /stations/{id}"])
    form = dict(HIDDEN.findall(page))
    assert ris.post("/exchange/services/new", form).status_code == 302
    assert service().endpoints == ["GET /stations", "GET /winds"]
    kept = Contract.objects.get(digest=service().contract).document
    assert kept == json.dumps(newer(), indent=1)  # to the byte, whatever a browser does with ends of lines


def test_who_confirms_has_seen_what_is_there_now(ris: Client) -> None:
    publish(ris, document())
    form = dict(HIDDEN.findall(publish(ris, newer()).content.decode()))
    ris.post(f"/exchange/services/{STATIONS}/change", {**SETTINGS, "per_minute": "7"})
    assert ris.post("/exchange/services/new", form).status_code == 200  # shown anew: a colleague was quicker
    assert (service().per_minute, Contract.objects.count()) == (7, 1)


def test_another_document_on_the_services_own_page_is_shown_first_and_settings_are_not(ris: Client) -> None:
    publish(ris, document())
    upload = SimpleUploadedFile("stations.json", json.dumps(newer()).encode())
    answer = ris.post(f"/exchange/services/{STATIONS}/change", {**SETTINGS, "document": upload}, headers=ENGLISH)
    assert "1.0.0 → 2.0.0" in answer.content.decode()
    assert Contract.objects.count() == 1
    change = f"/exchange/services/{STATIONS}/change"
    assert ris.post(change, dict(HIDDEN.findall(answer.content.decode()))).status_code == 302
    assert service().endpoints == ["GET /stations", "GET /winds"]
    assert ris.post(change, {**SETTINGS, "per_minute": "9"}).status_code == 302
    assert service().per_minute == 9


def test_tables_under_a_name_that_exists_are_shown_first(ris: Client) -> None:
    tables(ris)
    assert tables(ris).status_code == 302  # the very same
    form = {"subsystem": "TW/GOV/ris/household", "code": "persons.v1", "source": "tables", "tables": ["households"]}
    answer = ris.post("/exchange/services/new", {**form, **SETTINGS}, headers=ENGLISH)
    assert answer.status_code == 200
    assert "POST /people/query" in answer.content.decode()
    assert ris.post("/exchange/services/new", dict(HIDDEN.findall(answer.content.decode()))).status_code == 302
    assert "POST /people/query" not in service(PEOPLE).endpoints


def test_a_broken_kept_document_is_refused_at_its_field(ris: Client) -> None:
    publish(ris, document())
    form = dict(HIDDEN.findall(publish(ris, newer()).content.decode()))
    answer = ris.post("/exchange/services/new", {**form, "document_kept": "no base64"}, headers=ENGLISH)
    assert (answer.status_code, "Choose the file once more" in answer.content.decode()) == (422, True)


def test_a_service_is_withdrawn_only_after_a_page_that_says_what_happens_and_to_whom(ris: Client) -> None:
    publish(ris, document())
    granted()
    own = ris.get(f"/exchange/services/{STATIONS}", headers=ENGLISH).content.decode()
    assert f'href="/exchange/services/{STATIONS}/withdraw"' in own
    ris.post(f"/exchange/services/{STATIONS}/change", {**SETTINGS, "do": "withdraw"})
    assert service().withdrawn_at is None
    page = ris.get(f"/exchange/services/{STATIONS}/withdraw", headers=ENGLISH).content.decode()
    assert "1 member will get no more answers" in page
    assert "They hold 1 right to it" in page
    assert "TW/GOV/nhi/cases" in page
    assert service().withdrawn_at is None
    for _ in range(2):  # a second press finds it done
        assert ris.post(f"/exchange/services/{STATIONS}/withdraw").status_code == 302
    assert service().withdrawn_at is not None
    again = publish(ris, document()).content.decode()
    assert "Offer this service again?" in again
    assert "may call it again at once" in again


def test_our_titles_have_both_languages_and_a_foreign_one_says_which_it_has(ris: Client) -> None:
    tables(ris)
    publish(ris, document())
    chinese = ris.get("/exchange/services", headers=CHINESE).content.decode()
    assert '<span lang="en">Weather stations</span>' in chinese
    title = api.service_page(NHI, PEOPLE.replace("~", "/")).row
    assert title.title_zh in chinese
    assert title.title not in chinese
    own = ris.get(f"/exchange/services/{STATIONS}", headers=CHINESE).content.decode()
    assert '<h1><span lang="en">Weather stations</span></h1>' in own
    english = ris.get("/exchange/services", headers=ENGLISH).content.decode()
    assert title.title in english
    assert "<span lang" not in english


def test_fields_are_chosen_by_their_titles_in_the_language_of_the_page(ris: Client, nhi: Client) -> None:
    tables(ris)
    page = {
        lang: nhi.get(f"/exchange/services/{PEOPLE}/ask", headers={"Accept-Language": lang}).content.decode()
        for lang in ("zh-hant", "en")
    }
    assert re.search(r"<span>出生日期<small>birth_date</small>", page["zh-hant"])
    assert not re.search(r"<span>出生日期<small>", page["en"])
    assert "<small>birth_date</small>" in page["en"]
    own = ris.get(f"/exchange/services/{PEOPLE}", headers=CHINESE).content.decode()
    assert "Find rows of" not in own, "an example says in one language what its operation does"
