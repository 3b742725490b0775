"""A call under an idempotency key is carried out at most once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import json
import threading
from itertools import count
from typing import Any

import pytest

from smartgov.engines.httpd import Request, Response, serve, sync
from smartgov.engines.troad.tests.country import (
    BIRTHS,
    CASES,
    LAW,
    MOTHER,
    PEOPLE,
    PURPOSE,
    Country,
    ask_births,
    wait_for,
)
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["process"]


def counted(country: Country) -> None:
    """A service that counts: every call that reaches it changes something."""
    number = iter(range(1, 100))
    country.behind.answer = lambda request: Response.json({"hospital": f"number {next(number)}"}, 201)


def refused(country: Country, slug: str, **changes: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk(), **changes)
    assert problem.value.slug == slug
    return problem.value


def test_a_repeated_call_gets_the_first_answer_signed_for_its_own_request(country: Country) -> None:
    counted(country)
    first = ask_births(country.sdk(), idempotency_key="key-1")
    again = ask_births(country.sdk(), idempotency_key="key-1")
    assert (again.status, again.body) == (first.status, first.body) == (201, {"hospital": "number 1"})
    assert len(country.behind.seen) == 1
    assert again.exchange_id != first.exchange_id
    records = [one for one in country.records("hpa") if one.get("id") == again.exchange_id]
    assert [one["kind"] for one in records] == ["request", "answer"], "logged and signed as an exchange of its own"
    assert records[1]["signature"] != country.records("hpa")[-3]["signature"]


def test_a_key_belongs_to_one_content(country: Country) -> None:
    counted(country)
    ask_births(country.sdk(), idempotency_key="key-2")
    assert refused(country, "idempotency-mismatch", idempotency_key="key-2", json={"where": {"a": 1}}).status == 422
    assert refused(country, "idempotency-mismatch", idempotency_key="key-2", fields=["hospital"]).status == 422
    assert refused(country, "idempotency-key-invalid", idempotency_key="x" * 201).status == 400
    assert len(country.behind.seen) == 1
    other = ask_births(country.sdk(), idempotency_key="key-3", json={"where": {"a": 1}})
    assert other.body == {"hospital": "number 2"}


def test_rights_are_checked_again(country: Country) -> None:
    counted(country)
    ask_births(country.sdk(), idempotency_key="key-4")
    data = country.data()
    narrowed = [{**one, "fields": ["born_on"]} if one["service"] == BIRTHS else one for one in data["rights"]]
    country.publish(rights=narrowed)
    assert ask_births(country.sdk(), idempotency_key="key-4").body == {}, "a field lost meanwhile is cut"
    country.publish(rights=[one for one in data["rights"] if one["service"] != BIRTHS])
    refused(country, "right-missing", idempotency_key="key-4")


def test_while_it_runs(country: Country) -> None:
    gate, entered = threading.Event(), threading.Event()

    async def waiting(request: Request) -> Response:
        entered.set()
        await asyncio.to_thread(gate.wait, 20)
        return Response.json({"hospital": "x"}, 201)

    server = country._server
    assert server is not None
    server.handler = waiting
    try:
        answers: list[Any] = []
        first = threading.Thread(target=lambda: answers.append(ask_births(country.sdk(), idempotency_key="key-5")))
        first.start()
        assert entered.wait(10)
        assert refused(country, "idempotency-running", idempotency_key="key-5").status == 409
        gate.set()
        first.join(10)
        assert answers[0].status == 201
        assert ask_births(country.sdk(), idempotency_key="key-5").status == 201
    finally:
        gate.set()
        server.handler = country.behind.handle


def test_a_service_that_says_it_did_nothing_frees_the_key(country: Country) -> None:
    country.behind.answer = lambda request: Response.json({"busy": True}, 503)
    with pytest.raises(Problem):
        ask_births(country.sdk(), idempotency_key="key-6")
    counted(country)
    assert ask_births(country.sdk(), idempotency_key="key-6").status == 201


def test_a_system_that_was_never_reached_frees_the_key(country: Country) -> None:
    country.run(country._server.stop())  # type: ignore[union-attr]
    try:
        refused(country, "service-unreachable", idempotency_key="key-7")
    finally:
        country._server = country.run(serve(country.behind.handle, port=country.behind.port))
    counted(country)
    assert ask_births(country.sdk(), idempotency_key="key-7").status == 201


def test_a_service_that_breaks_off_leaves_the_outcome_unknown(country: Country) -> None:
    async def breaks(request: Request) -> Response:
        for connection in list(country._server.connections):  # type: ignore[union-attr]
            connection._transport.abort()
        return Response()

    server = country._server
    assert server is not None
    server.handler = breaks
    try:
        assert refused(country, "service-silent", idempotency_key="key-8").status == 504
    finally:
        server.handler = country.behind.handle
    counted(country)
    assert refused(country, "outcome-unknown", idempotency_key="key-8").status == 409
    assert country.behind.seen == [], "it is not carried out again"


def test_an_answer_that_was_erased_is_not_made_again(country: Country) -> None:
    counted(country)
    first = ask_births(country.sdk(), idempotency_key="key-9")
    store = country.gateways["hpa"].core.store
    country.run(store.erase(first.exchange_id))
    assert refused(country, "answer-erased", idempotency_key="key-9").status == 409
    assert len(country.behind.seen) == 1
    assert not any(b"number 1" in file.read_bytes() for file in (country.folder / "hpa").glob("log.sqlite3*"))


def test_the_own_members_calls_are_held_to_it_too(country: Country) -> None:
    counted(country)
    for _ in range(2):
        answer = country.sdk().call(
            PEOPLE, "POST", "/people", json={}, subject=MOTHER, purpose=PURPOSE, basis=LAW, idempotency_key="own-1"
        )
        assert answer.body == {"hospital": "number 1"}
    with pytest.raises(Problem, match="idempotency-mismatch"):
        country.sdk().call(
            PEOPLE, "POST", "/people", json=[1], subject=MOTHER, purpose=PURPOSE, basis=LAW, idempotency_key="own-1"
        )


def test_no_gateway_repeats_a_call_by_itself(country: Country) -> None:
    """Both gateways hold warm connections; the service hangs up without an answer: it is asked once."""
    ask_births(country.sdk())
    seen = []

    async def hangs_up(request: Request) -> Response:
        seen.append(request)
        for connection in list(country._server.connections):  # type: ignore[union-attr]
            connection._transport.abort()
        return Response()

    server = country._server
    assert server is not None
    server.handler = hangs_up
    try:
        refused(country, "service-silent", idempotency_key="key-10")
        refused(country, "service-silent")
    finally:
        server.handler = country.behind.handle
    assert len(seen) == 2


# -- kill -9 on the provider's gateway as a real process --------------------------------------------------------------


def test_killed_while_the_service_works(process: Process) -> None:
    country, entered, killed = process.country, threading.Event(), asyncio.Event()
    seen: list[str] = []

    async def works(request: Request) -> Response:
        seen.append(request.headers["x-road-id"])
        entered.set()
        await killed.wait()
        return Response.json({"hospital": "done"}, 201)

    assert country._server is not None
    country._server.handler = works
    caller = threading.Thread(target=lambda: refused(country, "gateway-silent", idempotency_key="k-1"))
    caller.start()
    assert entered.wait(60)
    process.kill()
    country.loop.call_soon_threadsafe(killed.set)
    caller.join(60)
    process.start()
    problem = refused(country, "outcome-unknown", idempotency_key="k-1")
    assert (problem.status, problem.extra["refused_by"]) == (409, "TW/GOV/hpa/gw1")
    assert len(seen) == 1, "the service was asked once, and never again under this key"
    assert ask_births(country.sdk(), idempotency_key="k-2").status == 201


def test_killed_after_the_answer(process: Process) -> None:
    country = process.country
    counted(country)
    first = ask_births(country.sdk(), idempotency_key="k-3")
    process.kill()
    process.start()
    again = ask_births(country.sdk(), idempotency_key="k-3")
    assert again.body == first.body
    assert len(country.behind.seen) == 1


def test_killed_again_and_again_while_many_ask(process: Process) -> None:
    """Every key is carried out at most once; what was answered is answered the same way ever after."""
    country, lock = process.country, threading.Lock()
    done: dict[str, int] = {}
    answers: dict[str, list[Any]] = {}
    refusals: set[str] = set()

    def serve_one(request: Request) -> Response:
        with lock:
            key = json.loads(request.body)["where"]["key"]
            done[key] = done.get(key, 0) + 1
            return Response.json({"hospital": f"{key} {done[key]}"}, 201)

    country.behind.answer = serve_one
    stop = threading.Event()

    def work(worker: int) -> None:
        sdk = country.sdk(CASES)
        for number in count():
            key = f"w{worker}-{number}"
            for _ in range(3):
                try:
                    answer = ask_births(sdk, idempotency_key=key, json={"where": {"key": key}})
                    with lock:
                        answers.setdefault(key, []).append(answer.body["hospital"])
                except Problem as problem:
                    refusals.add(problem.slug)
                if stop.is_set():
                    return
        sync.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(3):
            grown = len(done) + 5
            wait_for(lambda grown=grown: len(done) >= grown)
            process.kill()
            process.start()
    finally:
        stop.set()
        for worker in workers:
            worker.join(60)
    assert len(done) > 10
    assert set(done.values()) == {1}, "at most once"
    assert refusals <= {"gateway-silent", "gateway-unreachable", "outcome-unknown", "service-silent"}
    assert all(set(told) == {f"{key} 1"} for key, told in answers.items())


def test_what_keeps_no_bodies_keeps_no_answer_for_a_repeat(country: Country) -> None:
    counted(country)
    first, *others = country.data()["services"]
    country.publish(services=[{**first, "durability": "meta"}, *others])
    assert ask_births(country.sdk(), idempotency_key="key-meta").status == 201
    with country.gateways["hpa"].core.store.reading() as (db, _):
        rows = db.execute("SELECT state, salt, tag, answer FROM claim ORDER BY made DESC").fetchall()
    assert ("erased", None, None, None) in rows
    refused(country, "answer-erased", idempotency_key="key-meta")
    assert len(country.behind.seen) == 1, "and it is not carried out again"


def claims(country: Country, code: str) -> set[bytes]:
    with country.gateways[code].core.store.reading() as (db, _):
        return {row[0] for row in db.execute("SELECT id FROM claim")}


def test_kept_answers_end_with_the_retention_of_their_service(country: Country) -> None:
    """With the bodies of their exchanges, from the wire and from the own member; the key stays used."""
    counted(country)
    first, second = country.data()["services"]
    country.publish(services=[{**first, "retain_days": 1}, {**second, "retain_days": 1}])
    before = {code: claims(country, code) for code in ("hpa", "ris")}
    assert ask_births(country.sdk(), idempotency_key="key-retained").status == 201
    local: dict[str, Any] = {"json": {}, "subject": MOTHER, "purpose": PURPOSE, "basis": LAW}
    local["idempotency_key"] = "key-retained"
    assert country.sdk().call(PEOPLE, "POST", "/people", **local).status == 201
    reached = len(country.behind.seen)
    for code in ("hpa", "ris"):
        store = country.gateways[code].core.store
        with store.reading() as (db, _):
            (made,) = db.execute("SELECT max(made) FROM claim WHERE answer IS NOT NULL").fetchone()
        assert country.run(store.erase_due(made + 86_400 + 2, 180)) > 0
        with store.reading() as (db, _):
            kept = db.execute(
                "SELECT id FROM claim WHERE made = ? AND coalesce(salt, tag, answer) IS NOT NULL", (made,)
            )
            assert {row[0] for row in kept} <= before[code], "others were made for longer in the same second"
    refused(country, "answer-erased", idempotency_key="key-retained")
    with pytest.raises(Problem, match="answer-erased"):
        country.sdk().call(PEOPLE, "POST", "/people", **local)
    assert len(country.behind.seen) == reached
