"""Real gateways compare an hour: one of them has removed a record, and both are alarmed with the exchange's id."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Client, Response
from smartgov.engines.troad import comparing, exchanged, hours
from smartgov.engines.troad.tests.country import Country, ask_births, running, wait_for
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
RIS, HPA = "TW/GOV/ris/gw1", "TW/GOV/hpa/gw1"
ID = "json_extract(CAST(record AS TEXT), '$.id')"


@pytest.fixture
def country(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Country]:
    """A country whose present hour counts as over."""
    enable_socket()
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -2 * 3600)
    monkeypatch.setattr(comparing, "LOOK_SECONDS", 1e6)
    with running(tmp_path) as made:
        yield made


def exchanges(country: Country) -> list[str]:
    """Some that were answered, one that was refused, one that the service broke off."""
    made: list[str] = [ask_births(country.sdk()).exchange_id for _ in range(3)]
    with pytest.raises(Problem):
        ask_births(country.sdk(), purpose="curiosity")
    country.behind.answer = lambda _: Response(500)
    with pytest.raises(Problem):
        ask_births(country.sdk())
    country.behind.answer = country.behind.births
    return made


def look(country: Country, code: str) -> dict[str, Any]:
    """Let a gateway compare what is due; its alarms about that, by the other gateway."""
    core = country.gateways[code].core
    country.run(core.comparing.look())
    found = {name: detail for name, detail in core.alarms.standing.items() if name.startswith("exchanges-differ:")}
    return {name.split(":")[1]: json.loads(detail) for name, detail in found.items()}


def rename(country: Country, old: str, new: str) -> None:
    """Alter the id of an exchange in the records of hpa."""
    changed = "UPDATE ledger_record SET record = CAST(json_set(CAST(record AS TEXT), '$.id', ?) AS BLOB)"
    assert country.edit("hpa", f"{changed} WHERE {ID} = ?", new, old) == 2


def comparisons(country: Country, code: str) -> list[dict[str, Any]]:
    return [record for record in country.records(code) if record["kind"] == "comparison"]


def test_what_both_have_agrees_and_is_recorded(country: Country) -> None:
    exchanges(country)
    assert look(country, "ris") == look(country, "hpa") == {}
    for code, peer, counts in (
        ("ris", HPA, {"asked": 5, "client": 4, "provider": 0}),
        ("hpa", RIS, {"asked": 0, "client": 0, "provider": 4}),
    ):
        (record,) = comparisons(country, code)
        assert (record["agrees"], record["gateway"], record["counts"]) == (True, peer, counts)
    assert look(country, "ris") == {}
    assert len(comparisons(country, "ris")) == 1, "what agrees is not compared again"


REMOVALS = {
    "the answer that was given": ("hpa", "answer", "only_there"),
    "the question that was asked": ("ris", "request", "only_there"),
}


@pytest.mark.parametrize("name", REMOVALS)
@pytest.mark.parametrize("thorough", [False, True])
def test_a_removed_record_alarms_both_with_its_id(country: Country, name: str, thorough: bool) -> None:
    code, kind, _ = REMOVALS[name]
    gone = exchanges(country)[1]
    records = country.records(code)
    (index,) = [at for at, one in enumerate(records) if (one.get("id"), one["kind"]) == (gone, kind)]
    assert country.edit(code, "DELETE FROM ledger_record WHERE idx = ?", index) == 1
    if thorough:  # and every trace of it beside the log
        assert country.edit(code, "DELETE FROM place WHERE exchange = ?", gone) >= 1
    other = {"ris": "hpa", "hpa": "ris"}[code]
    here, there = look(country, code), look(country, other)
    gateways = {"ris": RIS, "hpa": HPA}
    assert here[gateways[other]]["only there"]["ids"] == [gone]
    assert there[gateways[code]]["only here"]["ids"] == [gone]
    assert [record["agrees"] for record in comparisons(country, other)] == [False]
    assert comparisons(country, other)[0]["only_here"] == [gone]


def test_one_that_forgot_the_whole_hour_learns_it_from_being_asked(country: Country) -> None:
    made = exchanges(country)
    with_ris = "json_extract(CAST(record AS TEXT), '$.gateway') = ?"
    assert country.edit("hpa", f"DELETE FROM ledger_record WHERE {with_ris}", RIS) >= 2 * len(made)
    assert look(country, "hpa") == {}, "it knows of nothing to compare"
    assert set(made) <= set(look(country, "ris")[HPA]["only here"]["ids"])
    assert set(made) <= set(look(country, "hpa")[RIS]["only there"]["ids"])


def test_an_alarm_outlives_a_start_and_ends_when_they_agree(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = exchanges(country)[0]
    rename(country, gone, f"{gone}-hidden")
    assert look(country, "ris")
    country.halt("ris")
    country.start("ris")
    assert look(country, "ris"), "not compared again within the hour, and still standing"
    rename(country, f"{gone}-hidden", gone)
    monkeypatch.setattr(comparing, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(comparing, "HELD_SECONDS", 0)
    assert look(country, "ris") == {}
    assert [record["agrees"] for record in comparisons(country, "ris")] == [False, True]


def test_what_the_door_refuses(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    exchanges(country)
    now = int(country.gateways["hpa"].core.now().timestamp()) // 3600
    for query, status in (
        (f"hour={now}&role=provider&prefix=", 200),
        ("hour=x&role=provider", 400),
        (f"hour={now}&role=other", 400),
        (f"hour={now}&role=provider&prefix=zz", 400),
        (f"hour={now + 9}&role=provider", 409),
        (f"hour={now - comparing.BACK_HOURS - 1}&role=provider", 404),
    ):
        assert get(country, query).status == status, query


def get(country: Country, query: str) -> Response:
    target = country.snapshot().gateways[HPA]

    async def go() -> Response:
        client = Client(ssl=country.gateways["ris"].core.configuration.client_tls)
        try:
            return await client.request("GET", f"https://{target.authority}{exchanged.PATH}?{query}")
        finally:
            await client.close()

    answer: Response = country.run(go())
    return answer


def test_an_answer_by_another_key_or_about_another_hour_is_not_believed(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges(country)
    core = country.gateways["ris"].core
    peer, hour = country.snapshot().gateways[HPA], int(core.now().timestamp()) // 3600
    assert country.run(core.comparing.compare(hour, peer)) is not None
    sound = country.gateways["hpa"].core.message_key
    monkeypatch.setattr(country.gateways["hpa"].core, "message_key", country.gateways["portal"].core.message_key)
    assert country.run(core.comparing.compare(hour, peer)) is None
    monkeypatch.setattr(country.gateways["hpa"].core, "message_key", sound)
    assert country.run(core.comparing.compare(hour, peer)) is not None


def test_a_busy_hour_is_waited_for_and_compared_in_the_end(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it takes longer than an asker is let wait: 503, until it was read; it is read once for all."""
    made = exchanges(country)
    go_on, begun = threading.Event(), []

    def slowly(*asked: Any) -> hours.Hour:
        begun.append(asked)
        assert go_on.wait(60)
        return read(*asked)

    read = hours.read
    monkeypatch.setattr(hours, "read", slowly)
    monkeypatch.setattr(comparing, "PATIENCE", 0.2)
    now = int(country.gateways["hpa"].core.now().timestamp()) // 3600
    refused = [get(country, f"hour={now}&role=provider&prefix=") for _ in range(2)]
    assert [one.status for one in refused] == [503, 503]
    assert int(refused[0].headers["retry-after"]) > 0
    core, peer = country.gateways["ris"].core, country.snapshot().gateways[HPA]
    assert country.run(core.comparing.compare(now, peer)) is None
    assert len(begun) == 1, (
        "who asks again does not begin it again, and an hour is not read for one who does not answer"
    )
    go_on.set()
    wait_for(lambda: get(country, f"hour={now}&role=provider&prefix=").status == 200)
    found = country.run(core.comparing.compare(now, peer))
    assert (found is None, bool(found)) == (False, False)
    assert comparisons(country, "ris")[0]["counts"]["client"] == len(made) + 1
    assert len(begun) == 2, "each side read it once"


def test_a_gateway_that_stops_does_not_wait_for_an_hour_to_be_read(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges(country)
    ended: list[threading.Event] = []

    def endless(*asked: Any) -> hours.Hour:
        ended.append(asked[-1])
        assert asked[-1].wait(60)
        return read(*asked)

    read = hours.read
    monkeypatch.setattr(hours, "read", endless)
    monkeypatch.setattr(comparing, "PATIENCE", 0.2)
    now = int(country.gateways["hpa"].core.now().timestamp()) // 3600
    assert get(country, f"hour={now}&role=provider&prefix=").status == 503
    country.halt("hpa")
    assert [one.is_set() for one in ended] == [True]
