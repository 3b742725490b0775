"""What every means has to do, whatever is behind it; run on the card, on TW FidO and on the phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from smartgov.blocks.identity.ports import Answer, Asked, Means, Opened
from smartgov.shared import clock
from smartgov.shared.problems import Problem

SHOWN = {"en": "Sign in", "zh": "登入"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A means under test, with the hands of its people.

    `answered(opened, persona)` approves and gives what the browser brought; `declined` refuses. `proves(asked, answer)`
    names the persona whose key signed exactly what was asked, and None when it did not.
    """

    means: Means
    asked_of: Callable[[Asked, str], Asked]
    answered: Callable[[Opened, str], bytes]
    declined: Callable[[Opened, str], bytes]
    proves: Callable[[Asked, Answer], str | None]
    away: Callable[[], Any]
    """A context in which its service does not answer; None for a means without one."""

    def asked(self, persona: str = "mother", **other: Any) -> Asked:
        """A new challenge for a person."""
        now = clock.now()
        made = Asked(
            origin="http://localhost:8000",
            nonce=f"n-{now.timestamp()}",
            number="47",
            text=SHOWN,
            begun=now,
            until=now + timedelta(minutes=2),
            back="http://localhost:8000/back",
        )
        return self.asked_of(replace(made, **other), persona)


def check_waits_then_proves(subject: Subject) -> None:
    """Nothing before the person acts; then a signature over exactly what was asked, by her own key."""
    asked = subject.asked()
    opened = subject.means.open(asked)
    assert subject.means.read(opened.kept, b"").state == "waiting"
    answer = subject.means.read(opened.kept, subject.answered(opened, "mother"))
    assert answer.state == "given"
    assert subject.proves(asked, answer) == "mother"


def check_declining_is_refused(subject: Subject) -> None:
    """Who declines gives no signature."""
    opened = subject.means.open(subject.asked())
    answer = subject.means.read(opened.kept, subject.declined(opened, "mother"))
    assert (answer.state, answer.signature, answer.message) == ("refused", b"", b"")


def check_binds_what_was_asked(subject: Subject) -> None:
    """An answer to one challenge is none to another: not for another nonce, origin, number or text."""
    asked = subject.asked()
    opened = subject.means.open(asked)
    answer = subject.means.read(opened.kept, subject.answered(opened, "mother"))
    for other in (
        {"nonce": "x"},
        {"origin": "http://evil.example"},
        {"number": "48"},
        {"text": {"en": "a", "zh": "b"}},
    ):
        assert subject.proves(replace(asked, **other), answer) is None, other


def check_altered_proves_nothing(subject: Subject) -> None:
    """One flipped bit in whatever was signed."""
    asked = subject.asked()
    opened = subject.means.open(asked)
    answer = subject.means.read(opened.kept, subject.answered(opened, "mother"))
    for name in ("message", "signature"):
        if raw := getattr(answer, name):
            flipped = raw[:-1] + bytes([raw[-1] ^ 1])
            assert subject.proves(asked, replace(answer, **{name: flipped})) is None


def check_names_who_signed(subject: Subject) -> None:
    """Another person's answer names another person, so that it never opens the first one's account."""
    asked = subject.asked("father")
    opened = subject.means.open(asked)
    answer = subject.means.read(opened.kept, subject.answered(opened, "father"))
    assert subject.proves(asked, answer) == "father"


def check_garbage_is_refused(subject: Subject) -> None:
    """What no helper and no service ever said."""
    opened = subject.means.open(subject.asked())
    for raw in (b"\xff", b"e30", b"bm8", b"W10"):
        assert subject.means.read(opened.kept, raw).state in {"waiting", "refused"}


def check_away_is_a_problem(subject: Subject) -> None:
    """A service that does not answer is said to be away."""
    context = subject.away()
    if context is None:
        return
    with context, pytest.raises(Problem) as caught:
        subject.means.open(subject.asked())
    assert caught.value.status == 503


CHECKS = (
    check_waits_then_proves,
    check_declining_is_refused,
    check_binds_what_was_asked,
    check_altered_proves_nothing,
    check_names_who_signed,
    check_garbage_is_refused,
    check_away_is_a_problem,
)
