"""A member with two gateways: each has a log of its own, and trail, evidence, witnesses and comparisons cover both."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import checkpoint, cosign
from smartgov.engines.troad import backup, comparing, trail
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.names import member_of
from smartgov.engines.troad.tests.country import BIRTHS, CASES, FATHER, MOTHER, PURPOSE, Country, ask_births, free_port
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_comparing_process import look
from smartgov.engines.troad.tests.test_evidence_process import both
from smartgov.engines.troad.tests.test_failures_process import wait_for
from smartgov.engines.troad.tests.test_gateway_process import Process
from smartgov.engines.troad.tests.test_outages_process import _HOUR_IS_OVER, alarms
from smartgov.engines.troad.verification import Verdict
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
HPA, FIRST, SECOND = "TW/GOV/hpa", "TW/GOV/hpa/gw1", "TW/GOV/hpa/gw2"
RIS = "TW/GOV/ris/gw1"
PORTAL = "TW/GOV/portal/portal"
PROVEN = {Verdict.VALID, Verdict.VALID_UNTIMESTAMPED}


class Twin(Country):
    """hpa has the home of a second gateway, which the configuration lists once `listed` is set."""

    listed = False
    order: tuple[str, ...] = ("gw1", "gw2")
    """In which order the centre lists those that it lists."""
    once: dict[str, Any] | None = None
    """What hpa says of where it counts what may happen only once, if something else than before."""

    def members(self, url: str) -> dict[str, dict[str, Any]]:
        self.second = homes.create(
            self.folder / "hpa2",
            member="hpa",
            code="gw2",
            port=free_port(),
            local_port=free_port(),
            subsystems={"births": {"services": {"births.v1": url}}},
            may={"births": ["evidence", "consent"]},
            anchor=self.centre.anchor,
        )
        return super().members(url)

    def data(self) -> dict[str, Any]:
        told = super().data()
        if self.listed:
            member = next(one for one in told["members"] if one["id"] == HPA)
            both = {"gw1": member["gateways"][0], "gw2": self.second["gateway"]}
            member["gateways"] = [both[code] for code in self.order]
        return told

    def sign(self, **offer: Any) -> Any:
        if offer["member"] == HPA and self.once is not None:
            offer["once"] = self.once
        return super().sign(**offer)

    def publish(self, **changes: Any) -> bytes:
        bundle = super().publish(**changes)
        homes.set_bundle(self.folder / "hpa2", bundle)
        return bundle


class Two:
    """The country with both of hpa's gateways in processes."""

    def __init__(self, folder: Path) -> None:
        self.country = Twin(folder / "country")
        entry = homes.content.parse((self.country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
        entry["births"]["may"] = ["evidence"]
        settings(self.country, "hpa", subsystems=entry)
        self.country.start("ris", "portal")
        self.first, self.second = Process(self.country), Process(self.country, "hpa2")
        self.first.start()
        self.kept = Kept(self.country)
        self.trusted = folder / "anchors"
        (self.trusted / "heads").mkdir(parents=True)
        (self.trusted / "root.json").write_bytes(self.country.centre.anchor)

    def add(self) -> None:
        """List the second gateway and start it."""
        self.country.listed = True
        self.country.publish()
        for code in ("ris", "portal"):  # its witnesses must know it before it shows them a head
            known = self.country.gateways[code].core.configuration
            wait_for(lambda known=known: SECOND in known.current().gateways)  # type: ignore[misc]
        self.second.start()

    def publish(self, **changes: Any) -> None:
        """Publish, and wait until all who run have taken it up."""
        self.country.publish(**changes)
        version = self.country.centre.repository.version
        for gateway in self.country.gateways.values():
            wait_for(lambda gateway=gateway: gateway.core.configuration.state()["version"] == version)  # type: ignore[misc]
        for code, one in (("hpa", self.first), ("hpa2", self.second)):
            if one.child is not None and one.child.poll() is None:
                wait_for(lambda code=code: _version(self.country, code) == version)  # type: ignore[misc]

    def stop(self) -> None:
        for one in (self.first, self.second):
            if one.child is not None and one.child.poll() is None:
                one.end()
        self.country.stop()

    def evidence(self, exchange: str, code: str, system: str, have: str = "") -> Any:
        """The bundle that a system gets of the gateway with this home."""
        secret = homes.secret(self.country.folder / code, system)
        url = f"{self.country.url(code)}/evidence/{exchange}?have={have}"
        answer = sync.request("GET", url, {"authorization": f"Bearer {secret}"})
        assert answer.status == 200, answer.body
        return answer.parsed()

    def head(self, code: str) -> str:
        return sync.request("GET", self.country.url(code) + "/local/v1/checkpoint").body.decode()

    def trail(self, gateway: str, person: str = MOTHER) -> trail.TrailVerdict:
        """A person's trail in the log of one gateway, with its proof checked as the portal does."""
        portal = self.country.sdk(PORTAL)
        token = portal.token(subject=person, audience=HPA, gateway=gateway, assurance=3)
        told = portal.trail(HPA, token, gateway=gateway)
        members = portal.configuration()[0]["members"]
        own = next(one for m in members if m["id"] == HPA for one in m["gateways"] if one["log_origin"] == gateway)
        witnesses = {
            f"{m['id']}/{one['code']}": one["witness_key"] for m in members if m["id"] != HPA for one in m["gateways"]
        }
        return trail.verify(told, None, own["log_key"], gateway, witnesses=witnesses)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    enable_socket()
    made = Two(tmp_path)
    yield made
    made.stop()


def _version(country: Country, code: str) -> int:
    told: dict[str, Any] = sync.request("GET", country.url(code) + "/local/v1/health").parsed()
    return int(told["configuration"]["version"])


def proven(bundle: Any, trusted: Path) -> bool:
    """Whether both verifiers call it proven; a test that fails shows why not."""
    verdict, reasons = both(bundle, trusted)
    assert verdict in PROVEN, (verdict, reasons, bundle["head"])
    return True


def exchange_at(two: Two, gateway: str | None = None, **changes: Any) -> str:
    assert two.kept.ask(gateway=gateway, **changes) == "answered"
    return list(two.kept.told)[-1]


def test_evidence_and_trail_cover_the_logs_of_both(two: Two) -> None:
    assert two.kept.ask(gateway=SECOND) == "service-unknown", "it is not listed yet"
    two.add()
    one, other = exchange_at(two), exchange_at(two, SECOND)
    assert [two.kept.told[each].provider for each in (one, other)] == [FIRST, SECOND]
    two.kept.hold()
    for exchange, code in ((one, "hpa"), (other, "hpa2")):
        for home, system in (("ris", "cases"), (code, "births")):
            bundle = two.evidence(exchange, home, system)
            assert proven(bundle, two.trusted)
        assert bundle["gateway"] == two.kept.told[exchange].provider
    with pytest.raises(AssertionError, match="record-unknown"):
        two.evidence(other, "hpa", "births")

    # Each log is asked with a token of its own, and the two together are her trail.
    for gateway, exchange in ((FIRST, one), (SECOND, other)):
        verdict = two.trail(gateway)
        assert verdict.entries_proven
        assert [entry.record["id"] for entry in verdict.entries] == [exchange]
    portal = two.country.sdk(PORTAL)
    with pytest.raises(Problem) as refused:
        portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, gateway=FIRST, assurance=3), gateway=SECOND)
    assert refused.value.slug == "token-invalid"
    with pytest.raises(Problem) as unknown:
        portal.token(subject=MOTHER, audience=HPA, gateway=RIS, assurance=3)
    assert unknown.value.slug == "service-unknown"


def test_a_consent_holds_at_both_and_one_for_a_single_use_at_the_first_only(two: Two) -> None:
    two.add()
    portal, end = two.country.sdk(PORTAL), (clock.now() + timedelta(days=1)).isoformat()
    terms = {"provider": BIRTHS, "requester": CASES, "fields": ["born_on"], "purpose": PURPOSE, "expires_at": end}
    lasting = portal.consent(subject=MOTHER, **terms)
    for gateway in (FIRST, SECOND):
        exchange_at(two, gateway, basis=None, consent=lasting)
    once = portal.consent(subject=MOTHER, single_use=True, **terms)
    assert two.kept.ask(gateway=SECOND, basis=None, consent=once) == "once-elsewhere"
    assert two.kept.ask(gateway=FIRST, basis=None, consent=once) == "answered"
    assert two.kept.ask(gateway=FIRST, basis=None, consent=once) == "consent-used"
    assert two.kept.ask(gateway=SECOND, basis=None, consent=lasting, subject=FATHER) == "consent-foreign"
    # Whether a consent was taken back is asked of the first gateway: the second one does not pretend to take it back.
    secret = homes.secret(two.country.folder / "hpa2", "births")
    answer = sync.request(
        "POST",
        two.country.url("hpa2") + "/local/v1/consents/revocations",
        {"authorization": f"Bearer {secret}", "content-type": "application/json"},
        json.dumps({"jti": "a-consent", "expires_at": end}).encode(),
    )
    assert answer.status == 403
    two.kept.hold()


def test_two_gateways_of_a_member_are_one_witness(two: Two) -> None:
    two.add()
    exchange = exchange_at(two)
    note = two.country.run(two.country.gateways["ris"].core.heads.publish())
    signers = {line.split(" ")[1] for line in note.split("\n\n")[1].splitlines()} - {RIS}
    assert sorted(member_of(name) for name in signers) == [HPA, "TW/GOV/portal"]
    assert two.head("hpa2").count("\n— ") == 3, "the second one's own log has two witnesses of other members"

    two.country.halt("portal")
    exchange = exchange_at(two)
    core = two.country.gateways["ris"].core
    note = two.country.run(core.heads.publish())
    assert core.alarms.standing["witnesses-missing"] == "1 of 2"
    bundle = two.evidence(exchange, "ris", "cases")
    assert both(bundle, two.trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))
    # Also when both of them have signed.
    for code in ("hpa", "hpa2"):
        at = homes.load(two.country.folder / code)
        if at.gateway not in bundle["head"].replace(RIS, ""):
            bundle["head"] += cosign.cosign(bundle["head"], at.gateway, at.witness_key(), int(clock.now().timestamp()))
    assert bundle["head"].count("\n— ") == 3
    assert both(bundle, two.trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))


def test_a_record_removed_at_the_second_alarms_it_and_the_one_who_asked(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.add()
    exchange_at(two)
    gone = exchange_at(two, SECOND)
    exchange_at(two, SECOND)
    two.second.end()
    records = two.country.records("hpa2")
    (index,) = [at for at, one in enumerate(records) if (one.get("id"), one["kind"]) == (gone, "answer")]
    assert two.country.edit("hpa2", "DELETE FROM ledger_record WHERE idx = ?", index) == 1
    two.second.start(_HOUR_IS_OVER)
    two.first.end()
    two.first.start(_HOUR_IS_OVER)
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -7200)
    found = look(two.country, "ris")
    assert set(found) == {SECOND}, "with the first gateway all agrees"
    assert found[SECOND]["only here"]["ids"] == [gone]
    wait_for(lambda: any(name.startswith(f"exchanges-differ:{RIS}") for name in alarms(two.country, "hpa2")))
    two.kept.hold("hpa", "ris")


def test_the_second_comes_under_another_log_key(two: Two) -> None:
    two.add()
    exchange = exchange_at(two, SECOND)
    two.head("hpa2")
    country, home = two.country, two.country.folder / "hpa2"
    two.second.end()
    (home / "keys" / "log.key").unlink()
    at, written = homes.load(home), (home / "gateway.yaml").read_text()
    homes.create(home, member="hpa", code="gw2", port=at.port, local_port=at.local_port, subsystems={})
    (home / "gateway.yaml").write_text(written)
    country.second |= homes.describe(home)
    country.publish()
    backup.mark_restored(home)
    marker = json.loads((home / backup.RESTORED).read_text())
    earlier = datetime.fromisoformat(marker["restored_at"]) - timedelta(seconds=70)
    (home / backup.RESTORED).write_text(json.dumps({**marker, "restored_at": earlier.isoformat()}))
    key = homes.load(home).log_key().public_key().public_bytes_raw()
    for code in ("ris", "portal"):
        known = country.gateways[code].core.configuration
        wait_for(lambda known=known: known.current().gateways[SECOND].log_key.public_bytes_raw() == key)  # type: ignore[misc]
    two.second.start()
    wait_for(lambda: not alarms(country, "hpa2").get("log-restored"))
    assert checkpoint.parse(two.head("hpa2")).origin == f"{SECOND}+2"
    assert checkpoint.parse(two.head("hpa")).origin == FIRST, "the first one's log goes on as it was"
    assert proven(two.evidence(exchange, "hpa2", "births"), two.trusted)
    later = exchange_at(two, SECOND)
    assert proven(two.evidence(later, "hpa2", "births"), two.trusted)
    verdict = two.trail(SECOND)
    assert verdict.entries_proven
    assert {exchange, later} <= {entry.record["id"] for entry in verdict.entries}
    two.kept.hold()


def test_what_was_recorded_by_a_gateway_that_is_gone_is_still_proven(two: Two) -> None:
    two.add()
    exchange = exchange_at(two, SECOND)
    two.head("hpa2")
    two.country.listed = False
    two.country.publish()
    wait_for(lambda: SECOND not in two.country.gateways["ris"].core.configuration.current().gateways)
    assert two.kept.ask(gateway=SECOND) == "service-unknown"
    assert two.kept.ask() == "answered", "the first one goes on"
    with pytest.raises(Problem):
        two.trail(SECOND)
    for home, system in (("ris", "cases"), ("hpa2", "births")):
        bundle = two.evidence(exchange, home, system)
        assert proven(bundle, two.trusted)
        if home == "hpa2":  # also for a reader who keeps its last head
            size = checkpoint.parse(two.head("hpa2")).size
            later = two.evidence(exchange, "hpa2", "births", have=str(size))
            assert later["gateway"] == SECOND
            assert both(later, two.trusted)[0] in {*PROVEN, Verdict.UNKNOWN_STATUS}
            assert both(later, two.trusted)[1] in {(), ("stamp-missing",), ("witnesses",)}
        said = [json.loads(b64decode(entry["record"])) for entry in bundle["entries"]]
        assert [record["kind"] for record in said] == ["request", "answer"]
    two.kept.hold()


def test_a_member_asks_its_own_second_gateway_over_the_wire(two: Two) -> None:
    """Who names another gateway of the own member means that one's log, and not the own."""
    two.add()
    births = two.country.sdk("TW/GOV/hpa/births")
    with pytest.raises(Problem) as refused:
        ask_births(births, gateway=SECOND)
    assert refused.value.slug == "right-missing"
    assert refused.value.extra["refused_by"] == SECOND
