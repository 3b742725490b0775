"""Real gateways compare an hour: one of them has removed a record, and both are alarmed with the exchange's id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Client, Response
from smartgov.engines.troad import comparing, exchanged
from smartgov.engines.troad.tests.country import Country, ask_births, running
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
RIS, HPA = "TW/GOV/ris/gw1", "TW/GOV/hpa/gw1"


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
        assert country.edit(code, "DELETE FROM exchanged WHERE id = ?", gone) >= 1
        country.edit(code, "DELETE FROM place WHERE exchange = ?", gone)
    other = {"ris": "hpa", "hpa": "ris"}[code]
    here, there = look(country, code), look(country, other)
    gateways = {"ris": RIS, "hpa": HPA}
    assert here[gateways[other]]["only there"]["ids"] == [gone]
    assert there[gateways[code]]["only here"]["ids"] == [gone]
    assert [record["agrees"] for record in comparisons(country, other)] == [False]
    assert comparisons(country, other)[0]["only_here"] == [gone]


def test_one_that_forgot_the_whole_hour_learns_it_from_being_asked(country: Country) -> None:
    made = exchanges(country)
    country.edit("hpa", "DELETE FROM exchanged")
    assert look(country, "hpa") == {}, "it knows of nothing to compare"
    assert set(made) <= set(look(country, "ris")[HPA]["only here"]["ids"])
    assert set(made) <= set(look(country, "hpa")[RIS]["only there"]["ids"])


def test_an_alarm_outlives_a_start_and_ends_when_they_agree(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = exchanges(country)[0]
    country.edit("hpa", "UPDATE exchanged SET id = ? WHERE id = ?", f"{gone}-hidden", gone)
    assert look(country, "ris")
    country.halt("ris")
    country.start("ris")
    assert look(country, "ris"), "not compared again within the hour, and still standing"
    country.edit("hpa", "UPDATE exchanged SET id = ? WHERE id = ?", gone, f"{gone}-hidden")
    monkeypatch.setattr(comparing, "AGAIN_SECONDS", 0)
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
