"""References to persons: readable by their gateway, for their message, and by nobody else; and clear ids found."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.pki import jwe, keys
from smartgov.engines.troad import reference
from smartgov.engines.troad.reference import Recipient
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

KEY = keys.generate_p256()
TO = Recipient("TW/GOV/hpa/gw1", KEY.public_key(), keys.thumbprint(KEY.public_key()))
ANN, BOB = national_id.make(1, 2), national_id.make(2, 1)
NOW = clock.now()
EXP = int(NOW.timestamp()) + 60


def make(person: str = ANN) -> str:
    return reference.make(person, TO, rid="message-1", exp=EXP)


def open_(token: str, **changes: Any) -> str:
    given = {"key": KEY, "gateway": TO.gateway, "rid": "message-1", "now": NOW, **changes}
    return reference.open_(token, given.pop("key"), **given)


def test_it_opens_for_its_gateway_and_message() -> None:
    assert open_(make()) == ANN
    assert make() != make()
    assert ANN not in make()


def test_another_implementation_of_jwe_opens_it() -> None:
    plain, header = jwe.decrypt(make(), KEY)
    assert plain.decode() == ANN
    assert (header["aud"], header["rid"], header["exp"]) == (TO.gateway, "message-1", EXP)


def test_it_opens_what_another_implementation_made() -> None:
    made = jwe.encrypt(ANN.encode(), TO.key, TO.kid, {"aud": TO.gateway, "rid": "message-1", "exp": EXP})
    assert open_(made) == ANN


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway": "TW/GOV/nhi/gw1"},
        {"rid": "message-2"},
        {"now": NOW + timedelta(seconds=61)},
        {"key": keys.generate_p256()},
    ],
)
def test_it_opens_for_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(Problem) as problem:
        open_(make(), **changes)
    assert problem.value.slug == "reference-invalid"


@given(st.integers(0, 4), st.integers(0, 10_000))
def test_no_altered_one_opens(part: int, place: int) -> None:
    parts = make().split(".")
    text = parts[part]
    at = place % (len(text) or 1)
    parts[part] = text[:at] + ("A" if text[at : at + 1] != "A" else "B") + text[at + 1 :]
    if part == 2 and at == len(text) - 1:
        return  # the last character of 12 bytes in base64url carries no unused bits, but that of 16 bytes does
    try:
        assert open_(".".join(parts)) == ANN  # only unused bits of a last character changed
        assert at == len(text) - 1
    except Problem as problem:
        assert problem.slug == "reference-invalid"  # noqa: PT017 - either outcome is judged


def test_bodies_hide_and_reveal_persons_with_the_keys_above_them() -> None:
    body = {"a": national_id.urn(ANN), "b": [{"c": national_id.urn(BOB)}, national_id.urn(ANN)], "n": 1.5, "t": "臺"}
    hidden = reference.hide(json.dumps(body).encode(), make)
    assert ANN.encode() not in hidden
    assert json.loads(hidden)["a"] == json.loads(hidden)["b"][1], "equal persons, equal references"
    revealed, persons = reference.reveal(hidden, open_)
    assert json.loads(revealed) == body
    assert persons == [(ANN, ("a",)), (BOB, ("b", "c")), (ANN, ("b",))]
    assert reference.persons(json.dumps(body).encode()) == persons


@pytest.mark.parametrize(
    "body",
    [
        ANN,
        f'{{"x":"{ANN}"}}',
        f'{{"x":"born to {ANN}."}}',
        f'{{"{ANN}":1}}',
        f'{{"x":"{ANN.lower()}"}}',
        json.dumps({"x": "".join(chr(ord(c) + 0xFEE0) for c in ANN)}, ensure_ascii=False),
        json.dumps({"x": "".join(chr(ord(c) + 0xFEE0) for c in ANN)}),
        '{"x":"' + "".join(f"\\u{ord(c):04x}" for c in ANN) + '"}',
        f'{{"x":"urn:tw:nid:{ANN}"}}',
    ],
)
def test_a_clear_id_is_found_however_it_is_written(body: str) -> None:
    with pytest.raises(Problem) as problem:
        reference.refuse_clear(body.encode())
    assert problem.value.slug == "person-in-clear"


def test_a_message_may_not_name_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MAX_PERSONS", 1)
    two = json.dumps([national_id.urn(ANN), national_id.urn(ANN), national_id.urn(BOB)]).encode()
    hidden = json.dumps([reference.URN + make(ANN), reference.URN + make(BOB)]).encode()
    for work in (lambda: reference.hide(two, make), lambda: reference.reveal(hidden, open_)):
        with pytest.raises(Problem) as problem:
            work()
        assert problem.value.slug == "persons-too-many"


@pytest.mark.parametrize("text", ["", "A123456780", "XA123456789X", "2026-11-22", make(), "e4c1" * 16])
def test_what_is_no_id_passes(text: str) -> None:
    reference.refuse_clear(text.encode(), (text,))


@pytest.mark.parametrize("text", ["/people/" + ANN, "id=%41" + ANN[1:] if ANN[0] == "A" else ANN, "q=a+" + ANN])
def test_addresses_are_searched_too(text: str) -> None:
    with pytest.raises(Problem):
        reference.refuse_clear(b"", (text,))


PLAIN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][12]\d{8}(?![A-Za-z0-9])")
"""What stands for a person in clear, said without regard to how quickly it is found."""
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in ANN)
IDS = [ANN, BOB, ANN.lower(), ANN[1:], ANN[:-1], ANN[:4], ANN[4:], WIDE, WIDE[:1], WIDE[1:]]
OTHERS = [
    "A",
    "z",
    "1",
    "20",
    "000000000",
    " ",
    "-",
    "/",
    "\n",
    "臺",
    "，",
    "、",
    "²",
    "①",
    "\u0301",
    "\U0001d7d9",
    "\U00020000",
]
PIECES = st.sampled_from([*IDS, *OTHERS])


@given(st.lists(PIECES, max_size=12).map("".join), st.booleans())
def test_ids_are_found_as_the_plain_pattern_says(text: str, in_body: bool) -> None:
    plain = unicodedata.normalize("NFKC", text)
    clear = any(national_id.is_valid(found.upper()) for found in PLAIN.findall(plain))
    try:
        reference.refuse_clear(text.encode() if in_body else b"", () if in_body else (text,))
    except Problem:
        assert clear
    else:
        assert not clear


def test_no_letter_becomes_a_digit_unseen() -> None:
    """What is taken for harmless by its bytes alone neither makes digits nor lets two of them move together."""
    for code in range(128, sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000 or reference._DIGIT_MAKERS.match(chr(code)):
            continue
        made = unicodedata.normalize("NFKC", f"1{chr(code)}2")
        assert [one for one in made if one in "0123456789"] == ["1", "2"]
        assert (made[0], made[-1]) == ("1", "2")
        assert len(made) > 2


def test_every_letter_that_makes_digits_begins_with_a_byte_that_is_looked_at() -> None:
    for first, last in re.findall("(.)-(.)", reference._DIGIT_MAKERS.pattern):
        for code in range(ord(first), ord(last) + 1):
            assert chr(code).encode()[0] in reference._LEADS
