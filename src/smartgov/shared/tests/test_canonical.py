"""Canonical JSON has one form, whichever writer makes it."""

from __future__ import annotations

import enum
import json
import uuid
from collections import OrderedDict, UserString
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartgov.shared import canonical


class _Kind(enum.StrEnum):
    A = "a"


class _Odd(str, enum.Enum):  # noqa: UP042 - its value is another than its text
    A = "a"

    def __new__(cls, text: str) -> _Odd:
        made = str.__new__(cls, text)
        made._value_ = "another text than that which it is"
        return made


class _Level(enum.IntEnum):
    ONE = 1


class _Plain(enum.Enum):
    A = "a"


class _Word(str):
    __slots__ = ()


class _Pair(NamedTuple):
    one: int
    two: str


@dataclass
class _Made:
    one: int = 1


_ODD: list[Any] = [
    _Kind.A,
    _Odd.A,
    _Level.ONE,
    _Plain.A,
    _Word("w"),
    _Pair(1, "x"),
    _Made(),
    OrderedDict(b=1, a=2),
    UserString("u"),
    datetime(2026, 11, 29, tzinfo=UTC),
    date(2026, 11, 29),
    uuid.UUID(int=7),
    Decimal("1.5"),
    b"bytes",
    bytearray(b"b"),
    {1, 2},
    object(),
    1.5,
    float("nan"),
    {1: "a"},
    {None: 1},
    {True: 1},
    {1.5: 1},
    {_Word("w"): 1, "a": 2},
    {_Kind.A: 1},
    {(1, 2): 1},
    {b"a": 1},
    {1: "a", "b": 2},
    2**64,
    -(2**63) - 1,
    10**400,
    "\ud800",
    "a\udfffb",
    {"\ud800": 1},
]
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**66), 2**66), st.text(), st.floats(), st.sampled_from(_ODD)
)
_KEYS = st.one_of(st.text(st.characters()), st.integers(), st.booleans(), st.none())
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.text(), inner), st.dictionaries(_KEYS, inner)
    ),
)


def _by_json_alone(value: Any) -> bytes:
    """What canonical JSON is, by the standard library."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("float")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        _refuse_floats(part)


def _outcome(write: Any, value: Any) -> bytes | str:
    try:
        found: bytes = write(value)
    except (ValueError, TypeError, RecursionError) as error:
        return type(error).__name__
    return found


@given(_VALUES)
@example({'\x7f\x00\x1f\b\f\n\r\t"\\/\u2028\u2029': '\x7f\x00\x1f\b\f\n\r\t"\\/\u2028\U0001f600é'})
@example({"\uffff": 1, "\U00010000": 2, "a": 3, "": 4, "A": 5})
@example([2**63 - 1, -(2**63), 2**63, 2**64 - 1, 0, -1])
@example([True, 1, False, 0, None, (), [], {}])
def test_the_same_bytes_or_the_same_refusal_as_by_the_standard_library(value: Any) -> None:
    assert _outcome(canonical.dumps, value) == _outcome(_by_json_alone, value)


@pytest.mark.parametrize("odd", _ODD, ids=lambda one: type(one).__name__)
def test_nothing_is_taken_that_was_not_taken_before(odd: Any) -> None:
    for value in (odd, [odd], {"a": odd}, {"a": [1, {"b": odd}]}, (odd,)):
        assert _outcome(canonical.dumps, value) == _outcome(_by_json_alone, value)


@pytest.mark.parametrize("levels", [199, 200, 201, 202, 253, 254, 255, 256, 600])
def test_deep_values_are_written_alike(levels: int) -> None:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": [value]} if levels % 2 else [value]
    assert _outcome(canonical.dumps, value) == _outcome(_by_json_alone, value)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        canonical.dumps(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**66), 2**66) | st.text() | st.floats(allow_nan=True),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON, st.booleans(), st.sampled_from([None, 2]), st.sampled_from(["", " ", "\n", "\t "]))
@example("\ud800", True, None, "")
@example({"b": 1.0, "a": [1e400, 10**30]}, False, None, "")
def test_what_is_read_and_written_again_keeps_its_order_and_numbers(
    value: Any, ascii_only: bool, indent: int | None, space: str
) -> None:
    body = (space + json.dumps(value, ensure_ascii=ascii_only, indent=indent) + space).encode("utf-8", "surrogatepass")
    read, plain = canonical.loads(body)
    expected = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    assert canonical.compactly(read, plain, "surrogatepass") == expected.encode("utf-8", "surrogatepass")


@given(st.text('{}[]",:0123456789.eE+-truefalsn\\ud \ufeff\n', max_size=12))
@example('{"a":1}x')
@example("[1,NaN,-Infinity]")
@example('{"a":1,"a":2}')
def test_what_is_no_json_is_refused_as_by_the_standard_library(text: str) -> None:
    for body in (text.encode(), text.encode("utf-16"), text.encode("utf-8-sig")):
        try:
            expected = repr(json.loads(body))
        except ValueError:
            with pytest.raises(ValueError):  # noqa: PT011 - as it is there
                canonical.loads(body)
        else:
            assert repr(canonical.loads(body)[0]) == expected
