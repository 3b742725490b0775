"""How each kind of transform changes a column, and which values it can be applied to at all.

Every kind has two functions: `fits` says of each value whether it can be changed, `change` changes a column of which
all do. A run refuses a column with a value that does not fit; an attacker's dirty file merely loses that row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from csv import DictReader
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.pseudonyms import keyed, normal, pseudonyms
from smartgov.engines.deid.transforms.declared import PLACES, invalid, refused

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

Words = Mapping[str, Any]
_CODE_LENGTH = {"county": 5, "township": 8}  # digits of the ministry's codes of counties, townships (villages have 11)


@dataclass(slots=True, eq=False)
class Context:
    """What a column is changed in: the other columns of its batch, the keys, the rows before, and the tails so far."""

    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    ring: KeyRing | None = None
    first: int = 0
    tails: dict[tuple[str, str], int] = field(default_factory=dict)


# -- keyed ------------------------------------------------------------------------------------------------------------


def _pseudonym(name: str, column: pa.Array, words: Words, context: Context) -> pa.Array:
    assert context.ring is not None
    return pseudonyms(column, context.ring, words["domain"], first_row=context.first)


def _fits_pseudonym(name: str, column: pa.Array, words: Words, context: Context) -> pa.Array:
    return normal(column)


def _shift(name: str, column: pa.Array, words: Words, context: Context) -> pa.Array:
    """All dates of one subject by the same number of days, -days to days but never 0 (with `weeks`: whole weeks)."""
    subject = context.columns[words["subject"]]
    if subject.null_count:
        raise refused(name, "a row has no subject", "有列缺少當事人欄位")
    assert context.ring is not None
    encoded = pc.dictionary_encode(subject.cast(pa.string()))
    people = [value.encode() for value in encoded.dictionary.to_pylist()]
    digests = keyed(people, context.ring, "date-shift", words.get("domain", words["subject"]))
    step = 7 if words.get("weeks") else 1
    span = words["days"] // step
    drawn = np.ascontiguousarray(digests[:, :8]).view(">u8").ravel() % np.uint64(2 * span)  # bias below 2^-50
    steps = drawn.astype(np.int64) - span
    days = np.where(steps >= 0, steps + 1, steps) * step
    moved = days[encoded.indices.to_numpy(zero_copy_only=False)]
    length = pa.array(moved).cast(pa.int64())
    if pa.types.is_date(column.type):
        return (
            pc.add(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), length)
            .cast(pa.int32())
            .cast(pa.date32())
            .cast(column.type)
        )
    day = pa.scalar(timedelta(days=1), pa.duration(column.type.unit))
    return pc.add(column, pc.multiply(length, day))


def _fits_shift(name: str, column: pa.Array, words: Words, context: Context) -> pa.Array:
    _refuse_not_date(name, column)
    return pc.is_valid(context.columns[words["subject"]])


# -- public: anybody can apply them -----------------------------------------------------------------------------------


def _mask(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    """Keep so many characters at either end; the rest becomes `sign`, `width` times (0: as many as there were)."""
    first, last, sign, width = (
        words.get(k, default) for k, default in (("first", 0), ("last", 0), ("sign", "*"), ("width", 0))
    )
    hidden = pc.subtract(pc.utf8_length(column), first + last)
    middle = pa.scalar(sign * width) if width else pc.binary_repeat(sign, hidden)
    head = pc.utf8_slice_codeunits(column, 0, first) if first else ""
    tail = pc.utf8_slice_codeunits(column, -last) if last else ""
    return pc.binary_join_element_wise(head, middle, tail, "")


def _fits_mask(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        raise refused(name, "only text can be masked", "僅文字可遮罩")
    return pc.greater(pc.utf8_length(column), words.get("first", 0) + words.get("last", 0))


def _limit(name: str, column: pa.Array, words: Words, context: Context) -> pa.Array:
    """Top and bottom coding: values beyond become the limit. How many lie beyond is counted in `context.tails`."""
    for end, beyond, bound in (
        ("top", pc.greater_equal, pc.min_element_wise),
        ("bottom", pc.less_equal, pc.max_element_wise),
    ):
        if end not in words:
            continue
        limit = _fitting(name, words[end], column.type)
        many = pc.sum(beyond(column, limit)).as_py() or 0
        context.tails[name, end] = context.tails.get((name, end), 0) + many
        column = bound(column, limit)
    return column


def _round(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    """To multiples of `to`: the nearest (ties away from zero), the one below, or the one above."""
    mode = {"nearest": "half_towards_infinity", "down": "down", "up": "up"}[words.get("mode", "nearest")]
    return pc.round_to_multiple(column, _fitting(name, words["to"], column.type), round_mode=mode)


def _fits_number(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise refused(name, "it does not hold numbers", "非數值欄位")
    return pc.is_finite(column) if pa.types.is_floating(kind) else pc.is_valid(column)


def _truncate(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    """Dates to the first day of their week (Monday), month, quarter or year."""
    return pc.floor_temporal(column, unit=words["to"]).cast(column.type)


def _fits_date(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    _refuse_not_date(name, column)
    return pc.is_valid(column)


def _coarsen(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    """Addresses or the ministry's codes to the township or the county they lie in."""
    encoded = pc.dictionary_encode(column)
    return pc.take(pa.array(_places_of(encoded.dictionary, words), pa.string()), encoded.indices)


def _fits_place(name: str, column: pa.Array, words: Words, _: Context) -> pa.Array:
    encoded = pc.dictionary_encode(column)
    known = [place is not None for place in _places_of(encoded.dictionary, words)]
    return pc.take(pa.array(known, pa.bool_()), encoded.indices)


def _places_of(values: pa.Array, words: Words) -> list[str | None]:
    given = [None if value is None else str(value) for value in values.to_pylist()]
    if words["from"] == "code":
        return [None if value is None else _coded(value, _CODE_LENGTH[words["to"]]) for value in given]
    counties = _places(str(words.get("places", PLACES)))
    return [None if value is None else _located(value, counties, words["to"]) for value in given]


def _coded(value: str, length: int) -> str | None:
    return value[:length] if value.isascii() and value.isdigit() and len(value) >= length else None


def _located(address: str, counties: Mapping[str, tuple[str, ...]], level: str) -> str | None:
    plain = address.strip().replace("台", "臺")
    county = next((county for county in counties if plain.startswith(county)), None)
    if county is None or level == "county":
        return county
    rest = plain.removeprefix(county)
    township = next((township for township in counties[county] if rest.startswith(township)), None)
    return county + township if township else None


@lru_cache(maxsize=8)
def _places(path: str) -> dict[str, tuple[str, ...]]:
    """Townships by county, longest names first, from a CSV file with the columns county and township."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            rows = [(row["county"], row["township"]) for row in DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError):
        raise invalid("places", f"{Path(path).name} is no list of places", f"{Path(path).name} 不是地名表") from None
    counties = dict.fromkeys(county for county, _ in rows)
    return {c: tuple(sorted((t for own, t in rows if own == c), key=len, reverse=True)) for c in counties}


def _fitting(name: str, value: float, kind: pa.DataType) -> pa.Scalar:
    """The policy's number in the column's type, exactly; 1.5 does not fit whole numbers."""
    exact = Decimal(str(value))
    try:
        scalar = pa.scalar(exact if pa.types.is_decimal(kind) else value, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        scalar = None
    if scalar is None or (not pa.types.is_floating(kind) and scalar.as_py() != exact):
        raise refused(name, f"{value} does not fit the column's type", f"{value} 不符欄位型別")
    return scalar


def _refuse_not_date(name: str, column: pa.Array) -> None:
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise refused(name, "it does not hold dates", "非日期欄位")


Function = Callable[[str, pa.Array, Words, Context], pa.Array]
CHANGE: dict[str, Function] = {
    "pseudonym": _pseudonym,
    "mask": _mask,
    "limit": _limit,
    "round": _round,
    "truncate": _truncate,
    "date-shift": _shift,
    "coarsen": _coarsen,
}
FITS: dict[str, Function] = {
    "pseudonym": _fits_pseudonym,
    "mask": _fits_mask,
    "limit": _fits_number,
    "round": _fits_number,
    "truncate": _fits_date,
    "date-shift": _fits_shift,
    "coarsen": _fits_place,
}
UNFIT: dict[str, tuple[str, str]] = {
    "mask": ("a value is too short to hide anything in it", "有值過短，無可遮罩之字元"),
    "limit": ("a value is not a finite number", "有非有限數值"),
    "round": ("a value is not a finite number", "有非有限數值"),
    "truncate": ("a value is not a date", "有值非日期"),
    "coarsen": ("the place in row {row} is not known", "第 {row} 列之地點無法辨識"),
}
"""What is said of the first value that does not fit; pseudonyms and shifts say it themselves."""
