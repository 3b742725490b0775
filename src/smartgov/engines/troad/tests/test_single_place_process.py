"""What may happen only once happens once at a member with two gateways, whichever is named, listed first or gone."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines import trust
from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import looking_after
from smartgov.engines.troad.tests.country import BIRTHS, CASES, MOTHER, PURPOSE, ask_births, wait_for
from smartgov.engines.troad.tests.test_two_gateways_process import FIRST, HPA, PORTAL, SECOND, Two
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Both gateways of hpa, and a service that says how often it was asked."""
    enable_socket()
    made, numbers = Two(tmp_path), count(1)
    made.add()
    made.publish()

    def numbered(request: Request) -> Response:
        return Response.json({"hospital": f"number {next(numbers)}", "born_on": "2026-11-01"}, 201)

    made.country.behind.answer = numbered
    yield made
    made.stop()


def refused(two: Two, slug: str, code: str, **changes: Any) -> Problem:
    """The refusal of a call, which stands in the log of the gateway with this home, and of which nothing was done."""
    two.country.behind.seen.clear()
    with pytest.raises(Problem) as problem:
        ask_births(two.country.sdk(), **changes)
    assert problem.value.slug == slug
    last = [record for record in two.country.records(code) if record["kind"] == "refusal"][-1]
    assert last["reason"] == slug
    assert two.country.behind.seen == [], "nothing was done"
    return problem.value


def provider(two: Two, **changes: Any) -> str:
    """The gateway that answered a call."""
    assert two.kept.ask(**changes) == "answered"
    return list(two.kept.told.values())[-1].provider


def consent(two: Two, **changes: Any) -> str:
    end = (clock.now() + timedelta(days=1)).isoformat()
    terms = {"provider": BIRTHS, "requester": CASES, "fields": ["born_on"], "purpose": PURPOSE, "expires_at": end}
    return two.country.sdk(PORTAL).consent(subject=MOTHER, single_use=True, **terms, **changes)


def move(two: Two, to: str, since: int) -> None:
    """hpa signs that it counts at another gateway."""
    two.country.once = {"gateway": to, "since": since}
    first, *others = two.country.data()["services"]
    two.publish(services=[{**first, "retain_days": 400 + since % 100}, *others])


def test_a_key_is_taken_at_one_gateway_only_in_whatever_order_they_are_listed(two: Two) -> None:
    assert provider(two, idempotency_key="one-key") == FIRST
    problem = refused(two, "once-elsewhere", "hpa2", idempotency_key="one-key", gateway=SECOND)
    assert (problem.status, problem.extra["gateway"], problem.extra["refused_by"]) == (421, FIRST, SECOND)
    assert provider(two, gateway=SECOND) == SECOND, "without a key any may be asked"

    two.country.order = ("gw2", "gw1")
    two.publish()
    assert provider(two) == SECOND, "the centre lists it first now"
    two.country.behind.seen.clear()
    assert provider(two, idempotency_key="one-key") == FIRST, "and a key is where it was, asked for by nobody"
    assert two.country.behind.seen == [], "the kept answer"
    refused(two, "once-elsewhere", "hpa2", idempotency_key="one-key", gateway=SECOND)
    refused(two, "once-elsewhere", "hpa2", idempotency_key="another-key", gateway=SECOND)
    two.kept.hold()


def test_a_single_use_is_where_its_artefact_says(two: Two) -> None:
    early = consent(two)
    two.country.order = ("gw2", "gw1")
    two.publish()
    late = consent(two)
    for artefact in (early, late):
        problem = refused(two, "once-elsewhere", "hpa2", basis=None, consent=artefact, gateway=SECOND)
        assert problem.extra["gateway"] == FIRST
        assert provider(two, basis=None, consent=artefact) == FIRST, "the asker's gateway chose it by itself"
        refused(two, "consent-used", "hpa", basis=None, consent=artefact)
        refused(two, "once-elsewhere", "hpa2", basis=None, consent=artefact, gateway=SECOND)
    move(two, "gw2", int(clock.now().timestamp()))
    unused = consent(two)
    assert provider(two, basis=None, consent=unused) == SECOND, "what is issued from now on is used there"
    refused(two, "consent-used", "hpa", basis=None, consent=early)
    two.kept.hold()


def test_a_key_moves_when_the_gateway_before_has_surely_stopped(two: Two) -> None:
    before, made_before = uuid7(), "not-a-time"
    assert provider(two, idempotency_key=before) == FIRST
    move(two, "gw2", int(clock.now().timestamp()) + 3600)
    problem = refused(two, "once-moving", "hpa2", idempotency_key=uuid7())
    assert 3500 < problem.extra["retry_after"] <= 3600
    refused(two, "once-elsewhere", "hpa", idempotency_key=before, gateway=FIRST)
    assert provider(two) == FIRST, "what needs no key goes on"

    move(two, "gw2", int(clock.now().timestamp()) + 1)
    wait_for(lambda: two.kept.ask(idempotency_key=before) != "once-moving")
    for key in (before, made_before):  # the first one may have taken it
        assert refused(two, "outcome-unknown", "hpa2", idempotency_key=key).extra["moved"] is True
    fresh = uuid7()
    assert provider(two, idempotency_key=fresh) == SECOND
    assert provider(two, idempotency_key=fresh) == SECOND, "the kept answer"
    refused(two, "once-elsewhere", "hpa", idempotency_key=fresh, gateway=FIRST)
    two.kept.hold()


def test_a_gateway_that_is_gone_leaves_its_keys_closed_until_its_member_says_otherwise(two: Two) -> None:
    assert provider(two, idempotency_key="one-key") == FIRST
    artefact = consent(two)
    two.country.order = ("gw2",)
    two.publish()
    assert provider(two) == SECOND
    for changes in ({"idempotency_key": "one-key"}, {"basis": None, "consent": artefact}):
        assert refused(two, "once-elsewhere", "ris", **changes).extra["gateway"] == FIRST
        assert refused(two, "once-elsewhere", "hpa2", gateway=SECOND, **changes).extra["gateway"] == FIRST
    move(two, "gw2", int(clock.now().timestamp()) - 1)
    assert provider(two, idempotency_key=uuid7()) == SECOND
    refused(two, "outcome-unknown", "hpa2", idempotency_key="one-key")
    two.kept.hold("ris", "hpa2")


def test_the_own_members_systems_are_led_there_too(two: Two) -> None:
    """A system behind the second gateway calls its own member with a key: that is counted at the first."""
    births = two.country.sdk("TW/GOV/hpa/births")
    births = type(births)(
        two.country.url("hpa2"), homes.secret(two.country.folder / "hpa2", "births"), births.client_id
    )
    with pytest.raises(Problem) as led:
        ask_births(births, idempotency_key="own-key")
    assert led.value.extra["refused_by"] == FIRST, "over the wire, where it lacks the right"
    data = two.country.data()
    right = {**data["rights"][0], "client": "TW/GOV/hpa/births"}
    two.publish(rights=[*data["rights"], right])
    with pytest.raises(Problem) as refusal:
        ask_births(births, idempotency_key="own-key", gateway=SECOND)
    assert (refusal.value.slug, refusal.value.extra["gateway"]) == ("once-elsewhere", FIRST)
    assert ask_births(births, idempotency_key="own-key").provider == FIRST
    assert ask_births(births).provider == SECOND, "without a key its own gateway answers"


def test_signing_anew_moves_nothing(two: Two) -> None:
    """The second gateway signs for the member, as its keeper may: what counts once stays at the first."""
    folder, now = two.country.folder / "hpa2", clock.now()
    offer = homes.sign_offer(folder, member=HPA, services=[], rights=[], version=9, now=now)
    assert offer.body["once"] == {"gateway": "gw1", "since": 0}


def test_the_operator_moves_it_by_name_only(two: Two) -> None:
    country, folder = two.country, two.country.folder / "hpa"
    homes.set_bundle(folder, country.centre.repository.bundle())

    def signed(code: str = "hpa", listed: tuple[str, ...] = ("gw1", "gw2"), **given: Any) -> dict[str, Any]:
        said = trust.draft(HPA, country.data())
        said["gateways"] = {name: one for name, one in said["gateways"].items() if name in listed}
        options = Namespace(**{"gateway": ["gw2"], "once": None, "former_stopped": False, **given})
        offer = looking_after._signed(homes.load(country.folder / code), {"said": said, "version": 9}, options)
        found: dict[str, Any] = offer.body["once"]
        return found

    assert signed() == signed(once="gw1") == {"gateway": "gw1", "since": 0}
    now = int(clock.now().timestamp())
    moved = signed(once="gw2")
    assert moved["gateway"] == "gw2"
    assert 49 * 3600 <= moved["since"] - now < 50 * 3600
    assert 0 < signed(once="gw2", former_stopped=True)["since"] - now < 600
    with pytest.raises(Problem, match="once-unlisted"):
        signed(once="gw3")
    with pytest.raises(Problem, match="once-unlisted"):
        signed("hpa2", listed=("gw2",))
    assert signed("hpa2", listed=("gw2",), once="gw2", former_stopped=True)["gateway"] == "gw2"


def test_the_centre_takes_a_word_that_changes_nothing_else(two: Two) -> None:
    """The register says what it said before: what a member has handed in is published all the same."""
    country = two.country
    said = trust.draft(HPA, country.data())
    last = country.centre.repository.offer(HPA)
    assert last is not None
    once = {"gateway": "gw2", "since": 7}
    given = {"services": said["services"], "rights": said["rights"], "gateways": said["gateways"]}
    newer = homes.sign_offer(
        country.folder / "hpa", member=HPA, version=last.version + 1, now=clock.now(), once=once, **given
    )

    def publish(**handed: Any) -> Any:
        key = homes.configuration_key(country.folder / "hpa")
        country.centre.publish(
            country.data(), member_keys={HPA: key}, sign=lambda **_: newer, now=clock.now(), handed=handed
        )
        offer = country.centre.repository.offer(HPA)
        assert offer is not None
        return offer.body["once"]

    assert publish() == {"gateway": "gw1", "since": 0}
    assert publish(**{HPA: newer}) == once


def test_a_word_that_cannot_be_read_closes_the_keys_of_its_member_only(two: Two) -> None:
    two.country.once = {"gateway": 7}
    first, *others = two.country.data()["services"]
    two.publish(services=[{**first, "retain_days": 500}, *others])
    assert provider(two) == FIRST
    refused(two, "once-elsewhere", "ris", idempotency_key="some-key")
    refused(two, "once-elsewhere", "hpa", idempotency_key="some-key", gateway=FIRST)
