"""A consent in the path of the data: for whom, whose, how fresh its state is, and when a single use is used."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from smartgov.engines.httpd import Request, Response
from smartgov.engines.pki import jws, keys
from smartgov.engines.troad import artefacts, consent_status, reference
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import (
    BIRTHS,
    CASES,
    FATHER,
    MOTHER,
    PEOPLE,
    PURPOSE,
    Country,
    ask_births,
    wait_for,
)
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def consent(country: Country, **changes: Any) -> str:
    terms = {
        "subject": MOTHER,
        "provider": BIRTHS,
        "requester": CASES,
        "fields": ["born_on"],
        "purpose": PURPOSE,
        "expires_at": (clock.now() + timedelta(minutes=5)).isoformat(),
    }
    return country.sdk("TW/GOV/portal/portal").consent(**{**terms, **changes})


def claims_of(artefact: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(keys.from_b64url(artefact.split(".")[1]))
    return claims


def ask(country: Country, artefact: str, **changes: Any) -> Any:
    return ask_births(country.sdk(), basis=None, consent=artefact, **changes)


def refused(country: Country, slug: str, artefact: str, **changes: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        ask(country, artefact, **changes)
    assert problem.value.slug == slug
    assert country.records("hpa")[-1]["reason"] == slug
    return problem.value


def forget_words(country: Country) -> None:
    country.gateways["hpa"].core.consents._words.clear()


def test_a_consent_opens_its_fields_within_the_right(country: Country) -> None:
    answer = ask_births(country.sdk(), basis=None, consent=consent(country, fields=["born_on", "mother_id"]))
    assert answer.body["items"] == [{"born_on": "2026-11-01"}], "mother_id is consented to but not in the right"
    record = next(one for one in country.records("hpa") if one.get("id") == answer.exchange_id)
    assert record["basis"]["kind"] == "consent"
    assert country.behind.seen[0].headers["x-troad-consent-id"] == record["basis"]["id"]


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"provider": PEOPLE}, "consent-foreign"),
        ({"provider": "TW/GOV/hpa/births/births.v2"}, "consent-foreign"),
        ({"requester": "TW/GOV/portal/portal"}, "consent-foreign"),
        ({"subject": FATHER}, "consent-foreign"),
        ({"purpose": "another"}, "consent-foreign"),
        ({"expires_at": "2026-01-01T00:00:00+00:00"}, "consent-invalid"),
    ],
)
def test_a_foreign_consent(country: Country, changes: dict[str, Any], slug: str) -> None:
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), basis=None, consent=consent(country, **changes))
    assert problem.value.slug == slug
    assert country.records("hpa")[-1]["reason"] == slug
    assert country.records("ris")[-1]["reason"] == slug
    assert country.behind.seen == []


def test_a_missing_altered_or_revoked_consent(country: Country) -> None:
    data = country.data()
    country.publish(rights=data["rights"][1:2])
    sound = consent(country, jti="revoke-me")
    for given, slug in [(None, "consent-required"), (sound[:-8] + "AAAAAAAA", "consent-invalid")]:
        with pytest.raises(Problem) as problem:
            ask_births(country.sdk(), basis=None, consent=given)
        assert problem.value.slug == slug
    country.publish(revoked_consents=["revoke-me"])
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), basis=None, consent=sound)
    assert problem.value.slug == "consent-revoked"
    assert country.behind.seen == []


def test_a_consent_for_one_use_is_used_by_an_answer_only(country: Country) -> None:
    once = consent(country, single_use=True)
    country.behind.answer = lambda request: Response.json({"error": "down"}, 503)
    with pytest.raises(Problem):
        ask_births(country.sdk(), basis=None, consent=once)
    country.behind.answer = country.behind.births
    assert ask_births(country.sdk(), basis=None, consent=once).status == 200
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), basis=None, consent=once)
    assert problem.value.slug == "consent-used"


def test_the_word_of_another_of_the_issuers_keys_says_nothing_of_it(country: Country) -> None:
    """Each gateway of an issuer keeps a list of its own: that of one is no word on what another one has signed."""
    own, other = country.data()["consent_issuers"][0], keys.generate_p256()
    country.publish(consent_issuers=[own, {**own, "key": keys.public_jwk(other.public_key())}])
    claims = claims_of(consent(country))
    foreign = jws.sign(claims, other, keys.thumbprint(other.public_key()), artefacts.CONSENT)
    refused(country, "consent-status-unknown", foreign)
    assert country.behind.seen == []
    assert ask(country, consent(country)).status == 200


def test_a_single_use_with_references_to_several_gateways_is_that_of_the_first_reference(country: Country) -> None:
    """Whoever issues it may not open it to a second gateway: each would spend it in a log of its own."""
    portal = homes.load(country.folder / "portal")
    hpa, ris = (country.snapshot().gateways[f"TW/GOV/{code}/gw1"].recipient for code in ("hpa", "ris"))
    claims = claims_of(consent(country, single_use=True))
    further = {"hpa": claims["sub_ref"], "ris": reference.make(MOTHER, ris, rid=claims["jti"], exp=claims["exp"])}
    claims |= {"sub_ref": further["ris"], "sub_refs": {hpa.gateway: further["hpa"]}}
    key = portal.p256("consent")
    spread = jws.sign(claims, key, keys.thumbprint(key.public_key()), artefacts.CONSENT)
    reader = country.gateways["hpa"].core.reader
    with pytest.raises(Problem) as problem:
        artefacts.read_consent(spread, country.snapshot().consent_issuers, reader, clock.now())
    assert problem.value.slug == "consent-foreign"


def test_what_an_artefact_says(country: Country) -> None:
    claims = claims_of(consent(country))
    ris = country.snapshot().gateways["TW/GOV/ris/gw1"]
    assert (claims["aud"], claims["requester"], claims["cnf"]) == (BIRTHS, CASES, {"kid": ris.message_kid})
    assert claims["sub"] == claims_of(consent(country))["sub"], "one name of a person towards one provider"
    assert claims["sub"] != claims_of(consent(country, subject=FATHER))["sub"]
    assert claims["sub"] != claims_of(consent(country, provider="TW/GOV/ris/household/people.v1"))["sub"]
    assert MOTHER not in json.dumps(claims)


def test_another_gateways_key_may_not_use_it(country: Country) -> None:
    portal = country.sdk("TW/GOV/portal/portal")
    right = {**country.data()["rights"][1], "client": "TW/GOV/portal/portal"}
    country.publish(rights=[*country.data()["rights"], right])
    stolen = consent(country)
    with pytest.raises(Problem, match="consent-foreign"):
        ask_births(portal, basis=None, consent=stolen)
    forged = consent(country, requester="TW/GOV/portal/portal")
    assert ask_births(portal, basis=None, consent=forged).status == 200
    refused(country, "consent-foreign", forged)


def test_its_holder_is_the_key_and_not_the_name(country: Country) -> None:
    issuer = country.gateways["portal"].core
    hpa = country.snapshot().gateways["TW/GOV/hpa/gw1"]
    terms = {"provider": BIRTHS, "requester": CASES, "fields": ["born_on"], "purpose": PURPOSE, "jti": "j-1"}
    made = artefacts.make_consent(
        issuer="TW/GOV/portal",
        key=issuer.home.p256("consent"),
        to=hpa.recipient,
        subject=MOTHER,
        pairwise="p",
        holder=keys.thumbprint(keys.generate_p256().public_key()),
        terms={**terms, "expires_at": (clock.now() + timedelta(minutes=1)).isoformat()},
        now=clock.now(),
    )
    refused(country, "consent-foreign", made)


def test_taken_back_at_its_issuer_it_opens_nothing(country: Country) -> None:
    given = consent(country, jti="take-me-back")
    assert ask(country, given).status == 200
    expires = (clock.now() + timedelta(minutes=5)).isoformat()
    country.sdk("TW/GOV/portal/portal").revoke_consent(jti="take-me-back", expires_at=expires)
    assert country.records("portal")[-1]["kind"] == "consent-revoked"
    age(country, 31)
    ask_quietly(country, given)  # within the minute the old word may still count; a new one is asked for
    country.behind.seen.clear()
    wait_for(lambda: "take-me-back" in country.gateways["hpa"].core.consents._words["TW/GOV/portal"].revoked)
    refused(country, "consent-revoked", given)
    assert country.behind.seen == []
    with pytest.raises(Problem, match="not-allowed-here"):
        country.sdk().revoke_consent(jti="x", expires_at=expires)


def test_taken_back_it_stays_so_where_the_clock_is_late(country: Country) -> None:
    """By the issuer's clock it has ended meanwhile, by the provider's it has not."""
    given = consent(country, jti="late-clock")
    expires = (clock.now() - timedelta(seconds=20)).isoformat()
    country.sdk("TW/GOV/portal/portal").revoke_consent(jti="late-clock", expires_at=expires)
    age(country, 61)
    country.behind.seen.clear()
    refused(country, "consent-revoked", given)
    assert country.behind.seen == []


def test_without_a_fresh_word_nothing_is_released(country: Country) -> None:
    given = consent(country)
    assert ask(country, given).status == 200
    country.halt("portal")
    try:
        age(country, 45)
        assert ask(country, given).status == 200, "the last word still counts"
        age(country, 61)
        country.behind.seen.clear()
        problem = refused(country, "consent-status-unknown", given)
        assert (problem.status, problem.extra["issuer"]) == (503, "TW/GOV/portal")
        assert country.behind.seen == []
    finally:
        country.start("portal")
    assert ask(country, given).status == 200


@pytest.mark.parametrize("lie", ["another-issuer", "another-key", "old", "error", "nonsense"])
def test_a_word_that_is_not_the_issuers_does_not_count(country: Country, lie: str) -> None:
    given = consent(country)
    portal = country.gateways["portal"].core
    now = int(clock.now().timestamp())
    claims = {"iss": "TW/GOV/portal", "iat": now, "exp": now + 60, "revoked": []}
    key = portal.home.p256("consent")

    async def answer(request: Request) -> Response:
        if lie == "error":
            return Response(500)
        if lie == "nonsense":
            return Response(200, {}, b"...")
        signer = keys.generate_p256() if lie == "another-key" else key
        told = {**claims, **({"iss": "TW/GOV/ris"} if lie == "another-issuer" else {})}
        told |= {"iat": now - 300, "exp": now - 240} if lie == "old" else {}
        token = jws.sign(told, signer, keys.thumbprint(key.public_key()), consent_status.TYPE)
        return Response(200, {}, token.encode())

    portal.consents.answer = answer  # type: ignore[method-assign]
    forget_words(country)
    try:
        refused(country, "consent-status-unknown", given)
    finally:
        del portal.consents.answer  # type: ignore[attr-defined]
    assert ask(country, given).status == 200


def test_it_is_checked_again_before_the_answer_is_released(country: Country) -> None:
    """Taken back while the service was working: the answer stays with its own gateway."""
    given = consent(country, jti="while-working")
    ask(country, given)

    def works(request: Request) -> Response:
        words = country.gateways["hpa"].core.consents._words
        words["TW/GOV/portal"] = dataclasses.replace(words["TW/GOV/portal"], revoked=frozenset({"while-working"}))
        return country.behind.births(request)

    country.behind.answer = works
    try:
        refused(country, "consent-revoked", given)
    finally:
        forget_words(country)
    assert len(country.behind.seen) == 2
    country.behind.answer = lambda request: (country.publish(rights=[]), country.behind.births(request))[1]
    refused(country, "right-missing", given)


def test_a_single_use_is_used_when_the_answer_is_released(country: Country) -> None:
    once = consent(country, single_use=True)
    entered, gate = threading.Barrier(3), threading.Event()

    async def together(request: Request) -> Response:
        import asyncio

        await asyncio.to_thread(entered.wait, 10)
        await asyncio.to_thread(gate.wait, 10)
        return country.behind.births(request)

    server = country._server
    assert server is not None
    server.handler = together
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(str(ask(country, once).status))
        except Problem as problem:
            outcomes.append(problem.slug)

    callers = [threading.Thread(target=one) for _ in range(2)]
    for caller in callers:
        caller.start()
    entered.wait(10)
    gate.set()
    for caller in callers:
        caller.join(20)
    server.handler = country.behind.handle
    assert sorted(outcomes) == ["200", "consent-used"], "two that raced: one answer is released"
    country.behind.seen.clear()
    refused(country, "consent-used", once)
    assert country.behind.seen == [], "later ones do not reach the service"


def test_a_repeat_under_the_same_key_is_the_same_use(country: Country) -> None:
    once = consent(country, single_use=True)
    first = ask(country, once, idempotency_key="consent-key")
    again = ask(country, once, idempotency_key="consent-key")
    assert first.body == again.body
    refused(country, "consent-used", once, idempotency_key="another-key")


def age(country: Country, seconds: int) -> None:
    """Let the word that hpa has be this old."""
    words = country.gateways["hpa"].core.consents._words
    for issuer, word in list(words.items()):
        words[issuer] = dataclasses.replace(word, asked=clock.now().timestamp() - seconds)


def ask_quietly(country: Country, artefact: str) -> None:
    try:
        ask(country, artefact)
    except Problem as problem:
        if problem.slug != "consent-revoked":
            raise
