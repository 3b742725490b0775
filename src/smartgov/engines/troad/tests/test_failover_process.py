"""The gateway of a member that is asked first is gone, under maintenance or stands still: another one is asked.

Only when not a byte of the question left; nothing is done twice, and the logs say which gateway was tried in vain.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Client, Request, Response, sync
from smartgov.engines.httpd import client as clients
from smartgov.engines.troad import comparing, consumer, hours, maintenance, ways
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.alarms import PASSED_OVER
from smartgov.engines.troad.tests.country import BIRTHS, LAW, MOTHER, PURPOSE, Country
from smartgov.engines.troad.tests.test_comparing_process import look
from smartgov.engines.troad.tests.test_evidence_process import both
from smartgov.engines.troad.tests.test_failures_process import kinds, state, wait_for
from smartgov.engines.troad.tests.test_outages_process import alarms
from smartgov.engines.troad.tests.test_two_gateways_process import FIRST, PROVEN, SECOND, Two
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PASSED = f"gateway-passed-over:{FIRST}"


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Both gateways of hpa; a gateway that is passed over is looked at every second."""
    enable_socket()
    monkeypatch.setattr(ways, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(ways, "LONGEST_PAUSE", 1.0)
    monkeypatch.setattr(ways, "WATCH_SECONDS", 0.5)
    made = Two(tmp_path)
    made.add()
    yield made
    if made.first.child is not None and made.first.child.poll() is None:
        made.first.child.send_signal(signal.SIGCONT)
    made.stop()


def who_answered(two: Two, **changes: Any) -> str:
    """The gateway that answered a call, or the problem."""
    before, ended = set(two.kept.told), two.kept.ask(**changes)
    if ended != "answered":
        return ended
    return two.kept.told[changes.get("exchange_id") or (set(two.kept.told) - before).pop()].provider


def asked_of(country: Country, exchange: str) -> list[str]:
    """The gateways that ris tells others it has asked this of, in this hour or the one that ended meanwhile."""
    core = country.gateways["ris"].core
    now = int(core.now().timestamp()) // 3600
    read = [hours.read(core.store.reading, hour, threading.Event()) for hour in (now - 1, now)]
    return [peer for hour in read for peer in hour.peers() if exchange in hour.ids(peer, "asked").under()]


def let_go(two: Two) -> None:
    """ris's gateway has no open connection to others any more: the next question needs a new one."""
    two.country.run(two.country.gateways["ris"].core.peers.close())


def stand_still(two: Two) -> None:
    """The first gateway's process is stopped: its kernel still takes connections."""
    assert two.first.child is not None
    two.first.child.send_signal(signal.SIGSTOP)
    wait_for(lambda: state(two.first) == "T")


def test_the_first_gateway_is_killed_under_load(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    country, ended, lock = two.country, list[str](), threading.Lock()
    done = threading.Event()

    def work() -> None:
        sdk = country.sdk()
        while not done.is_set():
            how = two.kept.ask(sdk)
            with lock:
                ended.append(how)
        sync.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(two.kept.told) >= 40)
        two.first.kill()
        killed_at = len(two.kept.told)
        wait_for(lambda: len(two.kept.told) >= killed_at + 40)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    answered = [one.provider for one in list(two.kept.told.values())]
    assert (set(answered[:40]), answered[-1]) == ({FIRST}, SECOND), "it struck, and the other one went on"
    # A question that was on its way when it was killed may have been carried out: nobody asks it again.
    assert set(ended) <= {"answered", "gateway-silent"}
    assert ended.count("gateway-silent") <= len(threads)
    assert alarms(country, "ris")[PASSED] == "gateway-unreachable"

    two.first.start()
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    assert who_answered(two) == FIRST, "it is asked first again"
    two.kept.hold()
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -7200)
    country.run(country.gateways["ris"].core.comparing.look())
    assert look(country, "ris") == {}, "neither log has what the other lacks"


def test_a_question_that_never_left_is_signed_anew_for_the_other(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    country, kept = two.country, two.kept
    assert who_answered(two) == FIRST
    two.first.kill()
    assert who_answered(two, exchange_id="went-round") == SECOND
    assert kinds(country, "ris", "went-round") == ["request", "refusal", "request", "answer"]
    told = [one for one in country.records("ris") if one.get("id") == "went-round"]
    assert [one["gateway"] for one in told] == [FIRST, FIRST, SECOND, SECOND]
    assert told[1]["reason"] == "gateway-unreachable"
    assert told[0]["input"] != told[2]["input"], "each is signed for its receiver"
    assert kinds(country, "hpa2", "went-round") == ["request", "answer"]
    assert kinds(country, "hpa", "went-round") == []
    assert both(two.evidence("went-round", "ris", "cases"), two.trusted)[0] in PROVEN
    assert who_answered(two, exchange_id="straight") == SECOND
    assert kinds(country, "ris", "straight") == ["request", "answer"], "it is passed over, and no call finds that out"

    # What was never sent was not asked: the sets that gateways compare say so.
    assert asked_of(country, "went-round") == [SECOND]

    # Who names a gateway, or asks for what counts once, means that one.
    assert kept.ask(gateway=FIRST) == "gateway-unreachable"
    assert kept.ask(idempotency_key="a-key") == "gateway-unreachable"
    two.second.kill()
    assert kept.ask(exchange_id="nobody-there") == "gateway-unreachable"
    assert kinds(country, "ris", "nobody-there") == ["request", "refusal", "request", "refusal"]
    secret = homes.secret(country.folder / "ris", "cases")
    deep = sync.request("GET", country.url("ris") + "/local/v1/health?deep", {"authorization": f"Bearer {secret}"})
    (step,) = [one for one in deep.parsed()["checks"] if one["name"] == "ways"]
    assert FIRST in step["detail"]
    assert SECOND in step["detail"]
    two.first.start()
    two.second.start()
    wait_for(lambda: not [name for name in alarms(country, "ris") if name.startswith(PASSED_OVER)])
    assert who_answered(two) == FIRST
    kept.hold()


def test_the_first_gateway_is_under_maintenance(two: Two) -> None:
    country = two.country
    assert who_answered(two) == FIRST
    maintenance.begin(country.folder / "hpa", now=clock.now(), minutes=5, reason="disk")
    wait_for(lambda: who_answered(two, exchange_id="met-the-pause") == "maintenance")
    assert kinds(country, "ris", "met-the-pause")[-2:] == ["request", "refusal"], (
        "it was sent, so that no other is asked"
    )
    assert kinds(country, "hpa2", "met-the-pause") == []
    assert alarms(country, "ris")[PASSED] == "maintenance"
    assert {who_answered(two) for _ in range(3)} == {SECOND}
    assert two.kept.ask(gateway=FIRST) == "maintenance", "who names it asks it"
    maintenance.end(country.folder / "hpa")
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    assert who_answered(two) == FIRST
    two.kept.hold()


def test_the_first_gateway_stands_still_and_takes_connections(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    country = two.country
    monkeypatch.setattr(clients, "CONNECT_SECONDS", 1.0)
    assert who_answered(two) == FIRST
    stand_still(two)
    let_go(two)
    assert who_answered(two, exchange_id="went-round") == SECOND
    assert kinds(country, "ris", "went-round") == ["request", "refusal", "request", "answer"]
    assert alarms(country, "ris")[PASSED] == "gateway-unreachable"
    assert state(two.first) == "T"
    assert who_answered(two, exchange_id="straight") == SECOND
    assert kinds(country, "ris", "straight") == ["request", "answer"]
    assert two.first.child is not None
    two.first.child.send_signal(signal.SIGCONT)
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    assert who_answered(two) == FIRST
    two.kept.hold()


def test_the_first_gateway_stands_still_after_a_question_was_sent(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    country = two.country
    first, *others = country.data()["services"]
    two.publish(services=[{**first, "limits": {"seconds": 1}}, *others])
    monkeypatch.setattr(consumer, "HOPS_SECONDS", 2)
    assert who_answered(two) == FIRST
    stand_still(two)
    assert who_answered(two, exchange_id="was-sent") == "gateway-silent"
    assert kinds(country, "ris", "was-sent") == ["request", "refusal"]
    assert kinds(country, "hpa2", "was-sent") == [], "it may have been carried out: no other gateway is asked"
    assert who_answered(two) == SECOND, "the next call need not wait for it"
    assert two.first.child is not None
    two.first.child.send_signal(signal.SIGCONT)
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    assert who_answered(two) == FIRST
    two.kept.hold()


def test_what_was_sent_is_asked_of_no_other_though_its_method_says_that_it_does_nothing(two: Two) -> None:
    """The first gateway is killed while the service works for a GET: a second connection is refused, and yet it was
    asked.
    """
    country = two.country
    data = country.data()
    rights = [{**one, "endpoints": [*one["endpoints"], "GET /births"]} for one in data["rights"]]
    two.publish(rights=rights)
    assert who_answered(two) == FIRST
    country.behind.seen.clear()

    def killing(request: Request) -> Response:
        two.first.kill()
        return country.behind.births(request)

    country.behind.answer = killing
    with pytest.raises(Problem) as refused:
        country.sdk().call(
            BIRTHS, "GET", "/births", subject=MOTHER, purpose=PURPOSE, basis=LAW, exchange_id="was-sent-once"
        )
    assert refused.value.slug == "gateway-silent"
    assert len(country.behind.seen) == 1
    assert kinds(country, "hpa2", "was-sent-once") == []
    assert kinds(country, "ris", "was-sent-once") == ["request", "refusal"]
    assert asked_of(country, "was-sent-once") == [FIRST]
    country.behind.answer = country.behind.births
    assert who_answered(two) == SECOND
    two.first.start()
    two.kept.hold()


def test_what_is_awaited_of_a_gateway_that_stands_still_warns_the_others(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is stopped with a connection open: one call waits there, and no other one has to find that out."""
    country, waited = two.country, list[str]()
    monkeypatch.setattr(ways, "_LOOK_SECONDS", 1.0)
    assert who_answered(two) == FIRST
    stand_still(two)

    def wait() -> None:
        waited.append(who_answered(two, sdk=country.sdk(), exchange_id="waits-for-it"))
        sync.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_for(lambda: PASSED in alarms(country, "ris"))
    assert alarms(country, "ris")[PASSED] == "gateway-silent"
    assert waited == []
    assert who_answered(two) == SECOND
    assert state(two.first) == "T"
    assert two.first.child is not None
    two.first.child.send_signal(signal.SIGCONT)
    waiting.join(60)
    assert waited == [FIRST], "its answer came, late"
    assert kinds(country, "hpa2", "waits-for-it") == [], "and was asked for once"
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    two.kept.hold()


def test_many_who_wait_for_one_connection_wait_no_longer_than_one(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    country, ended = two.country, list[str]()
    monkeypatch.setattr(clients, "CONNECT_SECONDS", 2.0)
    assert who_answered(two) == FIRST
    stand_still(two)
    let_go(two)

    def ask() -> None:
        ended.append(two.kept.ask(country.sdk()))
        sync.close()

    connecting = country.gateways["ris"].core.peers
    tried, connect = list[object](), Client._connect

    async def counted(self: Any, key: Any) -> Any:
        if self is connecting and key[2] == homes.load(country.folder / "hpa").port:
            tried.append(key)
        return await connect(self, key)

    monkeypatch.setattr(Client, "_connect", counted)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ended == ["answered"] * 8
    assert len(tried) == 1, "one connection was tried, for all of them"
    assert {one.provider for one in list(two.kept.told.values())[1:]} == {SECOND}
    two.kept.hold()


def test_somebody_else_answers_at_the_first_gateways_address(two: Two) -> None:
    country = two.country
    assert who_answered(two) == FIRST
    data = country.data()
    member = next(one for one in data["members"] if one["id"].endswith("hpa"))
    member["gateways"][0] = {**member["gateways"][0], "port": homes.load(country.folder / "portal").port}
    two.publish(members=data["members"])
    assert who_answered(two, exchange_id="went-round") == SECOND
    told = [one for one in country.records("ris") if one.get("id") == "went-round"]
    assert told[1]["reason"] == "gateway-untrusted"
    assert alarms(country, "ris")[PASSED] == "gateway-untrusted"
    two.publish()
    wait_for(lambda: PASSED not in alarms(country, "ris"))
    assert who_answered(two) == FIRST
    two.kept.hold()
