"""A gateway that asks much and does not read what it is answered: cut off after a time, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smartgov.engines.httpd import Request, Response, sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import Country, wait_for
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_failures_process import stand_in, state
from smartgov.engines.troad.tests.test_gateway_process import Process

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
MANY, LARGE = 8, 3_000_000
"""More than the systems on both sides keep for a connection."""


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Process]:
    """ris's gateway, which asks, in a process; hpa's waits for a second until what it wrote is taken."""
    country = Country(tmp_path)
    settings(country, "hpa", write_seconds=1)
    country.start("hpa", "portal")
    made = Process(country, "ris")
    made.start()
    yield made
    if made.child is not None and made.child.poll() is None:
        made.child.send_signal(signal.SIGCONT)
        made.end()
    country.stop()


def test_who_does_not_read_its_answers_is_cut_off_and_nothing_is_lost(asking: Process) -> None:
    country, kept, asked = asking.country, Kept(asking.country), list[str]()
    gate = asyncio.Event()

    async def service(request: Request) -> Response:
        asked.append(request.path)
        await gate.wait()
        return Response.json({"hospital": "x" * LARGE, "born_on": "2026-11-01"})

    def ask(number: int) -> str:
        ended = kept.ask(idempotency_key=f"unread-{number}", exchange_id=f"unread-{number}")
        sync.close()
        return ended

    stand_in(country, service)
    cut = country.gateways["hpa"].core.traffic.cut
    assert asking.child is not None
    with ThreadPoolExecutor(MANY) as threads:
        ends = [threads.submit(ask, number) for number in range(MANY)]
        wait_for(lambda: len(asked) == MANY)
        asking.child.send_signal(signal.SIGSTOP)
        wait_for(lambda: state(asking) == "T")
        country.loop.call_soon_threadsafe(gate.set)
        wait_for(lambda: cut["TW/GOV/ris/gw1"])
        asking.child.send_signal(signal.SIGCONT)
        told = [one.result() for one in ends]
    assert set(told) <= {"answered", "gateway-silent"}
    assert "gateway-silent" in told, "the blow struck"
    figures = sync.request("GET", f"{country.url('hpa')}/local/v1/metrics", _bearer(country)).body.decode()
    assert 'troad_connections_cut_total{peer="TW/GOV/ris/gw1"} 1\n' in figures
    answers = [one["id"] for one in country.records("hpa") if one["kind"] == "answer"]
    assert sorted(answers) == [f"unread-{number}" for number in range(MANY)], "each was recorded before it was sent"
    for number in range(MANY):
        assert kept.ask(idempotency_key=f"unread-{number}") == "answered"
    assert len(asked) == MANY, "each was carried out once"
    kept.hold()


def _bearer(country: Country) -> dict[str, str]:
    secret = homes.secret(country.folder / "hpa", "births")
    return {"authorization": f"Bearer {secret}", "x-road-client": "TW/GOV/hpa/births"}
