"""After erasure nobody can tell a yes from a no: not from log, write-ahead log or backup; and the proof still holds."""

from __future__ import annotations

import base64
import hmac
import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import Response
from smartgov.engines.troad import backup, verification, verify_evidence
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.store import Store
from smartgov.engines.troad.tests.country import Country, ask_births
from smartgov.engines.troad.tests.stamped import anchors, evidence, stamp, stamped_country
from smartgov.engines.troad.verification import Verdict

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
YES, NO = (json.dumps({"items": [{"hospital": answer}]}, separators=(",", ":")).encode() for answer in ("yes", "no"))
PASSPHRASE = "a passphrase for the test"


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    enable_socket()
    with stamped_country(tmp_path / "country") as standing:
        standing.behind.answer = lambda _: Response(200, {"content-type": "application/json"}, YES)
        yield standing


def erased(country: Country) -> str:
    exchange: str = ask_births(country.sdk()).exchange_id
    for code in ("ris", "hpa"):
        stamp(country, code)
        assert country.run(country.gateways[code].core.store.erase(exchange)) == 2
    return exchange


def test_the_guesser_finds_what_was_not_erased(country: Country) -> None:
    """The attack below is a real one: before the erasure it succeeds, with the gateway's own keys in hand."""
    exchange = ask_births(country.sdk()).exchange_id
    assert guess(country.folder / "ris", exchange) == {YES}


def test_nobody_can_confirm_a_guess_from_log_wal_or_backup(country: Country, tmp_path: Path) -> None:
    exchange = erased(country)
    for code in ("ris", "hpa"):
        home = country.folder / code
        files = b"".join(path.read_bytes() for path in home.glob("log.sqlite3*"))
        assert exchange.encode() in files
        assert guess(home, exchange) == set()
        backup.save(home, tmp_path / f"{code}.backup", PASSPHRASE)
        backup.restore(tmp_path / f"{code}.backup", tmp_path / code, PASSPHRASE)
        assert guess(tmp_path / code, exchange) == set()


def test_what_was_erased_is_still_proven(country: Country, tmp_path: Path) -> None:
    exchange, trusted = erased(country), anchors(country, tmp_path / "anchors")
    for system in ("TW/GOV/ris/cases", "TW/GOV/hpa/births"):
        bundle = evidence(country, exchange, system)
        assert not any({"salt", "body", "base"} & set(entry) for entry in bundle["entries"])
        assert verification.verify(bundle, trusted).verdict is Verdict.VALID
        assert verify_evidence.verify(bundle, trusted)[0] == "valid"
        record = json.loads(base64.b64decode(bundle["entries"][1]["record"]))
        assert record["body"].startswith("hmac-sha-256=:")


def guess(home: Path, exchange: str) -> set[bytes]:
    """Everything that the owner of a home, with all its keys, can confirm of the two possible bodies."""
    found: set[bytes] = set()
    at = homes.load(home)
    with sqlite3.connect(home / "log.sqlite3") as db:
        rows = db.execute("SELECT idx FROM place WHERE exchange = ?", (exchange,)).fetchall()
        records = [json.loads(r) for (r,) in db.execute("SELECT CAST(record AS TEXT) FROM ledger_record")]
    mine = [record for record in records if record.get("id") == exchange and "body" in record]
    assert len(mine) == 2
    store = Store(home / "log.sqlite3", origin=at.gateway, log_key=at.log_key(), body_key=at.secret_key("body"))
    try:
        found |= {kept[1] for (index,) in rows if (kept := store.message(index)) is not None} & {YES, NO}
    finally:
        store.stop()
    content = b"".join(path.read_bytes() for path in home.glob("log.sqlite3*"))
    for body in (YES, NO):
        digests = [sha256(body).digest(), *(hmac.digest(key, body, "sha256") for key in _keys(home))]
        shown: list[Any] = [form for one in digests for form in (one, one.hex().encode(), base64.b64encode(one))]
        if body in content or any(form in content for form in shown):
            found.add(body)
    return found


def _keys(home: Path) -> list[bytes]:
    return [b"", bytes(32), *(path.read_bytes() for path in (home / "keys").glob("*.key"))]
