"""What the pages of T-Road say while something is wrong: outages, alarms and refusals in words, and their codes."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.exchange import refusals, transport
from smartgov.blocks.exchange.adapters.gateways import AgencyGateway
from smartgov.blocks.exchange.tests.factories import TRAFFIC, Recorded
from smartgov.blocks.exchange.tests.forms import CHINESE, ENGLISH, PEOPLE, tables, wish
from smartgov.blocks.exchange.web import alarms, words
from smartgov.blocks.ops.api import is_refusal
from smartgov.engines.httpd import Response, sync
from smartgov.engines.troad.problems import refuse
from smartgov.shared import homes
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_on_the_road")]
ALARMS = (
    "timestamps-missing",
    "witnesses-missing",
    "log-shorter-than-witnessed",
    "witness-refuses:TW/GOV/nhi/gw1",
    "log-altered",
    "log-forked:TW/GOV/nhi/gw1",
    "log-restored",
    "log-restored:TW/GOV/nhi/gw1",
    "epoch-opened:2",
    "log-rekeyed:TW/GOV/nhi/gw1",
    "configuration-differs:7",
    "archive-does-not-fit",
    "certificate-ends",
    "certificate-ended",
    "offer-ends",
    "revocation-list-old",
    "handover-refused",
    "systems-unreadable",
    "exchanges-differ:TW/GOV/nhi/gw1:2026-11-28T10",
    "exchanges-not-compared:TW/GOV/nhi/gw1",
    "comparison-fails",
)
"""As the operator's manual lists them."""


class Alarmed(Recorded):
    """Every gateway sounds all alarms."""

    def health(self, agency: str) -> dict[str, Any]:
        return {**super().health(agency), "alarms": dict.fromkeys(ALARMS, "")}


def test_every_alarm_is_told_in_words_with_what_to_do_and_its_code(ris: Client) -> None:
    with transport.replaced(Alarmed()):
        pages = {
            "en": unescape(ris.get("/exchange/", headers=ENGLISH).content.decode()),
            "zh-hant": unescape(ris.get("/exchange/", headers=CHINESE).content.decode()),
        }
    unknown = alarms.said("no-such-alarm").what
    for code in ALARMS:
        told = alarms.said(code)
        assert told.what != unknown, code
        for language, page in pages.items():
            assert told.what.in_language(language) in page
            assert told.todo.in_language(language) in page
            assert f"<code>{code}</code>" in page
    assert alarms.said("log-restored").what != alarms.said("log-restored:TW/GOV/nhi/gw1").what


@pytest.mark.parametrize(
    ("error", "slug"), [(ConnectionRefusedError, "gateway-unreachable"), (TimeoutError, "gateway-silent")]
)
def test_a_gateway_that_is_down_says_so_to_whoever_reads_and_names_no_address(
    error: type[OSError], slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(homes, "gateway_url", lambda agency: "http://127.0.0.1:9")
    monkeypatch.setattr(sync, "request", broken)
    with pytest.raises(Problem) as caught:
        AgencyGateway("ris", "secret", "TW/GOV/ris/cases").health()
    down = caught.value
    assert (down.slug, down.extra["gateway"]) == (slug, "own")
    told = f"{down.what}{down.why}{down.todo}"
    assert "127.0.0.1" not in told
    assert "Your own" not in told


@pytest.mark.parametrize(("slug", "status"), [("peer-unknown", 502), ("message-stale", 502), ("right-missing", 403)])
def test_gateways_that_do_not_believe_each_other_are_an_outage_and_no_refusal(
    slug: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refuse(slug)
    answer = Response(said.status, {"content-type": "application/problem+json"}, json.dumps(said.as_dict()).encode())
    monkeypatch.setattr(homes, "gateway_url", lambda agency: "http://127.0.0.1:9")
    monkeypatch.setattr(sync, "request", lambda *_: answer)
    with pytest.raises(Problem) as caught:
        AgencyGateway("ris", "secret", "TW/GOV/ris/cases").call(
            "TW/GOV/bli/cases/cases.v1", "POST", "/cases", purpose="x", json={}
        )
    assert (caught.value.slug, caught.value.status) == (slug, status)
    assert is_refusal(caught.value) is (status == 403)


def test_a_gateway_that_is_down_is_shown_with_why_and_what_to_do(ris: Client) -> None:
    down = refusals.gateway_unreachable("ris")
    with transport.replaced(Recorded(down=["ris"])):
        page = unescape(ris.get("/exchange/", headers=ENGLISH).content.decode())
    assert down.why.en in page
    assert down.todo.en in page


def test_services_are_not_called_none_while_nobody_can_say(ris: Client) -> None:
    class Down(Recorded):
        def configuration(self, agency: str) -> Any:
            raise refusals.gateway_unreachable(agency)

    with transport.replaced(Down(down=["portal"])):
        page = ris.get("/exchange/", headers=ENGLISH).content.decode()
    assert "Not known" in page
    assert "None" not in page


def test_why_calls_were_refused_is_told_in_words_the_most_frequent_first(ris: Client) -> None:
    page = ris.get("/exchange/traffic", headers=ENGLISH).content.decode()
    told = "There is no right to make this call."
    assert f"10 × {told} <code>right-missing</code>" in page
    assert TRAFFIC["rows"][0]["refused"] == {"right-missing": 10}
    found = words.refusals({"right-missing": 1, "teapot": 3})
    assert [(count, code) for count, _, code in found] == [(3, "teapot"), (1, "right-missing")]
    assert found[0][1] == Text("Refused by the service", "遭服務拒絕")


def test_the_list_of_requests_says_the_purpose_in_words(ris: Client, nhi: Client) -> None:
    tables(ris)
    nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(purpose="birth.nhi"))
    nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(purpose="a purpose of our own"))
    page = nhi.get("/exchange/requests", headers=CHINESE).content.decode()
    assert "辦理新生兒健保加保 <small><code>birth.nhi</code></small>" in page
    assert page.count("a purpose of our own") == 1
