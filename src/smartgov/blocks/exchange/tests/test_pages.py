"""J2 on pages without script: publish from a file and from tables, ask, review with the law beside, revoke."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.exchange import api, refusals, transport
from smartgov.blocks.exchange.models import Gateway, Issuer, Member, Right, RightRequest, Service, Subsystem
from smartgov.blocks.exchange.tests.factories import Recorded
from smartgov.blocks.exchange.tests.forms import ENGLISH, PEOPLE, SETTINGS, STATIONS, publish, tables, wish
from smartgov.blocks.exchange.web import words
from smartgov.blocks.identity.tests import factories
from smartgov.engines.apilint import read
from smartgov.engines.troad.problems import refuse
from smartgov.shared import clock
from smartgov.shared.text import Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_on_the_road")]


def test_the_page_shows_the_examples_of_the_document(ris: Client, nhi: Client) -> None:
    tables(ris)
    text = nhi.get(f"/exchange/services/{PEOPLE}", headers=ENGLISH).content.decode()
    assert "<h3>Examples</h3>" in text
    assert "<code>POST /people/query</code>" in text
    assert "&quot;limit&quot;: 10" in text
    document = dict(read().example)
    for item in document["paths"].values():
        assert "example" in item["get"]["responses"]["200"]["content"]["application/json"]
    publish(ris, document)
    assert "&quot;code&quot;: " in ris.get(f"/exchange/services/{STATIONS}").content.decode()


def test_a_service_from_a_file_stands_on_its_page_with_contract_and_limits(ris: Client) -> None:
    answer = publish(ris, dict(read().example))
    assert answer["Location"] == f"/exchange/services/{STATIONS}"
    page = ris.get(answer["Location"], headers=ENGLISH).content.decode()
    assert "Weather stations" in page
    assert "GET /stations/{id}" in page
    assert "Service published" in page
    assert Service.objects.get(id=STATIONS.replace("~", "/")).per_minute == 60
    assert ris.get(f"/exchange/services/{STATIONS}/openapi").json()["info"]["title"] == "Weather stations"


def test_a_refused_document_shows_lines_and_what_to_do(ris: Client) -> None:
    wrong = json.loads(json.dumps(read().example))
    wrong["paths"]["/stations"]["get"]["parameters"][1]["name"] = "birthDate"
    answer = publish(ris, wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "personal-in-address" in page
    assert "birthDate" in page
    assert not Service.objects.filter(id=STATIONS.replace("~", "/")).exists()


def test_a_number_that_is_none_stands_at_its_field(ris: Client) -> None:
    publish(ris, dict(read().example))
    answer = ris.post(f"/exchange/services/{STATIONS}/change", {**SETTINGS, "seconds": "soon"}, headers=ENGLISH)
    assert answer.status_code == 422
    assert "Write a whole number" in answer.content.decode()


def test_asked_reviewed_with_the_law_beside_granted_and_revoked(ris: Client, nhi: Client) -> None:
    assert tables(ris).status_code == 302
    assert "birth_date" in nhi.get(f"/exchange/services/{PEOPLE}/ask", headers=ENGLISH).content.decode()
    address = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish())["Location"]
    page = ris.get(address, headers=ENGLISH).content.decode()
    assert "Household Registration Act" in page
    assert "law.moj.gov.tw" in page
    assert "to insure newborns" in page
    until = (clock.today() + timedelta(days=30)).isoformat()
    granted = {
        "do": "grant",
        "endpoints": ["POST /people/query"],
        "has_fields": "yes",
        "fields": ["name"],
        "until": until,
    }
    assert ris.post(address, granted).status_code == 302
    right = Right.objects.get()
    assert (right.fields, right.state) == (["name"], "granted")
    assert "Granted" in nhi.get(address, headers=ENGLISH).content.decode()
    revoke = f"/exchange/rights/{right.id}/revoke"
    assert nhi.post(revoke, {"reason": "x"}).status_code == 404
    assert ris.post(revoke, {"reason": "the project has ended"}).status_code == 302
    assert "the project has ended" in nhi.get("/exchange/rights", headers=ENGLISH).content.decode()


def test_a_refusal_needs_a_reason_and_the_asker_reads_it(ris: Client, nhi: Client) -> None:
    tables(ris)
    address = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish())["Location"]
    assert ris.post(address, {"do": "refuse", "reason": " "}).status_code == 422
    ris.post(address, {"do": "refuse", "reason": "birth dates are not needed"})
    assert "birth dates are not needed" in nhi.get(address, headers=ENGLISH).content.decode()


def test_what_is_left_out_of_a_request_is_said_and_what_was_typed_stays(ris: Client, nhi: Client) -> None:
    tables(ris)
    for changed in ({"until": "soon"}, {"basis": ""}, {"endpoints": []}, {"fields": []}, {"purpose": ""}):
        answer = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(**changed), headers=ENGLISH)
        assert answer.status_code == 422
        assert "to insure newborns" in answer.content.decode()
    assert not RightRequest.objects.exists()


def test_other_agencies_and_seats_find_nothing_to_change(ris: Client, nhi: Client) -> None:
    publish(ris, dict(read().example))
    assert nhi.post(f"/exchange/services/{STATIONS}/change", SETTINGS).status_code == 404
    for verb in (nhi.get, nhi.post):
        assert verb(f"/exchange/services/{STATIONS}/withdraw").status_code == 404
    auditor = factories.signed_in_officer("ris", "auditor")
    assert auditor.post(f"/exchange/services/{STATIONS}/change", SETTINGS).status_code == 403
    tables(ris)
    address = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish())["Location"]
    assert auditor.get(address).status_code == 200
    assert auditor.post(address, {"do": "refuse", "reason": "x"}).status_code == 403
    assert factories.signed_in_officer("bli", "exchange_officer").get(address).status_code == 404


def test_a_member_shows_keys_and_ends_and_takes_a_system_from_its_own_officer(ris: Client, nhi: Client) -> None:
    page = ris.get("/exchange/members/ris", headers=ENGLISH).content.decode()
    assert "Key: Messages" in page
    assert "message_key" not in page
    assert ris.post("/exchange/members/ris", {"name": "archive"}).status_code == 302
    assert "TW/GOV/ris/archive" in api.subsystems_of(factories.SEEDER.__class__("officer", agency="ris"))
    assert ris.post("/exchange/members/ris", {"name": "a/b"}).status_code == 422
    assert nhi.post("/exchange/members/ris", {"name": "more"}).status_code == 404
    assert nhi.get("/exchange/members/nowhere").status_code == 404


def test_traffic_comes_from_the_gateway_and_comes_again_when_asked(ris: Client) -> None:
    answer = ris.get("/exchange/traffic", headers=ENGLISH)
    page = answer.content.decode()
    assert "Refresh" not in answer.headers
    assert "right-missing" in page
    assert "80.0" in page
    assert ris.get("/exchange/traffic?every=10").headers["Refresh"] == "10"
    assert "Refresh" not in ris.get("/exchange/traffic?every=1").headers
    with transport.replaced(Recorded(down=["ris"])):
        assert "does not answer" in ris.get("/exchange/traffic", headers=ENGLISH).content.decode()


def test_the_rules_are_published_and_a_document_is_tried_without_being_kept(ris: Client) -> None:
    assert "Common API rules" in ris.get("/exchange/rules", headers=ENGLISH).content.decode()
    bad = SimpleUploadedFile("a.yaml", b"openapi: 3.1.0\ninfo: {}\n")
    assert "openapi-valid" in ris.post("/exchange/rules", {"document": bad}, headers=ENGLISH).content.decode()
    good = SimpleUploadedFile("a.json", json.dumps(dict(read().example)).encode())
    assert "keeps every rule" in ris.post("/exchange/rules", {"document": good}, headers=ENGLISH).content.decode()
    assert ris.post("/exchange/rules", {}).status_code == 422


class Away(Recorded):
    """A member whose gateway runs on its own machine."""

    def health(self, agency: str) -> dict[str, Any]:
        raise refusals.gateway_elsewhere(agency)

    traffic = health


def test_a_gateway_on_its_own_machine_is_no_failure(ris: Client) -> None:
    with transport.replaced(Away()):
        members = ris.get("/exchange/", headers=ENGLISH).content.decode()
        traffic = ris.get("/exchange/traffic", headers=ENGLISH).content.decode()
    assert "On its own machine" in members
    assert "Does not answer" not in members
    assert "smartgov gateway check" in traffic


class Refusing(Recorded):
    """Gateways that answer, in some state or other."""

    def __init__(self, **said: Any) -> None:
        super().__init__()
        self.said = said

    def health(self, agency: str) -> dict[str, Any]:
        return {**super().health(agency), "alarms": {}, "problem": None, **self.said}


def test_a_gateway_that_refuses_exchanges_says_why_and_what_to_do_in_the_language_of_the_page(ris: Client) -> None:
    problem = refuse("log-restored")
    told = {name: getattr(problem, name).as_dict() for name in ("what", "why", "todo")}
    with transport.replaced(Refusing(healthy=False, problem={"type": problem.type, **told})):
        for language, word in (("en", "Refuses exchanges"), ("zh-hant", "拒絕交換")):
            page = unescape(ris.get("/exchange/", headers={"Accept-Language": language}).content.decode())
            assert word in page
            assert "Does not answer" not in page
            assert all(part.in_language(language) in page for part in (problem.what, problem.todo))


class Down(Recorded):
    """No gateway tells the configuration."""

    def configuration(self, agency: str) -> Any:
        raise refusals.gateway_unreachable(agency)


PAGES = ("", "services", "services/new", "requests", "rights", "joining", "rules", "traffic")


@pytest.mark.parametrize(("language", "word"), [("en", "How an agency joins"), ("zh-hant", "機關如何加入")])
def test_in_an_empty_country_every_page_says_what_will_be_there_and_what_to_do(language: str, word: str) -> None:
    for table in (Right, Service, Subsystem, Gateway, Issuer, Member):
        table.objects.all().delete()
    officer = factories.signed_in_officer("ris", "exchange_officer")
    operator = factories.signed_in_officer("portal", "operator")
    with transport.replaced(Down()):
        told = {page: officer.get(f"/exchange/{page}", headers={"Accept-Language": language}) for page in PAGES}
        figures = operator.get("/exchange/traffic", headers=ENGLISH)
    assert {page: answer.status_code for page, answer in told.items()} == dict.fromkeys(PAGES, 200)
    for page in ("", "services/new"):
        assert word in told[page].content.decode(), page
    assert "No gateway yet" in figures.content.decode()


def test_members_and_rights_are_shown_while_the_portals_gateway_is_down(ris: Client) -> None:
    with transport.replaced(Down(down=["portal"])):
        members = ris.get("/exchange/", headers=ENGLISH)
        rights = ris.get("/exchange/rights", headers=ENGLISH)
        traffic = ris.get("/exchange/traffic", headers=ENGLISH)
    assert [one.status_code for one in (members, rights, traffic)] == [200, 200, 200]
    page = members.content.decode()
    assert "does not answer" in page
    assert "The list is that of the register" in page
    assert page.count('scope="row"') == 2
    assert "Works" in page, "the other one answers"
    assert "Not known while" in rights.content.decode()
    assert "every call is refused" not in rights.content.decode()


def test_alarms_and_maintenance_of_a_gateway_are_seen(ris: Client) -> None:
    with transport.replaced(Refusing(alarms={"log-altered": "records altered or missing: 5"})):
        page = ris.get("/exchange/", headers=ENGLISH).content.decode()
    assert "Alarm" in page
    assert "<code>log-altered</code>" in page
    window = {"until": "2026-11-23T00:00:00+00:00", "reason": "disk"}
    with transport.replaced(Refusing(maintenance=window)):
        page = ris.get("/exchange/", headers=ENGLISH).content.decode()
    assert "Under maintenance" in page
    assert "Works" not in page


def test_the_law_of_a_right_is_read_in_the_language_of_the_page() -> None:
    law = words.basis("戶籍法 第67條", "household-registration-act-67")
    assert law.en.startswith("Household Registration Act, Article 67")
    assert law.zh.startswith("戶籍法第67條")
    assert words.basis("A law of elsewhere", "no-such-law").en == "A law of elsewhere"
    assert words.basis("consent").en == "The person's consent"


def test_a_second_press_of_the_button_asks_once(ris: Client, nhi: Client) -> None:
    tables(ris)
    for _ in range(2):
        assert nhi.post(f"/exchange/services/{PEOPLE}/ask", wish()).status_code == 302
    assert RightRequest.objects.count() == 1
    nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(explanation="for another reason"))
    assert RightRequest.objects.count() == 2


def test_no_right_is_asked_that_has_ended(ris: Client, nhi: Client) -> None:
    tables(ris)
    past = (clock.today() - timedelta(days=1)).isoformat()
    answer = nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(until=past), headers=ENGLISH)
    assert answer.status_code == 422
    assert not RightRequest.objects.exists()


def test_words_that_somebody_typed_may_break_anywhere_in_a_table(ris: Client, nhi: Client) -> None:
    long = "Donaudampfschifffahrtsgesellschaft" * 5
    api.register_member(actor=api.PUBLISHER, member="TW/GOV/ris", name=Text(long, "機關" * 100))
    document = {**read().example, "info": {**read().example["info"], "title": long}}
    publish(ris, document)
    tables(ris)
    nhi.post(f"/exchange/services/{PEOPLE}/ask", wish(purpose=long))
    services = ris.get("/exchange/services", headers=ENGLISH).content.decode()
    requests = ris.get("/exchange/requests", headers=ENGLISH).content.decode()
    cells = re.findall(r"<t[dh]([^>]*)>[^<]*(?:<span[^>]*>)?" + long, services + requests)
    assert len(cells) == 4, "the provider twice, the title, the purpose"
    assert all('class="free-words"' in cell for cell in cells)
