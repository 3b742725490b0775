"""Accounts, seats, what may be read of whom, retirement."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from smartgov.blocks.audit.models import Entry
from smartgov.blocks.identity import api
from smartgov.blocks.identity.models import Account, KeptPost, LoginRequest, MobileKey, SignIn, Throttle
from smartgov.blocks.identity.tests.factories import SEEDER, Phone, a_national_id, a_person, a_seat, signed_in_citizen
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import ANYONE, Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


def test_enrolment_finds_the_same_person_again() -> None:
    nid = a_national_id()
    subject = a_person("林美玲", nid=nid)
    assert a_person("林美珍", nid=nid) == subject == api.account_by_national_id(nid)
    assert Account.objects.get(subject=subject).name == "林美珍"


def test_an_invalid_national_id_is_not_enrolled() -> None:
    with pytest.raises(ValueError, match="valid"):
        api.enrol(actor=SEEDER, national_id="A123456780", name="x")


def test_the_database_holds_no_national_id_in_clear() -> None:
    nid = a_national_id()
    a_person(nid=nid)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM identity_account")
        assert nid not in str(cursor.fetchall())
        cursor.execute("SELECT * FROM audit_entry")
        assert nid not in str(cursor.fetchall())


def test_a_citizen_reads_their_own_id_and_nobody_elses() -> None:
    nid = a_national_id()
    subject, other = a_person(nid=nid), a_person()
    me = Actor("citizen", subject=subject)
    assert api.subject_national_id(actor=me, subject=subject, purpose="test") == nid
    for stranger in (Actor("citizen", subject=other), Actor("officer", seat="s", agency="ris"), ANYONE):
        with pytest.raises(Problem, match="person-unknown"):
            api.subject_national_id(actor=stranger, subject=subject, purpose="test")


def test_a_systems_reading_is_audited_with_its_purpose() -> None:
    subject = a_person("王小明", email="ming@example.test")
    robot = Actor.for_system("portal", "notify")
    assert api.contact(actor=robot, subject=subject, purpose="notice").email == "ming@example.test"
    assert api.subject_name(actor=robot, subject=subject, purpose="letter") == "王小明"
    found = Entry.objects.filter(action__startswith="identity.", object_id=subject).order_by("id")
    assert [(row.action, row.detail) for row in found] == [
        ("identity.contact_read", {"purpose": "notice"}),
        ("identity.name_read", {"purpose": "letter"}),
    ]


def test_two_seats_of_one_person_are_one_person() -> None:
    subject = a_person()
    first, second = a_seat("ris", "case_officer", subject), a_seat("sfaa", "payment_releaser", subject)
    assert api.person_of_seat(first) == api.person_of_seat(second) == subject
    assert [seat.agency for seat in api.seats_of(subject)] == ["ris", "sfaa"]
    api.end_seat(actor=SEEDER, seat=first)
    assert [seat.id for seat in api.seats_of(subject)] == [second]
    assert api.person_of_seat(first) == subject


def test_only_known_roles_make_seats() -> None:
    for role in ("king", "citizen"):
        with pytest.raises(ValueError, match="role"):
            a_seat("ris", role)


def test_pairwise_pseudonyms_differ_by_sector_and_are_stable() -> None:
    subject = a_person()
    assert api.pairwise(subject, "bank") == api.pairwise(subject, "bank")
    assert len({api.pairwise(subject, "bank"), api.pairwise(subject, "tax"), subject}) == 3


def test_only_p256_keys_are_enrolled() -> None:
    phone = Phone()
    subject = a_person()
    key_id = api.add_mobile_key(actor=SEEDER, subject=subject, jwk={**phone.jwk, "kid": "ignored"})
    assert MobileKey.objects.get(key_id=key_id).public_jwk == phone.jwk
    with pytest.raises(ValueError, match="P-256"):
        api.add_mobile_key(actor=SEEDER, subject=subject, jwk={**phone.jwk, "crv": "P-384"})


def test_a_closed_account_is_blanked_in_time_and_its_traces_are_deleted() -> None:
    nid = a_national_id()
    subject = a_person("林美玲", nid=nid)
    api.add_mobile_key(actor=SEEDER, subject=subject, jwk=Phone().jwk)
    browser = signed_in_citizen(subject)
    api.close(actor=SEEDER, subject=subject)
    assert api.account_by_national_id(nid) is None
    assert browser.get("/identity/account").status_code == 302

    ops.retire_all(clock.now() + timedelta(days=179))
    assert Account.objects.get(subject=subject).name == "林美玲"
    ops.retire_all(clock.now() + timedelta(days=181))
    account = Account.objects.get(subject=subject)
    assert (account.name, account.email, account.national_id, account.national_id_index) == ("", "", "", None)
    assert (MobileKey.objects.count(), SignIn.objects.count()) == (0, 0)


def test_short_lived_rows_are_deleted() -> None:
    now = clock.now()
    LoginRequest.objects.create(browser="b", nonce="n", number="42", ticket="t", expires_at=now)
    KeptPost.objects.create(browser="b", subject="s", path="/", answers="{}", expires_at=now)
    Throttle.objects.create(key="k", window_ends=now)
    ops.retire_all(now + timedelta(days=2))
    assert [model.objects.count() for model in (LoginRequest, KeptPost, Throttle)] == [0, 0, 0]


def test_a_country_is_seeded_twice_without_doubles(tmp_path: Path) -> None:
    persona = {
        "key": "officer",
        "name": "陳志明",
        "national_id": national_id.make(90_001, 1),
        "email": "officer@example.test",
        "seats": [{"agency": "ris", "role": "case_officer"}],
        "phone": {"public_jwk": Phone().jwk},
    }
    (tmp_path / "personas.json").write_text(json.dumps([persona]))
    for _ in range(2):
        call_command("seed_country", home=tmp_path)
    subject = api.account_by_national_id(persona["national_id"])  # type: ignore[arg-type]
    assert subject is not None
    assert [seat.role for seat in api.seats_of(subject)] == ["case_officer"]
    assert MobileKey.objects.filter(account__subject=subject).count() == 1


def test_a_national_id_without_the_marker_is_not_seeded(tmp_path: Path) -> None:
    real = {"key": "x", "name": "x", "national_id": "A123456789"}
    assert national_id.is_valid(real["national_id"])
    (tmp_path / "personas.json").write_text(json.dumps([real]))
    with pytest.raises(CommandError, match="made up"):
        call_command("seed_country", home=tmp_path)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("seed_country", home=tmp_path / "nowhere")
