"""Her trail by class: masked, delayed, sealed; what a guardian and an auditor see; and that every look is noted."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from smartgov.engines.ledger import checkpoint
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import trail
from smartgov.engines.troad.tests.country import CASES, FATHER, LAW, MOTHER, PEOPLE, Country, ask_births, running
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_restore_process import both
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PORTAL, HPA, SYSTEM = "TW/GOV/portal/portal", "TW/GOV/hpa", "TW/GOV/hpa/births"
DAY = timedelta(days=1)


def declare(country: Country, visibility: Any) -> None:
    """Let the service's member declare how its uses appear."""
    first, *others = country.data()["services"]
    country.publish(services=[{**first, "visibility": visibility}, *others])


def told(country: Country, person: str = MOTHER, mandate: Any = None) -> Any:
    """The trail answer that a person gets."""
    portal = country.sdk(PORTAL)
    return portal.trail(HPA, portal.token(subject=person, audience=HPA, assurance=3, mandate=mandate))


def shown(answer: Any) -> list[dict[str, Any]]:
    """The records of an answer, all of which are proven."""
    members = {"log_key": answer["log_key"]}
    verdict = trail.verify(answer, None, members["log_key"], "TW/GOV/hpa/gw1")
    assert verdict.entries_proven
    return [entry.record for entry in verdict.entries]


def exchanges(country: Country, person: str = MOTHER) -> list[str]:
    return [str(record.get("id")) for record in shown(told(country, person))]


def refused(country: Country) -> None:
    with pytest.raises(Problem):
        ask_births(country.sdk(), purpose="curiosity")


def at(monkeypatch: pytest.MonkeyPatch, country: Country, days: int) -> None:
    """Let hpa's gateway list as on a later day."""
    from smartgov.engines.troad import trail_door

    real = trail_door.Look

    def later(subject: str, now: int, *others: Any) -> Any:
        return real(subject, now + days * 86_400, *others)

    monkeypatch.setattr(trail_door, "Look", later)
    sound = trail_door.visibility.seals_in_force
    monkeypatch.setattr(
        trail_door.visibility, "seals_in_force", lambda services, now: sound(services, now + days * 86_400)
    )


def test_a_masked_use_shows_who_when_and_why_and_no_case_and_the_rest_is_committed_to(country: Country) -> None:
    declare(country, "third-person-masked")
    exchange = ask_births(country.sdk()).exchange_id
    record = next(one for one in shown(told(country)) if one.get("id") == exchange)
    assert {"client", "service", "time", "purpose", "basis", "veil"} <= set(record)
    assert not {"user", "issue", "fields"} & set(record)
    assert "case-1" not in json.dumps(country.records("hpa")[-3:])


def test_the_auditors_bundle_opens_the_mask_and_both_verifiers_hold_it_to_the_record(
    country: Country, tmp_path: Any
) -> None:
    from smartgov.engines.troad.tests.stamped import evidence

    declare(country, "third-person-masked")
    exchange = ask_births(country.sdk()).exchange_id
    bundle = evidence(country, exchange, SYSTEM)
    (tmp_path / "root.json").write_bytes(country.centre.anchor)
    clear = json.loads(base64.b64decode(bundle["entries"][0]["veil"]))
    assert (clear["user"], clear["issue"]) == ("s1", "case-1")
    assert clear["fields"] == ["born_on", "hospital", "mother_id"]
    assert both(bundle, tmp_path)[1] == ("stamp-missing",)
    bundle["entries"][0]["veil"] = base64.b64encode(b'{"user":"somebody else"}').decode()
    assert both(bundle, tmp_path)[1] == ("veil",)


@pytest.fixture
def own_country(tmp_path: Any) -> Iterator[Country]:
    """What is hidden for long would turn up in the tests of others."""
    with running(tmp_path) as country:
        yield country


def declare_right(country: Country, visibility: Any, service: Any = "own") -> None:
    """Let the right of the tests have a class of its own beside its service's."""
    (first, *others), (right, *rest) = country.data()["services"], country.data()["rights"]
    country.publish(
        services=[{**first, "visibility": service}, *others], rights=[{**right, "visibility": visibility}, *rest]
    )


def test_a_right_of_its_own_class_hides_its_uses_and_refusals_and_no_others(
    own_country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    country = own_country
    until = str((clock.now() + 30 * DAY).date())
    declare_right(country, {"class": "sealed", "order": "115-7", "until": until})
    before = exchanges(country)
    sealed = ask_births(country.sdk()).exchange_id
    refused(country)
    assert exchanges(country) == before
    at(monkeypatch, country, 31)
    (record,) = [one for one in shown(told(country)) if one.get("id") == sealed]
    assert record["seal"] == "115-7"


def test_an_order_for_a_right_that_is_prolonged_keeps_back_what_it_sealed_before(
    own_country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    country = own_country
    seal = {"class": "sealed", "order": "115-8", "until": str((clock.now() + 30 * DAY).date())}
    declare_right(country, seal)
    sealed = ask_births(country.sdk()).exchange_id
    declare_right(country, {**seal, "until": str((clock.now() + 90 * DAY).date())})
    at(monkeypatch, country, 31)
    assert sealed not in exchanges(country)


def test_service_and_right_both_hold(own_country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    country = own_country
    declare_right(country, {"class": "delayed", "days": 5}, service="third-person-masked")
    exchange = ask_births(country.sdk()).exchange_id
    assert exchange not in exchanges(country)
    at(monkeypatch, country, 6)
    (record,) = [one for one in shown(told(country)) if one.get("id") == exchange]
    assert "veil" in record
    assert not {"user", "issue", "fields"} & set(record)


def test_an_erased_exchange_has_no_mask_to_open(country: Country) -> None:
    declare(country, "third-person-masked")
    exchange = ask_births(country.sdk()).exchange_id
    store = country.gateways["hpa"].core.store
    with store.reading() as (db, _):
        (index,) = db.execute("SELECT idx FROM veil WHERE exchange = ?", (exchange,)).fetchone()
    assert store.veil(index) is not None
    country.run(store.erase(exchange))
    assert store.veil(index) is None


def test_a_delayed_use_and_its_refusal_appear_when_the_days_are_over(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(country, {"class": "delayed", "days": 30})
    with monkeypatch.context() as later:
        at(later, country, 29)
        before = exchanges(country)
    exchange = ask_births(country.sdk()).exchange_id
    refused(country)
    assert exchange not in exchanges(country)
    at(monkeypatch, country, 29)
    assert exchanges(country) == before
    at(monkeypatch, country, 2)
    after = exchanges(country)
    assert len(after) == len(before) + 2
    assert exchange in after


def observed(country: Country) -> Any:
    """The shape of all that she is told: every length and number, and nothing that is random."""
    answer = told(country)
    entries = [(entry["index"], len(entry["record"]), len(entry["proof"])) for entry in answer["entries"]]
    return sorted(answer), entries, checkpoint.parse(answer["checkpoint"]).size, len(json.dumps(answer))


def test_a_sealed_use_changes_no_list_count_or_size(tmp_path: Any) -> None:
    """In one country a use about her is sealed; in its twin the use is about somebody else. She cannot tell which."""
    seen = []
    for name, person in (("sealed", MOTHER), ("twin", FATHER)):
        with running(tmp_path / name) as country:
            ask_births(country.sdk())
            first = observed(country)
            declare(country, {"class": "sealed", "order": "114-1", "until": str((clock.now() + 60 * DAY).date())})
            ask_births(country.sdk(), subject=person)
            refused(country)
            seen.append([first, observed(country), observed(country)])
            hidden = country.gateways["hpa"].core.pseudonym(MOTHER)
            with country.gateways["hpa"].core.store.reading() as (db, _):
                (count,) = db.execute("SELECT count(*) FROM later WHERE hmac = ?", (hidden,)).fetchone()
            assert count == (2 if person is MOTHER else 1)
    assert seen[0] == seen[1]


def test_a_seal_ends_on_its_day_and_a_prolonged_one_later(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    before = exchanges(country)
    end, later = (str((clock.now() + days * DAY).date()) for days in (10, 100))
    declare(country, {"class": "sealed", "order": "114-1", "until": end})
    exchange = ask_births(country.sdk()).exchange_id
    refused(country)
    assert country.records("hpa")[-1]["seal"] == "114-1"
    assert exchanges(country) == before
    at(monkeypatch, country, 11)
    assert exchange in exchanges(country)
    declare(country, {"class": "sealed", "order": "114-1", "until": later})
    assert exchange not in exchanges(country), "the order was prolonged before its end"
    declare(country, {"class": "sealed", "order": "114-2", "until": later})
    assert exchange in exchanges(country), "another order is not this one's"


def test_a_guardian_does_not_see_what_the_mandate_excludes(country: Country) -> None:
    ask_births(country.sdk())
    country.sdk(SYSTEM).append([{"kind": "local-read", "subject": MOTHER, "actor": "s1", "purpose": "counselling"}])
    everything = shown(told(country))
    for excludes, left in (
        (["purpose:counselling"], lambda one: one.get("purpose") != "counselling"),
        (["TW/GOV/hpa/births/births.v1"], lambda one: one.get("service") != "TW/GOV/hpa/births/births.v1"),
        (["TW/GOV/hpa"], lambda one: False),
    ):
        seen = shown(told(country, mandate={"id": "mandate-1", "excludes": excludes}))
        assert seen == [record for record in everything if left(record)]
        assert country.records("hpa")[-2]["mandate"] == "mandate-1", "the look names the mandate"
    assert everything != seen


def test_the_mandate_stands_in_the_signed_token_and_has_one_form(country: Country) -> None:
    portal = country.sdk(PORTAL)
    for wrong in ("x", {"id": "m"}, {"id": "", "excludes": []}, {"id": "m", "excludes": [1]}):
        with pytest.raises(Problem) as refusal:
            portal._send(
                "POST",
                "/local/v1/tokens",
                {
                    "subject": f"urn:tw:nid:{MOTHER}",
                    "audience": HPA,
                    "assurance": 3,
                    "jti": "j-1",
                    "mandate": wrong,
                },
            )
        assert refusal.value.slug == "record-invalid"


@pytest.fixture
def auditor(country: Country) -> Any:
    """hpa's own auditor: its system with the ability `evidence`."""
    country.halt("hpa")
    entry = homes.content.parse((country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
    entry["births"]["may"] = ["evidence"]
    settings(country, "hpa", subsystems=entry)
    country.start("hpa")
    return country.sdk(SYSTEM)


def test_an_auditor_sees_all_says_why_and_is_noted(country: Country, auditor: Any) -> None:
    declare(country, {"class": "sealed", "order": "114-9", "until": "2099-01-01"})
    sealed = ask_births(country.sdk()).exchange_id
    declare(country, "third-person-masked")
    masked = ask_births(country.sdk()).exchange_id
    declare(country, {"class": "delayed", "days": 5})
    delayed = ask_births(country.sdk()).exchange_id
    answer = auditor.audit(subject=MOTHER, reason="complaint 12 of 2026")
    verdict = trail.verify(answer, None, answer["log_key"], "TW/GOV/hpa/gw1")
    assert verdict.entries_proven
    by_id = {one.record.get("id"): raw for one, raw in zip(verdict.entries, answer["entries"], strict=True)}
    assert by_id[sealed]["seal"] == "114-9"
    assert by_id[masked]["veil"]["issue"] == "case-1"
    assert by_id[delayed]["shown_from"] > clock.now().timestamp()
    note = [record for record in country.records("hpa") if record.get("audit")][-1]
    assert (note["kind"], note["purpose"], note["client"]) == ("trail", "complaint 12 of 2026", SYSTEM)
    assert note["subject"] == country.gateways["hpa"].core.pseudonym(MOTHER)
    assert set(exchanges(country)).isdisjoint({sealed, delayed}), "the audit itself lifts nothing"


def test_only_an_auditor_with_a_reason_may(country: Country, auditor: Any) -> None:
    with pytest.raises(Problem) as refusal:
        auditor.audit(subject=MOTHER, reason=" ")
    assert refusal.value.slug == "record-invalid"
    with pytest.raises(Problem) as refusal:
        country.sdk(CASES).audit(subject=MOTHER, reason="curiosity")
    assert refusal.value.slug == "not-allowed-here"


def test_the_own_members_door_masks_and_hides_as_well(country: Country) -> None:
    services = country.data()["services"]
    country.publish(services=[services[0], {**services[1], "visibility": "third-person-masked"}])
    country.sdk().call(PEOPLE, "GET", "/people/1", subject=MOTHER, basis=LAW, purpose="care", issue="case-7")
    record = [one for one in country.records("ris") if one["kind"] == "request" and one["side"] == "own"][-1]
    assert "issue" not in record
    assert record["veil"].startswith("hmac-sha-256=:")


def test_an_offer_that_cannot_be_read_closes_its_own_service_and_no_other(country: Country) -> None:
    from smartgov.engines.troad import snapshot

    first, second = country.data()["services"]
    wrong = {**first, "visibility": {"class": "sealed", "order": "114-1"}}
    data = {**country.data(), "services": [wrong, second], "version": 1, "expires_at": clock.now().isoformat()}
    with pytest.raises(ValueError, match="seal"):
        snapshot.parse(data)
    read, unreadable = snapshot.readable(data)
    assert unreadable == (first["id"],)
    assert set(snapshot.parse(read).services) == {second["id"]}
    assert {service for _, service in snapshot.parse(read).rights} == {second["id"]}
    country.publish(services=[wrong, second])
    with pytest.raises(Problem) as refusal:
        ask_births(country.sdk())
    assert refusal.value.slug == "service-unknown"
    assert country.sdk().call(PEOPLE, "GET", "/people/1", subject=MOTHER, basis=LAW, purpose="care").status == 200
    assert f"offer-unreadable:{first['id']}" in country.sdk().health()["configuration"]["alarms"]
