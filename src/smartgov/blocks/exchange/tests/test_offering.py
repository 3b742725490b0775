"""Services from a file or from tables, and rights on request: each agency for itself, two persons for a right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api, asking, centre
from smartgov.blocks.exchange.models import Contract, Right, RightRequest, Service
from smartgov.blocks.exchange.tests.factories import RecordedCentre, two_members
from smartgov.engines.apilint import read
from smartgov.engines.troad import snapshot
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db
RIS = Actor("officer", seat="seat-ris", agency="ris")
NHI = Actor("officer", seat="seat-nhi", agency="nhi")
OTHER = Actor("officer", seat="seat-bli", agency="bli")
STATIONS = "TW/GOV/ris/household/stations.v1"
PEOPLE = "TW/GOV/ris/household/persons.v1"
DOCUMENT = json.dumps(dict(read().example)).encode()
WISH = api.Wish(
    client="TW/GOV/nhi/cases",
    service=PEOPLE,
    endpoints=("POST /people/query",),
    basis=api.Basis.STATUTE,
    basis_code="household-registration-act-67",
    fields=("name", "birth_date"),
    purpose="insurance.enrolment",
)


@pytest.fixture(autouse=True)
def country() -> Iterator[RecordedCentre]:
    recorded = RecordedCentre()
    with centre.replaced(recorded):
        two_members()
        yield recorded


@pytest.fixture
def people() -> None:
    api.offer_tables(actor=RIS, service=PEOPLE, tables=["people"], settings=api.Settings())


def test_a_service_from_a_file_is_published_with_its_document(country: RecordedCentre) -> None:
    settings = api.Settings(personal=False, limits=api.Limits(per_minute=60), durability="soon", retain_days=30)
    api.offer_service(actor=RIS, service=STATIONS, settings=settings, document=DOCUMENT)
    api.publish(actor=api.PUBLISHER)
    (entry,) = [one for one in country.last["services"] if one["id"] == STATIONS]
    digest = sha256(DOCUMENT).hexdigest()
    assert (entry["contract"], entry["limits"]) == (digest, {"per_minute": 60})
    assert entry["paths"] == ["GET /stations", "GET /stations/{id}"]
    assert country.documents == {"TW/GOV/ris": {digest: DOCUMENT}}
    read_back = snapshot.read_service(entry)
    assert (read_back.terms.per_minute, read_back.durability, read_back.retain_days) == (60, "soon", 30)


def test_a_document_that_names_a_person_in_its_address_is_refused_with_its_line() -> None:
    wrong = json.loads(DOCUMENT)
    wrong["paths"]["/stations"]["get"]["parameters"][1]["name"] = "nationalId"
    with pytest.raises(Problem) as caught:
        api.offer_service(
            actor=RIS, service=STATIONS, settings=api.Settings(), document=json.dumps(wrong, indent=1).encode()
        )
    (finding,) = caught.value.extra["findings"]
    assert (caught.value.slug, finding["rule"]) == ("openapi-refused", "personal-in-address")
    assert finding["line"] > 1
    assert not Service.objects.filter(id=STATIONS).exists()


def test_a_new_document_is_a_new_version_and_settings_alone_keep_it() -> None:
    for version in ("1.0.0", "1.1.0"):
        changed = json.loads(DOCUMENT)
        changed["info"]["version"] = version
        source = json.dumps(changed).encode()
        api.offer_service(actor=RIS, service=STATIONS, settings=api.Settings(), document=source, replace=True)
    api.offer_service(
        actor=RIS, service=STATIONS, settings=api.Settings(visibility="delayed", visibility_terms={"days": 30})
    )
    assert [row.version for row in Contract.objects.order_by("accepted_at")] == ["1.0.0", "1.1.0"]
    row = Service.objects.get(id=STATIONS)
    assert (row.visibility, row.contract) == ("delayed", sha256(source).hexdigest())


def another_document() -> bytes:
    changed = json.loads(DOCUMENT)
    changed["info"]["version"] = "2.0.0"
    changed["paths"]["/winds"] = changed["paths"].pop("/stations/{id}")
    changed["paths"]["/winds"]["get"].pop("parameters")
    changed["paths"]["/stations"]["get"]["parameters"].pop()
    return json.dumps(changed).encode()


@pytest.mark.usefixtures("people")
def test_a_name_that_exists_is_replaced_only_by_who_says_so() -> None:
    tables, document = api.of_tables(actor=RIS, service=PEOPLE, tables=["people"], settings=api.Settings())
    api.offer_service(actor=RIS, service=PEOPLE, settings=tables, document=document)  # the very same: nothing is lost
    right = api.grant_request(actor=RIS, request=api.ask_right(actor=NHI, wish=WISH), until=clock.today())
    settings = api.Settings(personal=False, limits=api.Limits(per_minute=60))
    before = Service.objects.values().get(id=PEOPLE)
    with pytest.raises(Problem) as caught:
        api.offer_service(actor=RIS, service=PEOPLE, settings=settings, document=DOCUMENT)
    told = caught.value.extra["changes"]
    assert (caught.value.slug, caught.value.status) == ("service-exists", 409)
    assert told["operations"] == {
        "added": ["GET /stations", "GET /stations/{id}"],
        "removed": ["POST /people", "POST /people/query", "PATCH /people/{id}"],
        "changed": [],
    }
    assert told["settings"]["personal"] == {"before": True, "after": False}
    assert told["settings"]["per_minute"] == {"before": 0, "after": 60}
    assert (told["rights"], told["members"]) == (1, ["TW/GOV/nhi"])
    assert Service.objects.values().get(id=PEOPLE) == before
    api.end_right(actor=RIS, right=right, reason="over")
    assert api.holders(PEOPLE) == []
    api.offer_service(actor=RIS, service=PEOPLE, settings=settings, document=DOCUMENT, replace=True)
    assert Service.objects.get(id=PEOPLE).contract == sha256(DOCUMENT).hexdigest()


def test_the_difference_names_operations_and_versions() -> None:
    settings = api.Settings(personal=False)
    api.offer_service(actor=RIS, service=STATIONS, settings=settings, document=DOCUMENT)
    found = api.replacement(actor=RIS, service=STATIONS, settings=settings, document=another_document())
    assert found is not None
    assert found.versions == ("1.0.0", "2.0.0")
    assert found.operations.removed == ("GET /stations/{id}",)
    assert found.operations.added == ("GET /winds",)
    assert found.operations.changed == ("GET /stations",)
    assert (found.settings, found.holders) == ({}, [])


def test_a_withdrawn_service_comes_back_only_by_who_says_so() -> None:
    settings = api.Settings(personal=False)
    api.offer_service(actor=RIS, service=STATIONS, settings=settings, document=DOCUMENT)
    api.withdraw_offer(actor=RIS, service=STATIONS)
    for document in (DOCUMENT, None):
        with pytest.raises(Problem, match="service-exists"):
            api.offer_service(actor=RIS, service=STATIONS, settings=settings, document=document)
    assert Service.objects.get(id=STATIONS).withdrawn_at is not None
    api.offer_service(actor=RIS, service=STATIONS, settings=settings, document=DOCUMENT, replace=True)
    assert Service.objects.get(id=STATIONS).withdrawn_at is None


def test_a_title_has_both_languages_where_the_document_gives_a_pair() -> None:
    api.offer_service(actor=RIS, service=STATIONS, settings=api.Settings(personal=False), document=DOCUMENT)
    assert api.service_page(RIS, STATIONS).row.named == "Weather stations"
    paired = json.loads(DOCUMENT) | {"x-troad": {"title": {"en": "Weather stations", "zh": "氣象測站"}}}
    source = json.dumps(paired).encode()
    api.offer_service(actor=RIS, service=STATIONS, settings=api.Settings(personal=False), document=source, replace=True)
    assert api.service_page(RIS, STATIONS).row.named == Text("Weather stations", "氣象測站")
    tables = api.of_tables(actor=RIS, service=PEOPLE, tables=["people"], settings=api.Settings())[1]
    assert json.loads(tables)["x-troad"]["title"]["zh"]


@pytest.mark.parametrize("limits", [api.Limits(body_bytes=0), api.Limits(seconds=10_000), api.Limits(body_bytes=2**30)])
def test_limits_beyond_the_protocol_are_refused(limits: api.Limits) -> None:
    with pytest.raises(Problem, match="registration-invalid"):
        api.offer_service(actor=RIS, service=STATIONS, settings=api.Settings(limits=limits), document=DOCUMENT)


def test_another_agency_offers_nothing_here() -> None:
    for deed in (
        lambda: api.offer_service(actor=NHI, service=STATIONS, settings=api.Settings(), document=DOCUMENT),
        lambda: api.offer_tables(actor=NHI, service=PEOPLE, tables=["people"], settings=api.Settings()),
        lambda: api.withdraw_offer(actor=NHI, service=STATIONS),
        lambda: api.add_subsystem(actor=NHI, subsystem="TW/GOV/ris/more"),
    ):
        with pytest.raises(Problem, match="not-registered"):
            deed()


@pytest.mark.usefixtures("people")
def test_a_right_is_asked_reviewed_granted_published_and_revoked(country: RecordedCentre) -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    until = clock.today() + timedelta(days=30)
    right = api.grant_request(actor=RIS, request=asked, until=until, fields=["name"])
    api.publish(actor=api.PUBLISHER)
    (entry,) = country.last["rights"]
    assert (entry["fields"], entry["basis"]["code"]) == (["name"], "household-registration-act-67")
    assert "戶籍法" in entry["basis"]["citation"]
    assert datetime.fromisoformat(entry["expires_at"]) == asking.end_of(until)
    api.end_right(actor=RIS, right=right, reason="the project has ended")
    api.publish(actor=api.PUBLISHER)
    assert country.last["rights"] == []
    done = {entry.action.removeprefix("exchange.") for entry in audit.entries("ris")}
    assert {"request_granted", "right_granted", "right_revoked"} <= done
    assert [entry.action for entry in audit.entries("nhi")] == ["exchange.request_asked"]


@pytest.mark.parametrize(
    ("kind", "terms", "signed"),
    [
        ("third-person-masked", {}, "third-person-masked"),
        ("delayed", {"days": 30}, {"class": "delayed", "days": 30}),
        ("delayed", {"until": "2099-01-01"}, {"class": "delayed", "until": "2099-01-01"}),
        (
            "sealed",
            {"order": "115-7", "until": "2099-01-01"},
            {"class": "sealed", "order": "115-7", "until": "2099-01-01"},
        ),
    ],
)
def test_how_uses_appear_is_signed_with_its_terms(
    country: RecordedCentre, kind: str, terms: dict[str, object], signed: object
) -> None:
    settings = api.Settings(visibility=kind, visibility_terms=terms)
    api.offer_tables(actor=RIS, service=PEOPLE, tables=["people"], settings=settings)
    api.publish(actor=api.PUBLISHER)
    (entry,) = country.last["services"]
    assert entry["visibility"] == signed
    assert snapshot.read_service(entry).visibility.kind == kind


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("hidden", {}),
        ("delayed", {}),
        ("delayed", {"days": 0}),
        ("delayed", {"days": 99_999}),
        ("delayed", {"until": "2020-01-01"}),
        ("sealed", {"until": "2099-01-01"}),
        ("sealed", {"order": "115-7"}),
    ],
)
def test_a_class_that_nobody_could_keep_is_refused(kind: str, terms: dict[str, object]) -> None:
    settings = api.Settings(visibility=kind, visibility_terms=terms)
    with pytest.raises(Problem, match="registration-invalid"):
        api.offer_tables(actor=RIS, service=PEOPLE, tables=["people"], settings=settings)


@pytest.mark.usefixtures("people")
def test_a_class_given_at_approval_holds_for_the_right_alone(country: RecordedCentre) -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    until = clock.today() + timedelta(days=30)
    with pytest.raises(Problem, match="registration-invalid"):
        api.grant_request(actor=RIS, request=asked, until=until, visibility="sealed")
    api.grant_request(
        actor=RIS,
        request=asked,
        until=until,
        visibility="sealed",
        visibility_terms={"order": "115-7", "until": "2099-01-01"},
    )
    api.publish(actor=api.PUBLISHER)
    (entry,) = country.last["rights"]
    assert entry["visibility"]["order"] == "115-7"
    assert country.last["services"][0]["visibility"] == "own"


@pytest.mark.usefixtures("people")
def test_a_decided_request_is_not_decided_again() -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    api.refuse_request(actor=RIS, request=asked, reason="no need shown")
    for deed in (
        lambda: api.grant_request(actor=RIS, request=asked, until=clock.today()),
        lambda: api.refuse_request(actor=RIS, request=asked, reason="again"),
        lambda: api.withdraw_request(actor=NHI, request=asked),
    ):
        with pytest.raises(Problem, match="request-decided"):
            deed()
    assert RightRequest.objects.get().state == api.RequestState.REFUSED
    assert not Right.objects.exists()


@pytest.mark.usefixtures("people")
def test_nobody_reviews_their_own_request_and_no_third_agency_sees_it() -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    same = replace(RIS, seat=NHI.seat)
    with pytest.raises(Problem, match="request-own"):
        api.grant_request(actor=same, request=asked, until=clock.today())
    for deed in (
        lambda: api.grant_request(actor=OTHER, request=asked, until=clock.today()),
        lambda: api.withdraw_request(actor=OTHER, request=asked),
        lambda: asking.request(OTHER, asked),
        lambda: api.grant_request(actor=NHI, request=asked, until=clock.today()),
    ):
        with pytest.raises(Problem, match="not-registered"):
            deed()
    assert asking.requests(OTHER) == []


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoints": ("DELETE /people",)},
        {"endpoints": ()},
        {"basis_code": ""},
        {"basis": api.Basis.NONE, "basis_code": ""},
        {"fields": ("shoe_size",)},
        {"fields": None},
        {"purpose": " "},
    ],
)
def test_what_no_right_can_say_is_not_asked(wrong: dict[str, object]) -> None:
    with pytest.raises(Problem, match="registration-invalid"):
        api.ask_right(actor=NHI, wish=replace(WISH, **wrong))  # type: ignore[arg-type]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("days", [-1, asking.LONGEST_DAYS + 1])
def test_a_right_on_request_ends(days: int) -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    with pytest.raises(Problem, match="registration-invalid"):
        api.grant_request(actor=RIS, request=asked, until=clock.today() + timedelta(days=days))


@pytest.mark.usefixtures("people")
def test_a_review_gives_no_more_than_was_asked() -> None:
    asked = api.ask_right(actor=NHI, wish=WISH)
    with pytest.raises(Problem, match="registration-invalid"):
        api.grant_request(actor=RIS, request=asked, until=clock.today(), fields=["name", "address"])
