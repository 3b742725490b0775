"""Every way to be refused by the provider's gateway: a problem type, a record, and nothing reaches the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.httpd import Response
from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import (
    BIRTHS,
    CASES,
    FATHER,
    LAW,
    MOTHER,
    PEOPLE,
    PURPOSE,
    Country,
    Message,
    Rogue,
    ask_births,
    problem_type,
)
from smartgov.engines.trust import Centre
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def refused(country: Country, answer: Response, slug: str) -> None:
    """The refusal has its type, is in hpa's log, and the service behind was not called."""
    assert problem_type(answer) == slug
    record = country.records("hpa")[-1]
    assert (record["kind"], record["side"], record["reason"]) == ("refusal", "provider", slug)
    assert country.behind.seen == []


def test_a_sound_message_is_answered(country: Country) -> None:
    """So that the refusals below are refused for what they change and nothing else."""
    rogue = Rogue(country)
    assert rogue.send(rogue.sign(rogue.message())).status == 200


def test_a_wrong_key(country: Country) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message(), key=keys.generate_p256())
    refused(country, rogue.send(message), "signer-unknown")


def test_a_wrong_key_under_a_registered_name(country: Country) -> None:
    rogue = Rogue(country)
    message, forged = rogue.sign(rogue.message()), keys.generate_p256()
    right = keys.thumbprint(rogue.signer.p256("message").public_key())
    rogue.sign(message, key=forged)
    fields = message.head.fields
    fields["signature-input"] = fields["signature-input"].replace(keys.thumbprint(forged.public_key()), right)
    refused(country, rogue.send(message), "signature-invalid")


def test_a_peer_that_is_not_the_signer(country: Country) -> None:
    rogue = Rogue(country, tls="portal", signer="ris")
    refused(country, rogue.send(rogue.sign(rogue.message())), "peer-mismatch")


def test_a_peer_that_was_removed(country: Country) -> None:
    rogue = Rogue(country)
    data = country.data()
    members = [one for one in data["members"] if one["id"] != "TW/GOV/ris"]
    kept = {
        "members": members,
        "subsystems": [name for name in data["subsystems"] if "/ris/" not in name],
        "services": data["services"][:1],
        "rights": [],
    }
    country.publish(**kept)
    refused(country, rogue.send(rogue.sign(rogue.message())), "peer-unknown")


def test_a_peer_without_a_listed_certificate_gets_no_connection(country: Country, tmp_path: Any) -> None:
    homes.create(tmp_path, member="stranger", port=1, local_port=2, subsystems={})
    rogue = Rogue(country)
    rogue.here = homes.load(tmp_path)
    with pytest.raises(OSError, match=r"cannot reach|hung up"):
        rogue.send(rogue.sign(rogue.message()))


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"x_road_client": "TW/GOV/ris/nobody"}, "client-unknown"),
        ({"x_road_client": "TW/GOV/portal/portal"}, "client-mismatch"),
        ({"x_road_client": "TW/GOV/ris/household"}, "right-missing"),
        ({"troad_receiver": "TW/GOV/nhi/gw1"}, "receiver-mismatch"),
        ({"troad_receiver": "TW/GOV/hpa/gw2"}, "receiver-mismatch"),
        ({"troad_purpose": None}, "purpose-required"),
        ({"troad_purpose": "curiosity"}, "purpose-not-granted"),
        ({"troad_basis": None}, "basis-required"),
        ({"troad_basis": "another-act"}, "basis-not-granted"),
        ({"troad_fields": "born_on,weight_g"}, "fields-not-granted"),
        ({"x_road_id": "no spaces please"}, "message-id-invalid"),
        ({"troad_consent": "nonsense"}, "consent-invalid"),
        ({"troad_subject": "a.b.c.d.e"}, "reference-invalid"),
        ({"x_road_userid": MOTHER}, "person-in-clear"),
        ({"person": None}, "subject-required"),
        ({"body": json.dumps({"note": f"born to {MOTHER}"}).encode()}, "person-in-clear"),
        ({"body": b'{"note": "\\u00' + f"{ord(MOTHER[0]):02x}{MOTHER[1:]}".encode() + b'"}'}, "person-in-clear"),
        ({"body": json.dumps({"where": {"mother_id": national_id.urn(FATHER)}}).encode()}, "subject-mismatch"),
    ],
)
def test_a_changed_message(country: Country, changes: dict[str, Any], slug: str) -> None:
    rogue = Rogue(country)
    refused(country, rogue.send(rogue.sign(rogue.message(**changes))), slug)


def test_another_person_is_allowed_only_where_the_service_says_so(country: Country) -> None:
    rogue = Rogue(country)
    body = json.dumps({"where": {"father_id": national_id.urn(FATHER), "mother_id": national_id.urn(MOTHER)}})
    assert rogue.send(rogue.sign(rogue.message(body=body.encode()))).status == 200
    assert json.loads(country.behind.seen[0].body) == json.loads(body)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/births/query"), ("POST", "/births"), ("POST", "/births/query/x")]
)
def test_another_method_or_path_has_no_right(country: Country, method: str, path: str) -> None:
    rogue = Rogue(country)
    message = rogue.message()
    message.head.method, message.head.path = method, f"/r1/{BIRTHS}{path}"
    refused(country, rogue.send(rogue.sign(message)), "right-missing")


@pytest.mark.parametrize("path", ["/births/../people", "/births/%2e%2e/people", "/births//query", "/births%2fquery"])
def test_a_path_that_reads_two_ways(country: Country, path: str) -> None:
    rogue = Rogue(country)
    message = rogue.message()
    message.head.path = f"/r1/{BIRTHS}{path}"
    refused(country, rogue.send(rogue.sign(message)), "address-invalid")


def test_a_person_in_the_query(country: Country) -> None:
    rogue = Rogue(country)
    message = rogue.message()
    message.head.query = "mother=" + MOTHER.replace("0", "%30", 1)
    refused(country, rogue.send(rogue.sign(message)), "person-in-clear")
    assert MOTHER not in json.dumps(country.records("hpa"))


def change_body(message: Message) -> None:
    message.body = b'{"where":{"id":1}}'


def change_salt(message: Message) -> None:
    message.head.fields["troad-salt"] = bodies.commit(b"")[1]["troad-salt"]


def change_digest(message: Message) -> None:
    message.head.fields["content-digest"] = bodies.commit(b"other")[1]["content-digest"]


def change_both(message: Message) -> None:
    change_body(message)
    message.head.fields.update(bodies.commit(message.body)[1])


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (change_body, "body-changed"),
        (change_salt, "body-changed"),
        (change_digest, "body-changed"),
        (change_both, "signature-invalid"),
    ],
)
def test_a_body_changed_after_signing(country: Country, change: Callable[[Message], None], slug: str) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message())
    change(message)
    refused(country, rogue.send(message), slug)


@pytest.mark.parametrize("name", ["x-road-client", "troad-subject", "troad-purpose", "x-road-id", "content-type"])
def test_a_field_changed_after_signing(country: Country, name: str) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message())
    message.head.fields[name] = "application/xml" if name == "content-type" else message.head.fields[name][:-1] + "x"
    refused(country, rogue.send(message), "signature-invalid")


def test_a_field_added_after_signing_does_not_exist(country: Country) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message(troad_purpose=None))
    message.head.fields["troad-purpose"] = PURPOSE
    refused(country, rogue.send(message), "purpose-required")
    message = rogue.sign(rogue.message())
    message.head.fields |= {"x-road-userid": "forged", "x-troad-basis-kind": "forged", "idempotency-key": "forged"}
    assert rogue.send(message).status == 200
    assert "forged" not in json.dumps(dict(country.behind.seen[0].headers))


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"troad-body" ', ""),
        lambda text: text.replace('"troad-receiver" ', ""),
        lambda text: text.replace("troad-v2", "troad-v0"),
        lambda text: text.replace('"@method"', '"@method" "@method"'),
        lambda text: "",
    ],
)
def test_a_signature_that_covers_too_little(country: Country, edit: Callable[[str], str]) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message())
    message.head.fields["signature-input"] = edit(message.head.fields["signature-input"])
    refused(country, rogue.send(message), "signature-missing")


@pytest.mark.parametrize("seconds", [-62, 62])
def test_a_stale_message(country: Country, seconds: int) -> None:
    rogue = Rogue(country)
    refused(country, rogue.send(rogue.sign(rogue.message(), created=rogue.now + seconds)), "message-stale")


def test_a_reference_taken_from_another_message(country: Country) -> None:
    rogue = Rogue(country)
    other = rogue.message().head.fields["troad-subject"]
    refused(country, rogue.send(rogue.sign(rogue.message(troad_subject=other))), "reference-invalid")


def test_a_replay(country: Country) -> None:
    rogue = Rogue(country)
    message = rogue.sign(rogue.message())
    assert rogue.send(message).status == 200
    country.behind.seen.clear()
    refused(country, rogue.send(message), "replay")


def test_an_error_of_the_gateway_itself_is_a_signed_and_recorded_refusal(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartgov.engines.troad.rights.authorise", lambda *given: {}["nothing"])
    rogue = Rogue(country)
    answer = rogue.send(rogue.sign(rogue.message()))
    refused(country, answer, "gateway-failed")
    assert answer.headers["troad-refusal"] == "gateway-failed"
    assert "signature" in answer.headers


def test_an_expired_configuration_stops_both_sides(country: Country) -> None:
    country.publish(at=clock.now() - timedelta(hours=48, seconds=1))
    rogue = Rogue(country)
    refused(country, rogue.send(rogue.sign(rogue.message())), "configuration-expired")
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk())
    assert problem.value.slug == "configuration-expired"
    assert problem.value.what.zh == "T-Road 設定已過期。"
    assert country.records("ris")[-1]["reason"] == "configuration-expired"
    assert country.sdk().health()["healthy"] is False


def test_an_older_or_foreign_configuration_is_not_taken(country: Country, tmp_path: Path) -> None:
    older = country.publish(rights=[])
    country.publish()
    assert ask_births(country.sdk()).status == 200, "so that both have taken the present one"
    foreign = Centre.create(tmp_path / "elsewhere", clock.now())
    foreign.publish(
        {**country.data(), "rights": [], "services": []}, member_keys={}, sign=homes.sign_offer, now=clock.now()
    )
    for forged in (older, foreign.repository.bundle(), b"nonsense"):
        homes.set_bundle(country.folder / "hpa", forged)
        assert ask_births(country.sdk()).status == 200


def test_within_a_day_after_its_end_a_configuration_still_serves(country: Country) -> None:
    country.publish(at=clock.now() - timedelta(hours=30))
    assert ask_births(country.sdk()).status == 200
    assert country.sdk().health()["configuration"]["in_grace"] is True


def test_the_local_door_asks_for_the_secret_and_the_right_name(country: Country) -> None:
    sdk = country.sdk()
    cases = [({"_secret": "x" * 43}, "credentials-invalid"), ({"client_id": "TW/GOV/ris/x"}, "client-mismatch")]
    for changes, slug in cases:
        other = country.sdk()
        for name, value in changes.items():
            setattr(other, name, value)
        with pytest.raises(Problem) as problem:
            ask_births(other)
        assert problem.value.slug == slug
    with pytest.raises(Problem) as problem:
        sdk.token(subject=MOTHER, audience="TW/GOV/hpa", assurance=2)
    assert problem.value.slug == "not-allowed-here"


def test_a_clear_id_does_not_leave_the_own_gateway(country: Country) -> None:
    before = len(country.records("hpa"))
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), json={"note": MOTHER})
    assert problem.value.slug == "person-in-clear"
    assert len(country.records("hpa")) == before
    assert country.records("ris")[-1]["reason"] == "person-in-clear"


def test_the_basis_of_a_right_is_not_that_of_another(country: Country) -> None:
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), basis=LAW, fields=["weight_g"])
    assert problem.value.slug == "fields-not-granted"
    assert ask_births(country.sdk(), fields=["born_on"]).body["items"] == [{"born_on": "2026-11-01"}]


def test_a_path_that_names_another_member_than_the_receiver(country: Country) -> None:
    rogue = Rogue(country)
    message = rogue.message()
    message.head.path = f"/r1/{PEOPLE}/people"
    refused(country, rogue.send(rogue.sign(message)), "receiver-mismatch")


def asked(country: Country, slug: str, service: str = BIRTHS, **changes: Any) -> None:
    """The own gateway refuses before anything is sent."""
    before = len(country.records("hpa"))
    with pytest.raises(Problem) as problem:
        country.sdk().call(
            service, "POST", "/births/query", json={}, subject=MOTHER, purpose=PURPOSE, basis=LAW, **changes
        )
    assert problem.value.slug == slug
    assert country.records("ris")[-1]["reason"] == slug
    assert len(country.records("hpa")) == before


def test_the_own_gateway_refuses_what_leads_nowhere(country: Country) -> None:
    asked(country, "service-unknown", "TW/GOV/nobody/births/births.v1")
    asked(country, "service-unknown", "TW/GOV/hpa/births/births.v9")
    asked(country, "message-id-invalid", exchange_id="short")


def test_the_own_gateway_refuses_a_client_that_is_no_longer_registered(country: Country) -> None:
    data = country.data()
    country.publish(
        subsystems=[name for name in data["subsystems"] if name != CASES],
        rights=[right for right in data["rights"] if right["client"] != CASES],
    )
    asked(country, "client-unknown")


def test_a_gateway_without_a_configuration(country: Country) -> None:
    country.halt("ris")
    (country.folder / "ris" / "configuration.json").unlink()
    country.start("ris")
    asked(country, "configuration-missing")
    assert country.sdk().health()["healthy"] is False
