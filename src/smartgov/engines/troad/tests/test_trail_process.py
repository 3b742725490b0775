"""Her trail: proven entries, her token only, and a log that was edited on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import Checkpoint, Log
from smartgov.engines.pki import jws
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import trail
from smartgov.engines.troad.restoring import Restoring
from smartgov.engines.troad.tests.country import (
    FATHER,
    LAW,
    MOTHER,
    PURPOSE,
    Country,
    Rogue,
    ask_births,
    problem_type,
    running,
)
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PORTAL = "TW/GOV/portal/portal"
HPA = "TW/GOV/hpa"


def look(country: Country, pinned: Checkpoint | None = None, person: str = MOTHER) -> trail.TrailVerdict:
    portal = country.sdk(PORTAL)
    token = portal.token(subject=person, audience=HPA, assurance=3)
    answer = portal.trail(HPA, token, pinned.size if pinned else 0)
    log_key = next(m["gateways"][0]["log_key"] for m in portal.configuration()[0]["members"] if m["id"] == HPA)
    return trail.verify(answer, pinned, log_key, "TW/GOV/hpa/gw1")


def test_she_sees_who_asked_what_for_and_under_which_law(country: Country) -> None:
    exchange = ask_births(country.sdk()).exchange_id
    verdict = look(country)
    assert verdict.entries_proven
    assert verdict.problem is None
    record = next(entry.record for entry in verdict.entries if entry.record.get("id") == exchange)
    assert record["client"] == "TW/GOV/ris/cases"
    assert (record["kind"], record["user"], record["purpose"]) == ("request", "s1", PURPOSE)
    assert record["basis"] == {"kind": "statute", "code": LAW}
    assert record["fields"] == ["born_on", "hospital", "mother_id"]
    assert record["issue"] == "case-1"
    assert record["time"].endswith("Z")


def test_nobody_else_sees_them(country: Country) -> None:
    ask_births(country.sdk())
    assert look(country, person=FATHER).entries == []


def test_her_refused_and_local_entries_are_listed_and_looking_is_not(country: Country) -> None:
    with pytest.raises(Problem):
        ask_births(country.sdk(), purpose="curiosity")
    country.sdk("TW/GOV/hpa/births").append([{"kind": "local-read", "subject": MOTHER, "actor": "seat-1"}])
    verdict = look(country)
    kinds = [entry.record["kind"] for entry in verdict.entries]
    assert kinds[-2:] == ["refusal", "local-read"]
    assert "trail" not in kinds
    assert verdict.entries[-2].record["reason"] == "purpose-not-granted"


def test_a_service_may_keep_its_use_from_the_list(country: Country) -> None:
    services = country.data()["services"]
    country.publish(services=[{**services[0], "visibility": "sealed"}, services[1]])
    exchange = ask_births(country.sdk()).exchange_id
    verdict = look(country)
    assert verdict.entries_proven
    assert exchange not in {entry.record.get("id") for entry in verdict.entries}


def test_the_head_continues_the_one_that_was_kept(country: Country) -> None:
    ask_births(country.sdk())
    first = look(country)
    for _ in range(3):
        ask_births(country.sdk())
        verdict = look(country, first.checkpoint)
        assert verdict.entries_proven
        assert first.checkpoint is not None
        assert verdict.checkpoint is not None
        assert verdict.checkpoint.size > first.checkpoint.size
        first = verdict


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE ledger_record SET record = replace(record, 'case-1', 'case-2') WHERE idx = ?",
        "DELETE FROM ledger_record WHERE idx = ?",
    ],
)
def test_an_edited_log_file_is_seen(tmp_path: Any, edit: str) -> None:
    with running(tmp_path) as country:
        ask_births(country.sdk())
        kept = look(country)
        index = kept.entries[0].index
        assert country.edit("hpa", edit, index) == 1
        verdict = look(country, kept.checkpoint)
        assert not verdict.entries_proven
        assert verdict.problem is not None
        assert verdict.problem.slug == "trail-unproven"
        assert "was altered" in verdict.problem.why.en
        assert [entry.proven for entry in verdict.entries] == [False]
        assert verdict.checkpoint is None, "a head that did not hold is never kept"
        with country.gateways["hpa"].core.store.reading() as (_, log):
            assert log.verify_stored() == [index]


def test_an_edit_that_also_mends_the_tree_is_seen_by_the_kept_head(tmp_path: Any) -> None:
    with running(tmp_path) as country:
        ask_births(country.sdk())
        kept = look(country)
        with sqlite3.connect(country.folder / "hpa" / "log.sqlite3") as db:
            records = [bytes(row) for (row,) in db.execute("SELECT record FROM ledger_record ORDER BY idx")]
            db.execute("DELETE FROM ledger_record")
            db.execute("DELETE FROM ledger_hash")
            Log(db, "TW/GOV/hpa/gw1").append([record.replace(b"case-1", b"case-2") for record in records])
        verdict = look(country, kept.checkpoint)
        assert not verdict.entries_proven
        assert verdict.problem is not None
        assert "past was altered" in verdict.problem.why.en
        with country.gateways["hpa"].core.store.reading() as (_, log):
            assert log.verify_stored() == [-1], "the gateway's own remembered heads tell as well"


def test_a_log_rewritten_with_its_own_key_is_seen_by_the_kept_head(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_look(_: Any) -> None:
        """What a dishonest gateway does instead of asking others."""

    with running(tmp_path) as country:
        ask_births(country.sdk())
        kept = look(country)
        monkeypatch.setattr(Restoring, "look", no_look)
        country.halt("hpa")
        for file in (country.folder / "hpa").glob("log.sqlite3*"):
            file.unlink()
        country.start("hpa")
        shorter = look(country, kept.checkpoint)
        assert shorter.problem is not None
        assert "shorter" in shorter.problem.why.en
        for _ in range(4):
            ask_births(country.sdk())
        longer = look(country, kept.checkpoint)
        assert longer.problem is not None
        assert "past was altered" in longer.problem.why.en
        assert look(country).entries_proven, "without the kept head nobody could tell"


def test_a_head_of_another_key_or_log_is_refused(country: Country) -> None:
    ask_births(country.sdk())
    portal = country.sdk(PORTAL)
    answer = portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, assurance=2))
    right = homes.load(country.folder / "hpa").log_key().public_key()
    other = homes.load(country.folder / "ris").log_key().public_key()
    assert trail.verify(answer, None, right).entries_proven
    for forged, key, origin in [
        (answer, other, None),
        (answer, right, "TW/GOV/ris/gw1"),
        ({**answer, "entries": [{}]}, right, None),
        ({**answer, "checkpoint": "x"}, right, None),
    ]:
        verdict = trail.verify(forged, None, key, origin)
        assert not verdict.entries_proven
        assert verdict.problem is not None


def shown(country: Country, token: str, code: str = "portal", subsystem: str = "portal", member: str = HPA) -> Any:
    secret = homes.secret(country.folder / code, subsystem)
    headers = {"authorization": f"Bearer {secret}", "x-troad-trail-token": token}
    return sync.request("GET", f"{country.url(code)}/r1/{member}/-/trail/records", headers)


def test_a_token_opens_once(country: Country) -> None:
    token = country.sdk(PORTAL).token(subject=MOTHER, audience=HPA, assurance=2)
    assert shown(country, token).status == 200
    assert problem_type(shown(country, token)) == "token-used"
    assert country.records("hpa")[-1]["reason"] == "token-used"


def forged(country: Country, **changes: Any) -> str:
    sound = country.sdk(PORTAL).token(subject=MOTHER, audience=HPA, assurance=2)
    key = homes.load(country.folder / "portal").p256("token")
    claims = jws.verify(
        sound, {str(jws.peek(sound)["kid"]): key.public_key()}, "trail+jwt", now=country.gateways["hpa"].core.now()
    )
    typ = changes.pop("typ", "trail+jwt")
    signer = homes.load(country.folder / changes.pop("signer", "portal")).p256("token")
    return jws.sign({**claims, **changes}, signer, str(jws.peek(sound)["kid"]), typ)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "TW/GOV/ris"},
        {"exp": 1_700_000_000},
        {"assurance": 1},
        {"assurance": None},
        {"signer": "ris"},
        {"typ": "consent+jwt"},
        {"iss": "TW/GOV/ris"},
        {"cnf": {"kid": "another"}},
        {"jti": "not-the-one-of-the-reference"},
        {"sub_ref": "a.b.c.d.e"},
    ],
)
def test_a_token_that_is_not_hers_here_and_now(country: Country, changes: dict[str, Any]) -> None:
    assert problem_type(shown(country, forged(country, **changes))) == "token-invalid"
    assert country.records("hpa")[-1]["reason"] == "token-invalid"


def test_a_sound_forgery_of_the_test_itself_is_accepted(country: Country) -> None:
    assert shown(country, forged(country)).status == 200


def test_a_token_carried_by_another_gateway(country: Country) -> None:
    token = country.sdk(PORTAL).token(subject=MOTHER, audience=HPA, assurance=2)
    assert problem_type(shown(country, token, "ris", "cases")) == "token-invalid"


def test_the_own_members_trail_needs_no_wire(country: Country) -> None:
    member = "TW/GOV/portal"
    token = country.sdk(PORTAL).token(subject=MOTHER, audience=member, assurance=2)
    answer = shown(country, token, member=member)
    assert answer.status == 200
    assert answer.parsed()["origin"] == "TW/GOV/portal/gw1"


@pytest.fixture
def rogue(country: Country) -> Rogue:
    return Rogue(country)


def test_no_other_built_in_service_exists(country: Country, rogue: Rogue) -> None:
    finish: Callable[[str], str] = lambda path: f"/r1/{HPA}/-/{path}"  # noqa: E731
    for path in ("trail/other", "secrets/records"):
        message = rogue.message()
        message.head.method, message.head.path = "GET", finish(path)
        assert problem_type(rogue.send(rogue.sign(message))) == "service-unknown"
    assert MOTHER not in json.dumps(country.records("hpa"))
