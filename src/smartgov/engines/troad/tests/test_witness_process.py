"""Witnesses: what they sign, what they refuse, what they remember; and stamps with an authority that comes and goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Client, Response
from smartgov.engines.ledger import checkpoint, cosign, merkle
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import trail, verification, witness
from smartgov.engines.troad.records import PROMISED_SECONDS
from smartgov.engines.troad.tests.country import Country, ask_births, running
from smartgov.engines.troad.tests.stamped import anchors, evidence, settings, stamped_country
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
HPA = "TW/GOV/hpa"


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    enable_socket()
    with stamped_country(tmp_path_factory.mktemp("witness")) as standing:
        yield standing


def head_of(country: Country, code: str) -> str:
    note: str = country.run(country.gateways[code].core.heads.publish())
    return note


def to_witness(country: Country, by: str, to: str, body: bytes) -> Response:
    """A request to a witness over a connection with the gateway `by`'s certificate."""
    target = country.snapshot().gateways[f"TW/GOV/{to}/gw1"]

    async def go() -> Response:
        client = Client(ssl=country.gateways[by].core.configuration.client_tls)
        try:
            return await client.request("POST", f"https://{target.authority}{witness.PATH}", body=body)
        finally:
            await client.close()

    answer: Response = country.run(go())
    return answer


def known(country: Country, by: str, origin: str) -> int:
    with country.gateways[by].core.store.reading() as (db, _):
        row = db.execute("SELECT size FROM witnessed WHERE origin = ?", (origin,)).fetchone()
    return int(row[0]) if row else 0


def test_two_members_co_sign_a_head_and_keep_it(country: Country) -> None:
    ask_births(country.sdk())
    note = head_of(country, "ris")
    keys = {
        f"TW/GOV/{one}/gw1": homes.load(country.folder / one).witness_key().public_key() for one in ("hpa", "portal")
    }
    signed = cosign.cosignatures(note, keys)
    assert {one.witness for one in signed} == set(keys)
    assert all(abs(one.time - clock.now().timestamp()) < 120 for one in signed)
    assert known(country, "hpa", "TW/GOV/ris/gw1") == checkpoint.parse(note).size


def test_what_a_witness_refuses(country: Country) -> None:
    ask_births(country.sdk())
    note = head_of(country, "ris")
    size, home = checkpoint.parse(note).size, homes.load(country.folder / "ris")
    with country.gateways["ris"].core.store.reading() as (_, log):
        smaller, proof = log.checkpoint(size - 1), log.consistency(size - 1, size)
    answer = to_witness(country, "ris", "hpa", witness.write(size - 1, proof, note))
    assert (answer.status, answer.headers["content-type"], answer.body) == (
        409,
        witness.SIZE_TYPE,
        f"{size}\n".encode(),
    )
    answer = to_witness(country, "ris", "hpa", witness.write(size, [], smaller))
    assert answer.status == 409
    fork = checkpoint.sign(checkpoint.Checkpoint(home.gateway, size, b"x" * 32), home.log_key())
    assert to_witness(country, "ris", "hpa", witness.write(size, [], fork)).status == 422
    assert f"log-forked:{home.gateway}" in country.gateways["hpa"].core.alarms.standing
    other = homes.load(country.folder / "portal").log_key()
    forged = checkpoint.sign(checkpoint.Checkpoint(home.gateway, size, b"x" * 32), other)
    assert to_witness(country, "ris", "hpa", witness.write(size, [], forged)).status == 403
    unknown = checkpoint.sign(checkpoint.Checkpoint("TW/GOV/no/gw1", 1, b"x" * 32), other)
    assert to_witness(country, "ris", "hpa", witness.write(0, [], unknown)).status == 404
    for broken in (
        b"",
        b"old x\n\n" + note.encode(),
        "old ²\n\n".encode() + note.encode(),
        b"old 0\n***\n\n" + note.encode(),
        b"old 0\n\nno note",
    ):
        assert to_witness(country, "ris", "hpa", broken).status == 400
    assert known(country, "hpa", home.gateway) == size, "nothing of this changed what it knows"


def test_what_a_witness_knows_outlives_it(tmp_path: Path) -> None:
    with running(tmp_path) as country:
        ask_births(country.sdk())
        head_of(country, "ris")
        before = known(country, "hpa", "TW/GOV/ris/gw1")
        country.halt("hpa")
        country.start("hpa")
        assert known(country, "hpa", "TW/GOV/ris/gw1") == before > 0


async def no_look(restoring: Any) -> None:
    """What a dishonest gateway does instead of asking others."""


def test_a_log_begun_anew_is_refused_by_its_own_gateway_and_by_witnesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as country:
        for _ in range(2):
            ask_births(country.sdk())
        head_of(country, "ris")
        country.halt("ris")
        for file in (country.folder / "ris").glob("log.sqlite3*"):
            file.unlink()
        country.start("ris")
        core = country.gateways["ris"].core
        assert "log-restored" in core.alarms.standing
        with pytest.raises(Problem) as refused:
            ask_births(country.sdk())
        assert refused.value.slug == "log-restored", "it does not work on a log that others know better"
        country.halt("ris")  # and now one whose owner has changed the program
        monkeypatch.setattr(type(core.restoring), "look", no_look)
        country.start("ris")
        core = country.gateways["ris"].core
        ask_births(country.sdk())
        shorter = head_of(country, "ris")
        assert shorter.count("\n— ") == 1
        assert "log-shorter-than-witnessed" in core.alarms.standing
        for _ in range(3):
            ask_births(country.sdk())
        assert head_of(country, "ris").count("\n— ") == 1
        assert any(name.startswith("witness-refuses:") for name in core.alarms.standing)


def test_with_too_few_witnesses_exchanges_go_on_and_nobody_calls_them_confirmed(tmp_path: Path) -> None:
    with stamped_country(tmp_path / "country") as country:
        trusted = anchors(country, tmp_path / "anchors")
        ask_births(country.sdk())
        country.halt("portal")
        exchange = ask_births(country.sdk()).exchange_id
        core = country.gateways["ris"].core
        assert head_of(country, "ris").count("\n— ") == 2, "its own signature and one witness"
        assert core.alarms.standing["witnesses-missing"] == "1 of 2"
        assert verification.verify(evidence(country, exchange), trusted).reasons == ("witnesses",)
        country.start("portal")
        ask_births(country.sdk())
        assert head_of(country, "ris").count("\n— ") == 3
        assert "witnesses-missing" not in core.alarms.standing


def test_co_signatures_that_a_head_had_are_not_lost_when_witnesses_are_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as country:
        ask_births(country.sdk())
        note = head_of(country, "ris")
        assert note.count("\n— ") == 3
        country.halt("portal")
        heads = country.gateways["ris"].core.heads
        monkeypatch.setattr(heads, "_fresh", lambda *given: None)  # they have grown old: it asks for new ones
        assert head_of(country, "ris") == note
        assert "witnesses-missing" in country.gateways["ris"].core.alarms.standing


def test_every_signed_answer_says_where_its_question_is_recorded(country: Country) -> None:
    began = int(clock.now().timestamp())
    exchange = ask_births(country.sdk()).exchange_id
    ended = int(clock.now().timestamp())
    with country.gateways["ris"].core.store.reading() as (db, _):
        (index,) = db.execute("SELECT max(idx) FROM place WHERE exchange = ?", (exchange,)).fetchone()
    kept = country.gateways["ris"].core.store.message(index)
    assert kept is not None
    line = re.search(
        r'^"troad-log": "TW/GOV/hpa/gw1";index=(\d+);leaf=:(.+):;by=(\d+)$', kept[2].decode(), re.MULTILINE
    )
    assert line is not None, "it is within what is signed"
    import base64

    with country.gateways["hpa"].core.store.reading() as (_, log):
        record = log.record(int(line[1]))
        assert base64.b64decode(line[2]) == merkle.leaf_hash(record)
    assert exchange in record.decode()
    assert began <= int(line[3]) - PROMISED_SECONDS <= ended
    head_of(country, "hpa")
    assert known(country, "ris", "TW/GOV/hpa/gw1") > int(line[1])


def test_a_trail_needs_two_young_co_signatures(country: Country) -> None:
    from smartgov.engines.troad.tests.country import MOTHER

    ask_births(country.sdk())
    portal = country.sdk("TW/GOV/portal/portal")
    answer = portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, assurance=3))
    members = portal.configuration()[0]["members"]
    own = next(m["gateways"][0] for m in members if m["id"] == HPA)
    witnesses = {f"{m['id']}/gw1": m["gateways"][0]["witness_key"] for m in members if m["id"] != HPA}

    def judged(answer: Any, minutes: int = 0) -> trail.TrailVerdict:
        from datetime import timedelta

        now = clock.now() + timedelta(minutes=minutes)
        return trail.verify(answer, None, own["log_key"], "TW/GOV/hpa/gw1", witnesses=witnesses, now=now)

    assert judged(answer).entries_proven
    for late in (judged(answer, 11), judged({**answer, "checkpoint": answer["checkpoint"].rsplit("—", 1)[0]})):
        assert not late.entries_proven
        assert late.problem is not None
        assert "other agencies" in late.problem.why.en


# -- time stamps --------------------------------------------------------------------------------------------------


def stamps(country: Country, code: str) -> int:
    with country.gateways[code].core.store.reading() as (db, _):
        (count,) = db.execute("SELECT count(*) FROM stamp").fetchone()
    return int(count)


def test_an_authority_that_is_down_alarms_and_stops_nothing_until_the_bound(tmp_path: Path) -> None:
    from smartgov.engines.troad.tests.country import free_port

    with stamped_country(tmp_path) as country:
        country.halt("ris")
        dead = {"url": f"http://127.0.0.1:{free_port()}/", "root": str(tmp_path / "tsa/root.pem"), "bound": 3600}
        settings(country, "ris", timestamps=dead)
        country.start("ris")
        core = country.gateways["ris"].core
        assert ask_births(country.sdk()).status == 200
        assert not country.run(core.heads.stamp())
        assert "timestamps-missing" in core.alarms.standing
        country.run(core.heads.look())
        assert ask_births(country.sdk()).status == 200, "within the bound exchanges go on"
        core.heads._unstamped_since -= 3601
        with pytest.raises(Problem) as refused:
            ask_births(country.sdk())
        assert refused.value.slug == "timestamps-missing"
        country.halt("ris")
        settings(country, "ris", timestamps={**dead, "url": homes.load(tmp_path / "hpa").timestamps.url})
        country.start("ris")
        core = country.gateways["ris"].core
        assert country.run(core.heads.stamp())
        assert ask_births(country.sdk()).status == 200
        assert "timestamps-missing" not in core.alarms.standing


def test_a_batch_is_one_stamp(country: Country) -> None:
    """What `openssl ts -verify` says of it: tests/peers/test_evidence.py."""
    country.quiet("portal")
    before = stamps(country, "portal")
    for _ in range(5):
        country.sdk("TW/GOV/portal/portal").append([{"kind": "note", "actor": "s1"}])
    assert country.run(country.gateways["portal"].core.heads.stamp())
    assert stamps(country, "portal") == before + 1


def test_heads_are_stamped_anew_before_the_authoritys_certificate_ends(country: Country) -> None:
    """The last stamp is made one whose certificate ends in so many days; a log that does not grow is looked at."""
    country.quiet("portal")
    core, now = country.gateways["portal"].core, int(clock.now().timestamp())
    country.sdk("TW/GOV/portal/portal").append([{"kind": "note", "actor": "s1"}])
    assert country.run(core.heads.stamp())
    with core.store.reading() as (db, log):
        size, valid = log.size(), db.execute("SELECT max(ends) FROM stamp").fetchone()[0]
    assert valid - now > 300 * 86_400
    for days, anew in ((31, 0), (29, 1)):
        country.edit("portal", "DELETE FROM stamp")
        country.edit("portal", "INSERT INTO stamp VALUES (?, ?, ?, x'00')", size, now - 9000, now + days * 86_400)
        core.heads._last_stamp = now - 9000
        country.run(core.heads._stamp_if_due(size, now))
        with core.store.reading() as (db, _):
            rows = db.execute("SELECT size, time, ends FROM stamp WHERE time > ?", (now - 9000,)).fetchall()
        assert len(rows) == anew
        assert all((at, ends) == (size, valid) and abs(time - now) < 60 for at, time, ends in rows)
    country.run(core.heads._stamp_if_due(size, now + 10))
    assert stamps(country, "portal") == 2, "the new stamp is good for long: no third one"
