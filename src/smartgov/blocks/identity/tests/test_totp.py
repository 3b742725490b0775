"""Codes of authenticator apps: the RFC's own values, and what a code is good for."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.blocks.identity.people import policy, totp

# RFC 6238 appendix B, SHA-1, eight digits; ours are the last six of them.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VALUES = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize(("seconds", "eight"), VALUES.items())
def test_the_values_of_rfc_6238(seconds: int, eight: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC))
    assert totp.code(SECRET, step) == eight[-6:]
    assert totp.is_right(SECRET, f" {eight[-6:-3]} {eight[-3:]}", step)


@given(st.integers(0, 2**40), st.text(max_size=12))
def test_only_the_code_of_the_step_is_right(step: int, typed: str) -> None:
    right = totp.code(SECRET, step)
    assert totp.is_right(SECRET, typed, step) == (totp.cleaned(typed) == right)


def test_a_code_lives_thirty_seconds() -> None:
    start = datetime(2026, 11, 29, 0, 0, tzinfo=UTC)
    steps = {totp.step_at(start + timedelta(seconds=n)) for n in range(30)}
    assert len(steps) == 1
    assert totp.step_at(start + timedelta(seconds=30)) not in steps


def test_secrets_are_random_and_long() -> None:
    made = {totp.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(base64.b32decode(secret)) == totp.SECRET_BYTES for secret in made)
    assert totp.address("ABC", issuer="smartgov", account="林 美") == (
        "otpauth://totp/smartgov:%E6%9E%97%20%E7%BE%8E?secret=ABC&issuer=smartgov&digits=6&period=30"
    )


def objects(password: str, *listed: str) -> bool:
    return policy.objection(password, words=["林美玲", "ris"], is_listed=set(listed).__contains__) is not None


@given(st.text(string.printable, min_size=15, max_size=128))
def test_no_rule_about_kinds_of_characters(password: str) -> None:
    assert not objects(password) or len(set(password.casefold())) < 15 or "smart" in password.casefold()


def test_what_is_easy_to_guess_is_refused() -> None:
    for easy in ("fourteen chars", "x" * 129, "aaaaaaaaaaaaaaaaaaaa", "smartgov-ris-smartgov", "林美玲" * 5):
        assert objects(easy), easy
    assert not objects("fifteen or more")
    assert objects("correct horse battery", "correct horse battery")
    assert objects("correct horse battery2026!", "correct horse battery"), "with the usual ending"
    assert not objects("一匹會用電池的馬在書架上睡著了")
    assert not objects("a" * 60 + "bcdefghijkl")
