"""Who looked: real logs with real proofs, played by gateways that are honest, silent, altered or shortened."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange import transport
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.mydata import api
from smartgov.blocks.mydata.models import GatewayCheckpoint
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.engines.ledger import Log
from smartgov.engines.pki import keys
from smartgov.engines.troad.epochs import Epoch
from smartgov.shared import canonical
from smartgov.shared.actor import Actor

pytestmark = pytest.mark.django_db


class Gateway:
    """A member's log in memory that answers trail requests as a gateway does."""

    def __init__(self, code: str, gateway: str = "gw1") -> None:
        self.code, self.key = code, keys.generate_ed25519()
        self.db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.log = Log(self.db, f"TW/GOV/{code}/{gateway}", self.key)
        self.log.create_tables()
        self.listed: list[int] = []
        self.alter = ""

    def write(self, **record: Any) -> None:
        """Append a record that the person may see."""
        self.listed += self.log.append([canonical.dumps(record)])

    def member(self) -> dict[str, Any]:
        """Its row in the configuration."""
        jwk = keys.public_jwk(self.key.public_key())
        return {
            "id": f"TW/GOV/{self.code}",
            "name": {"en": self.code, "zh": self.code},
            "gateways": [{"log_key": jwk, "log_origin": self.log.origin}],
        }

    def answer(self, have: int) -> dict[str, Any]:
        """Everything listed, with proofs under the present head."""
        size = self.log.size()
        return {
            "origin": self.log.origin,
            "checkpoint": self.log.checkpoint(size),
            "consistency": [part.hex() for part in self.log.consistency(have, size)] if 0 < have <= size else [],
            "entries": [
                {
                    "index": index,
                    "record": base64.b64encode(self._record(index)).decode(),
                    "proof": [part.hex() for part in self.log.inclusion(index, size)],
                }
                for index in self.listed
            ],
        }

    def _record(self, index: int) -> bytes:
        record = self.log.record(index)
        return record.replace(b"birth.allowance", self.alter.encode()) if self.alter else record


def use(exchange: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "request",
        "side": "consumer",
        "time": "2026-11-22T03:00:00.000Z",
        "id": exchange,
        "client": "TW/GOV/sfaa/cases",
        "service": "TW/GOV/mof/taxation/taxation.v1",
        "method": "POST",
        "path": "/refund_accounts/query",
        "purpose": "birth.allowance",
        "basis": {"kind": "consent", "jti": "c-1"},
        "fields": ["account"],
        "subject": "ab" * 32,
        **more,
    }


@pytest.fixture
def sfaa() -> Gateway:
    return Gateway("sfaa")


@pytest.fixture
def mof() -> Gateway:
    return Gateway("mof")


@pytest.fixture
def troad(sfaa: Gateway, mof: Gateway) -> Iterator[RecordedTransport]:
    played = RecordedTransport(
        members=[sfaa.member(), mof.member()],
        trails={"TW/GOV/sfaa": sfaa.answer, "TW/GOV/mof": mof.answer},
    )
    sfaa.write(**use("exchange-1"))
    mof.write(**use("exchange-1", side="provider"))
    sfaa.write(
        kind="local-read",
        side="own",
        time="2026-11-22T04:00:00.000Z",
        client="TW/GOV/sfaa/cases",
        user="seat-123456",
        purpose="birth.allowance",
        basis={"kind": "statute", "code": "child-welfare-act-23"},
        issue="A-1",
        fields=["name"],
    )
    with transport.replaced(played):
        yield played


@pytest.fixture
def mother() -> Actor:
    return Actor("citizen", subject=a_person(), assurance=2)


def test_both_sides_of_an_exchange_are_one_proven_line(troad: RecordedTransport, mother: Actor) -> None:
    view = api.trail(actor=mother)
    assert [(entry.kind, entry.recorded_by) for entry in view.entries] == [
        ("local-read", ("TW/GOV/sfaa",)),
        ("request", ("TW/GOV/mof", "TW/GOV/sfaa")),
    ]
    assert (view.proven, view.silent, view.failed) == (2, (), ())
    assert {token["audience"] for token in troad.tokens} == {"TW/GOV/sfaa", "TW/GOV/mof"}


def test_each_page_load_asks_from_the_pinned_head_on(troad: RecordedTransport, mother: Actor, mof: Gateway) -> None:
    api.trail(actor=mother)
    first = GatewayCheckpoint.objects.get(member="TW/GOV/mof")
    assert first.size == 1
    mof.write(**use("exchange-2"))
    view = api.trail(actor=mother)
    assert not view.failed
    assert GatewayCheckpoint.objects.get(member="TW/GOV/mof").size == 2


def test_a_silent_gateway_is_named_and_the_others_are_shown(troad: RecordedTransport, mother: Actor) -> None:
    del troad.trails["TW/GOV/mof"]
    view = api.trail(actor=mother)
    assert [member.member for member in view.silent] == ["TW/GOV/mof"]
    assert view.proven == 2


def test_an_altered_record_is_not_proven(troad: RecordedTransport, mother: Actor, mof: Gateway) -> None:
    mof.alter = "birth.registration"
    view = api.trail(actor=mother)
    assert [member.member for member in view.failed] == ["TW/GOV/mof"]
    assert {entry.proven for entry in view.entries if "TW/GOV/mof" in entry.recorded_by} == {False}
    assert [entry.proven for entry in view.entries] == [False, True]
    assert not GatewayCheckpoint.objects.filter(member="TW/GOV/mof").exists()


def test_a_log_that_was_begun_again_is_found_out(troad: RecordedTransport, mother: Actor, mof: Gateway) -> None:
    mof.write(**use("exchange-2"))
    api.trail(actor=mother)
    again = Gateway("mof")
    again.key = mof.key
    again.log = Log(again.db, mof.log.origin, mof.key)
    again.write(**use("another"))
    again.write(**use("exchange-2"))
    again.write(**use("exchange-3"))
    troad.trails["TW/GOV/mof"] = again.answer
    assert [member.member for member in api.trail(actor=mother).failed] == ["TW/GOV/mof"]
    assert GatewayCheckpoint.objects.get(member="TW/GOV/mof").size == 2
    shorter = Gateway("mof")
    shorter.log = Log(shorter.db, mof.log.origin, mof.key)
    shorter.write(**use("exchange-1"))
    troad.trails["TW/GOV/mof"] = shorter.answer
    assert [member.member for member in api.trail(actor=mother).failed] == ["TW/GOV/mof"]


def test_both_gateways_of_a_member_are_asked_and_one_that_is_gone_is_named(
    troad: RecordedTransport, mother: Actor, mof: Gateway
) -> None:
    second = Gateway("mof", "gw2")
    second.write(**use("exchange-2", side="provider"))
    listed, alone = mof.member(), list(troad.members)
    listed["gateways"] += second.member()["gateways"]
    troad.members[:] = [one if one["id"] != "TW/GOV/mof" else listed for one in troad.members]
    troad.trails["TW/GOV/mof/gw2"] = second.answer
    view = api.trail(actor=mother)
    assert {entry.exchange for entry in view.entries if "TW/GOV/mof" in entry.recorded_by} == {
        "exchange-1",
        "exchange-2",
    }
    assert (view.proven, view.silent, view.failed) == (3, (), ())
    assert [member.name.en for member in view.members] == ["sfaa", "mof (gw1)", "mof (gw2)"]
    origins = GatewayCheckpoint.objects.filter(member="TW/GOV/mof").values_list("origin", flat=True)
    assert set(origins) == {"TW/GOV/mof/gw1", "TW/GOV/mof/gw2"}

    # One of them does not answer: hers are listed, and it is said whose are missing.
    del troad.trails["TW/GOV/mof/gw2"], troad.trails["TW/GOV/mof"]
    troad.trails["TW/GOV/mof/gw1"] = mof.answer
    view = api.trail(actor=mother)
    assert [member.name.en for member in view.silent] == ["mof (gw2)"]

    # It was taken out of service: what it recorded is not passed over in silence.
    troad.members[:] = alone
    view = api.trail(actor=mother)
    assert [(member.name.en, member.state) for member in view.silent] == [("mof (gw2)", "silent")]
    assert "Its log had 1 records" in view.silent[0].why.en
    assert view.proven == 2


def test_the_page_says_how_many_are_proven_and_who_was_silent(
    troad: RecordedTransport, mother: Actor, mof: Gateway
) -> None:
    assert mother.subject
    browser = signed_in_citizen(mother.subject)
    page = browser.get("/mydata/").content.decode()
    assert "列出 2 筆，其中 2 筆已驗證" in page
    assert "您的同意" in page
    assert "兒童及少年福利與權益保障法" in page
    mof.alter = "birth.nhi"
    page = browser.get("/mydata/", headers={"accept-language": "en"}).content.decode()
    assert "Proof failed" in page
    assert "1 of 2 listed entries proven" in page
    del troad.trails["TW/GOV/mof"]
    page = browser.get("/mydata/", headers={"accept-language": "en"}).content.decode()
    assert "1 of 2 gateways did not answer" in page


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "We cannot ask who looked at your data just now"), ("zh-hant", "請過幾分鐘再開啟此頁")],
)
def test_while_the_portals_own_gateway_is_down_she_reads_when_to_come_again(
    troad: RecordedTransport, mother: Actor, language: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(agency: str) -> Any:
        raise exchange.gateway_unreachable(agency)

    monkeypatch.setattr(troad, "configuration", down)
    assert mother.subject
    answer = signed_in_citizen(mother.subject).get("/mydata/", headers={"accept-language": language})
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (503, True)
    assert "trail-unavailable" in page
    assert "gateway" not in page
    assert "閘道" not in page


def test_no_national_id_reaches_the_page(troad: RecordedTransport, mother: Actor) -> None:
    assert mother.subject
    page = signed_in_citizen(mother.subject).get("/mydata/").content.decode()
    (person,) = {token["subject"] for token in troad.tokens}
    assert person not in page
    assert json.dumps(person) not in page


def test_a_restored_log_is_followed_and_says_what_it_lost(
    troad: RecordedTransport, mother: Actor, mof: Gateway
) -> None:
    for number in range(2, 5):
        mof.write(**use(f"exchange-{number}"))
    assert not api.trail(actor=mother).shortened
    restored = Gateway("mof")
    restored.key = mof.key
    restored.write(**use("exchange-1", side="provider"))
    line = Epoch(2, mof.log.origin, 4, mof.log.root(), 1).line
    restored.log = Log(restored.db, f"{mof.log.origin}+2", mof.key, (line,))
    restored.write(kind="epoch", side="own", time="2026-11-22T05:00:00.000Z")
    troad.trails["TW/GOV/mof"] = restored.answer
    for _ in range(2):  # it says so for ever, not only to those who had seen more
        view = api.trail(actor=mother)
        assert not view.failed
        assert [(member.member, member.lost) for member in view.shortened] == [("TW/GOV/mof", 3)]
        assert "at least 3" in view.shortened[0].why.en.lower()
    newest = GatewayCheckpoint.objects.filter(member="TW/GOV/mof").order_by("seen_at").last()
    assert newest is not None
    assert (newest.origin, newest.size) == (f"{mof.log.origin}+2", 2)
    concealing = Gateway("mof")
    concealing.key = mof.key
    concealing.write(**use("exchange-1", side="provider"))
    concealing.write(**use("another"))
    troad.trails["TW/GOV/mof"] = concealing.answer
    assert [member.member for member in api.trail(actor=mother).failed] == ["TW/GOV/mof"], "the epoch before is over"
