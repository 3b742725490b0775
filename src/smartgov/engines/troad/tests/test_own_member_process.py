"""An agency asks its own register: no wire, but the same rights and the same log; and what else its systems may do."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from smartgov.engines.httpd import Response, sync
from smartgov.engines.ledger import checkpoint
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import CHILD, FATHER, LAW, MOTHER, PEOPLE, PURPOSE, Country
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def test_the_own_register_is_asked_and_written_through_the_log(country: Country) -> None:
    country.behind.answer = lambda request: Response.json({"id": 1}, 201)
    child = {"child": {"national_id": national_id.urn(CHILD)}, "mother_id": national_id.urn(MOTHER)}
    answer = country.sdk().call(
        PEOPLE, "POST", "/people", json=child, subject=MOTHER, purpose=PURPOSE, basis=LAW, idempotency_key="case-1"
    )
    assert (answer.status, answer.body, answer.provider) == (201, {"id": 1}, "TW/GOV/ris/gw1")
    (seen,) = country.behind.seen
    assert json.loads(seen.body) == child
    assert seen.headers["idempotency-key"] == "case-1"
    mine = [record for record in country.records("ris") if record.get("id") == answer.exchange_id]
    assert [(record["kind"], record["side"]) for record in mine] == [("request", "own"), ("answer", "own")]
    assert not any(person in json.dumps(country.records("ris")) for person in (MOTHER, CHILD))


def test_the_own_register_is_guarded_like_any_other(country: Country) -> None:
    other = {"mother_id": national_id.urn(FATHER)}
    for given, slug in [
        ({"method": "POST", "path": "/other"}, "right-missing"),
        ({"method": "POST", "path": "/people", "json": other}, "subject-mismatch"),
        ({"method": "POST", "path": "/people", "json": {"note": MOTHER}}, "person-in-clear"),
        ({"method": "POST", "path": "/people", "basis": "none"}, "basis-not-granted"),
    ]:
        method, path = given.pop("method"), given.pop("path")
        with pytest.raises(Problem) as problem:
            country.sdk().call(
                PEOPLE, str(method), str(path), subject=MOTHER, purpose=PURPOSE, **{"basis": LAW, **given}
            )
        assert problem.value.slug == slug
        assert country.records("ris")[-1]["reason"] == slug
    assert country.behind.seen == []


def test_the_stored_bodies_open_until_they_are_erased(country: Country) -> None:
    country.behind.answer = lambda request: Response.json({"secret-word": "camphor"})
    sdk = country.sdk()
    answer = sdk.call(PEOPLE, "GET", "/people", subject=MOTHER, purpose=PURPOSE, basis=LAW)
    store = country.gateways["ris"].core.store
    index = int(answer.log_ref.split()[1])
    kept = store.message(index)
    assert kept is not None
    assert b"camphor" in kept[1]
    record = country.records("ris")[index]
    from smartgov.engines.troad import bodies

    assert bodies.commitment(kept[0], kept[1]) == record["body"], "body and salt prove the record"
    folder = country.folder / "ris"
    assert not any(b"camphor" in file.read_bytes() for file in folder.glob("log.sqlite3*")), "encrypted at rest"
    with pytest.raises(Problem) as problem:
        country.sdk("TW/GOV/ris/household").erase(answer.exchange_id)
    assert problem.value.slug == "not-allowed-here"
    assert sdk.erase(answer.exchange_id) == 2
    assert store.message(index) is None
    assert sdk.erase(answer.exchange_id) == 0
    with store.reading() as (_, log):
        assert log.verify_stored() == [], "records and proofs stay"


def test_old_bodies_are_erased_by_age(country: Country) -> None:
    answer = country.sdk().call(PEOPLE, "GET", "/people", subject=MOTHER, purpose=PURPOSE, basis=LAW)
    gateway = country.gateways["ris"]
    index = int(answer.log_ref.split()[1])
    assert country.run(gateway.core.store.erase_due(0, 0)) == 0
    assert gateway.core.store.message(index) is not None
    tomorrow = int((gateway.core.now() + timedelta(days=1)).timestamp())
    assert country.run(gateway.core.store.erase_due(tomorrow, 0)) >= 2
    assert gateway.core.store.message(index) is None


def test_records_of_local_reads_are_appended(country: Country) -> None:
    sdk = country.sdk()
    read = {
        "kind": "local-read",
        "subject": MOTHER,
        "actor": "seat-7",
        "fields": ["name"],
        "purpose": PURPOSE,
        "basis": LAW,
        "case": "case-1",
        "request": "req-1",
        "time": "2026-11-22T00:00:00Z",
    }
    (index,) = sdk.append([read])
    record = country.records("ris")[index]
    assert (record["kind"], record["user"], record["issue"]) == ("local-read", "seat-7", "case-1")
    assert record["basis"] == {"kind": "statute", "code": LAW}
    assert len(record["subject"]) == 64
    for bad, slug in [
        ({**read, "kind": "request"}, "record-invalid"),
        ({**read, "kind": ["note"]}, "record-invalid"),
        ({**read, "kind": {}}, "record-invalid"),
        ({**read, "extra": 1}, "record-invalid"),
        ({**read, "fields": [1]}, "record-invalid"),
        ({**read, "purpose": f"about {FATHER}"}, "person-in-clear"),
    ]:
        with pytest.raises(Problem) as problem:
            sdk.append([read, bad])
        assert problem.value.slug == slug
    assert country.records("ris")[-1]["kind"] == "local-read", "all or none"
    assert len(country.records("ris")) == index + 1


def test_the_seal_is_given_to_those_who_may(country: Country, tmp_path: object) -> None:
    home = country.folder / "hpa"
    with pytest.raises(Problem) as problem:
        country.sdk().seal(b"document")
    assert problem.value.slug == "not-allowed-here"
    homes.create(
        home,
        member="hpa",
        port=homes.load(home).port,
        local_port=homes.load(home).local_port,
        subsystems={"births": {"services": dict(homes.load(home).subsystems["births"].services)}},
        may={"births": ["seal"]},
    )
    country.halt("hpa")
    country.start("hpa")
    sdk = country.sdk("TW/GOV/hpa/births")
    with pytest.raises(Problem) as problem:
        sdk.seal(b"document")
    assert problem.value.slug == "seal-unavailable"
    authority = certificates.CertificateAuthority.create(country.folder / "ca", "Test CA")
    key = homes.load(home).p256("seal")
    issued = authority.issue(
        key.public_key(),
        common_name="seal",
        organisation="hpa",
        usage="seal",
        not_after=country.gateways["hpa"].core.now() + timedelta(days=1),
    )
    homes.set_seal_certificate(home, issued, [authority.certificate])
    signature = sdk.seal(b"document")
    certificate, chain = sdk.seal_certificate()
    public = certificates.public_key(certificates.from_pem(certificate.encode()))
    assert keys.verify_der(public, signature, b"document")  # type: ignore[arg-type]
    assert not keys.verify_der(public, signature, b"another")  # type: ignore[arg-type]
    assert [certificates.from_pem(one.encode()) for one in chain] == [authority.certificate]
    assert country.records("hpa")[-1]["signature"] == base64.b64encode(signature).decode()


def test_health_metrics_and_checkpoint_tell_no_person(country: Country) -> None:
    sdk = country.sdk()
    sdk.call(PEOPLE, "GET", "/people", subject=MOTHER, purpose=PURPOSE, basis=LAW)
    health = sdk.health()
    assert (health["healthy"], health["gateway"]) == (True, "TW/GOV/ris/gw1")
    note = sdk.checkpoint()
    key = homes.load(country.folder / "ris").log_key().public_key()
    assert checkpoint.verify(note, key, "TW/GOV/ris/gw1").size == len(country.records("ris"))
    metrics = sync.request("GET", country.url("ris") + "/local/v1/metrics").body.decode()
    assert 'outcome="answered"' in metrics
    assert MOTHER not in metrics


def test_an_x_road_client_sees_the_error_type(country: Country) -> None:
    secret = homes.secret(country.folder / "ris", "cases")
    headers = {"authorization": f"Bearer {secret}", "x-road-client": "TW/GOV/ris/cases"}
    answer = sync.request("GET", country.url("ris") + "/r1/TW/GOV/ris/nothing/x.v1/y", headers)
    assert (answer.status, answer.headers["x-road-error"]) == (500, "Server.ClientProxy.UnknownService")
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert answer.parsed()["type"] == "Server.ClientProxy.UnknownService"
    assert answer.parsed()["message"].startswith("There is no such service.")
    assert answer.parsed()["detail"]
    headers["accept"] = "application/problem+json"
    answer = sync.request("GET", country.url("ris") + "/r1/TW/GOV/ris/nothing/x.v1/y", headers)
    assert (answer.status, answer.headers["x-road-error"]) == (404, "Server.ClientProxy.UnknownService")
    assert answer.headers["content-type"] == "application/problem+json"
    texts = answer.parsed()["texts"]
    assert texts["what"]["zh"] == "沒有這項服務。"


def test_the_configuration_is_told_to_own_systems_only(country: Country) -> None:
    data, expires = country.sdk().configuration()
    assert {member["id"] for member in data["members"]} == {"TW/GOV/portal", "TW/GOV/ris", "TW/GOV/hpa"}
    assert {service["member"] for service in data["services"]} == {"TW/GOV/ris", "TW/GOV/hpa"}
    assert expires > country.gateways["ris"].core.now()
    answer = sync.request("GET", country.url("ris") + "/local/v1/configuration")
    assert answer.status == 401
