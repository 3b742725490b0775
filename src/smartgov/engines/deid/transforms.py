"""Changes to single values, declared in the policy per attribute and applied to whole columns.

Terms of ISO/IEC 20889: masking, top and bottom coding, rounding, generalisation; date shifting moves all dates of one
subject by one number of days drawn from a key, so that intervals stay true and no date does. Whatever a transform
cannot handle (NULL, an unknown place, a tail with too few people) stops the run; nothing passes unchanged in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from csv import DictReader
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.pseudonyms import keyed, pseudonyms
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

PLACES = content.ROOT / "townships.csv"
_CODE_LENGTH = {"county": 5, "township": 8}  # digits of the ministry's codes of counties, townships (villages have 11)
_UNITS = ("year", "quarter", "month", "week")


@dataclass(frozen=True, slots=True)
class Transform:
    """One declared change; `words` are the checked words of the policy."""

    kind: str
    words: Mapping[str, Any]

    @classmethod
    def parse(cls, attribute: str, spec: Mapping[str, Any]) -> Transform:
        """From a policy's `transform:`; Problem `transform-invalid` for unknown, missing or mistyped words."""
        kind = spec.get("kind")
        if kind not in _DECLARED:
            raise _invalid(
                attribute, f"its kind is none of {', '.join(_DECLARED)}", f"kind 須為 {'、'.join(_DECLARED)} 之一"
            )
        words = {name: value for name, value in spec.items() if name != "kind"}
        for name, value in words.items():
            if name not in _DECLARED[kind] or not _DECLARED[kind][name](value):
                raise _invalid(attribute, f"{name} is unknown or has a wrong value", f"{name} 未知或值不符")
        if absent := _REQUIRED.get(kind, set()) - set(words):
            raise _invalid(attribute, f"{min(absent)} is missing", f"缺少 {min(absent)}")
        if kind == "limit" and (
            not {"top", "bottom"} & set(words) or words.get("bottom", -np.inf) >= words.get("top", np.inf)
        ):
            raise _invalid(
                attribute, "it needs a top, a bottom, or both in order", "須有 top 或 bottom，且 bottom 小於 top"
            )
        return cls(kind, words)

    @property
    def keyed(self) -> bool:
        """Whether a key ring is needed."""
        return self.kind in {"pseudonym", "date-shift"}


def plan(policy: Any) -> dict[str, Transform]:
    """The transforms that a policy declares, by attribute."""
    return {
        one.name: Transform.parse(one.name, one.transform) for one in policy.attributes if one.transform is not None
    }


def apply(table: pa.Table, plan: Mapping[str, Transform], ring: KeyRing | None = None) -> pa.Table:
    """The table with every column of `plan` changed; others as they were. A million rows take about a second.

    Problem `transform-refused` names column and reason (never a value); `transform-invalid` an absent column or key.
    """
    for name, transform in plan.items():
        subject = transform.words.get("subject")
        if absent := {name, *([subject] if subject else [])} - set(table.column_names):
            raise _invalid(name, f"there is no column {min(absent)}", f"沒有欄位 {min(absent)}")
        if transform.keyed and ring is None:
            raise _invalid(name, "the project's key file is needed", "需要專案金鑰檔")
    changed = table
    for name, transform in plan.items():
        place = table.column_names.index(name)
        if transform.kind == "remove":
            changed = changed.drop_columns([name])
            continue
        column = _whole(table[name])
        if column.null_count:
            raise _refused(name, "it has missing values", "有缺值")
        new = _APPLY[transform.kind](name, column, transform.words, _Context(table, ring))
        changed = changed.set_column(
            changed.column_names.index(name) if name in changed.column_names else place, name, new
        )
    return changed


@dataclass(frozen=True, slots=True, eq=False)
class _Context:
    table: pa.Table
    ring: KeyRing | None


def _pseudonym(name: str, column: pa.Array, words: Mapping[str, Any], context: _Context) -> pa.Array:
    assert context.ring is not None
    return pseudonyms(column, context.ring, words["domain"])


def _mask(name: str, column: pa.Array, words: Mapping[str, Any], _: _Context) -> pa.Array:
    """Keep so many characters at either end; the rest becomes `sign`, `width` times (0: as many as there were)."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        raise _refused(name, "only text can be masked", "僅文字可遮罩")
    first, last, sign, width = (
        words.get(k, default) for k, default in (("first", 0), ("last", 0), ("sign", "*"), ("width", 0))
    )
    length = pc.utf8_length(column)
    hidden = pc.subtract(length, first + last)
    if pc.any(pc.less(hidden, 1), min_count=0).as_py():
        raise _refused(name, "a value is too short to hide anything in it", "有值過短，無可遮罩之字元")
    middle = pa.scalar(sign * width) if width else pc.binary_repeat(sign, hidden)
    head = pc.utf8_slice_codeunits(column, 0, first) if first else ""
    tail = pc.utf8_slice_codeunits(column, -last) if last else ""
    return pc.binary_join_element_wise(head, middle, tail, "")


def _limit(name: str, column: pa.Array, words: Mapping[str, Any], _: _Context) -> pa.Array:
    """Top and bottom coding: values beyond become the limit; fewer than `at_least` in a coded tail are refused."""
    _refuse_not_number(name, column)
    least = words.get("at_least", 1)
    for end, beyond, bound in (
        ("top", pc.greater_equal, pc.min_element_wise),
        ("bottom", pc.less_equal, pc.max_element_wise),
    ):
        if end not in words:
            continue
        limit = _fitting(name, words[end], column.type)
        many = pc.sum(beyond(column, limit)).as_py() or 0
        if 0 < many < least:
            raise _refused(name, f"only {many} rows lie beyond the {end}", f"{end} 之外僅 {many} 列")
        column = bound(column, limit)
    return column


def _round(name: str, column: pa.Array, words: Mapping[str, Any], _: _Context) -> pa.Array:
    """To multiples of `to`: the nearest (ties away from zero), the one below, or the one above."""
    _refuse_not_number(name, column)
    mode = {"nearest": "half_towards_infinity", "down": "down", "up": "up"}[words.get("mode", "nearest")]
    return pc.round_to_multiple(column, _fitting(name, words["to"], column.type), round_mode=mode)


def _truncate(name: str, column: pa.Array, words: Mapping[str, Any], _: _Context) -> pa.Array:
    """Dates to the first day of their week (Monday), month, quarter or year."""
    _refuse_not_date(name, column)
    return pc.floor_temporal(column, unit=words["to"]).cast(column.type)


def _shift(name: str, column: pa.Array, words: Mapping[str, Any], context: _Context) -> pa.Array:
    """All dates of one subject by the same number of days, -days to days but never 0 (with `weeks`: whole weeks)."""
    _refuse_not_date(name, column)
    subject = _whole(context.table[words["subject"]])
    if subject.null_count:
        raise _refused(name, "a row has no subject", "有列缺少當事人欄位")
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


def _coarsen(name: str, column: pa.Array, words: Mapping[str, Any], _: _Context) -> pa.Array:
    """Addresses or the ministry's codes to the township or the county they lie in; an unknown place is refused."""
    encoded = pc.dictionary_encode(column)
    given = [str(value) for value in encoded.dictionary.to_pylist()]
    if words["from"] == "code":
        length = _CODE_LENGTH[words["to"]]
        known = [
            value[:length] if value.isascii() and value.isdigit() and len(value) >= length else None for value in given
        ]
    else:
        counties = _places(str(words.get("places", PLACES)))
        known = [_located(value, counties, words["to"]) for value in given]
    if None in known:
        bad = known.index(None)
        row = pc.index(encoded.indices, pa.scalar(bad, encoded.indices.type)).as_py()
        raise _refused(name, f"the place in row {row + 1} is not known", f"第 {row + 1} 列之地點無法辨識")
    return pc.take(pa.array(known, pa.string()), encoded.indices)


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
        raise _invalid("places", f"{Path(path).name} is no list of places", f"{Path(path).name} 不是地名表") from None
    counties = dict.fromkeys(county for county, _ in rows)
    return {c: tuple(sorted((t for own, t in rows if own == c), key=len, reverse=True)) for c in counties}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _fitting(name: str, value: float, kind: pa.DataType) -> pa.Scalar:
    """The policy's number in the column's type, exactly; 1.5 does not fit whole numbers."""
    exact = Decimal(str(value))
    try:
        scalar = pa.scalar(exact if pa.types.is_decimal(kind) else value, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        scalar = None
    if scalar is None or (not pa.types.is_floating(kind) and scalar.as_py() != exact):
        raise _refused(name, f"{value} does not fit the column's type", f"{value} 不符欄位型別")
    return scalar


def _refuse_not_number(name: str, column: pa.Array) -> None:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise _refused(name, "it does not hold numbers", "非數值欄位")
    if pa.types.is_floating(kind) and not pc.all(pc.is_finite(column), min_count=0).as_py():
        raise _refused(name, "a value is not a finite number", "有非有限數值")


def _refuse_not_date(name: str, column: pa.Array) -> None:
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise _refused(name, "it does not hold dates", "非日期欄位")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: value in allowed


_DECLARED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "remove": {},
    "pseudonym": {"domain": _is_text},
    "mask": {"first": _is_count, "last": _is_count, "sign": _is_text, "width": _is_count},
    "limit": {"top": _is_number, "bottom": _is_number, "at_least": _is_count},
    "round": {"to": _is_positive, "mode": _one_of("nearest", "down", "up")},
    "truncate": {"to": _one_of(*_UNITS)},
    "date-shift": {
        "subject": _is_text,
        "days": lambda value: _is_count(value) and 7 <= value <= 3650,
        "weeks": lambda value: isinstance(value, bool),
        "domain": _is_text,
    },
    "coarsen": {"from": _one_of("address", "code"), "to": _one_of("township", "county"), "places": _is_text},
}
_REQUIRED = {
    "pseudonym": {"domain"},
    "round": {"to"},
    "truncate": {"to"},
    "date-shift": {"subject", "days"},
    "coarsen": {"from", "to"},
}
_APPLY: dict[str, Callable[[str, pa.Array, Mapping[str, Any], _Context], pa.Array]] = {
    "pseudonym": _pseudonym,
    "mask": _mask,
    "limit": _limit,
    "round": _round,
    "truncate": _truncate,
    "date-shift": _shift,
    "coarsen": _coarsen,
}


def _invalid(attribute: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "transform-invalid",
        422,
        what=Text("The policy's transform cannot be used.", "政策中的轉換無法使用。"),
        why=Text(f"{attribute}: {why_en}.", f"{attribute}：{why_zh}。"),
        todo=Text("Mend the policy.", "請修正政策檔。"),
        attribute=attribute,
    )


def _refused(attribute: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "transform-refused",
        422,
        what=Text("A column cannot be transformed as declared.", "欄位無法依宣告轉換。"),
        why=Text(f"{attribute}: {why_en}.", f"{attribute}：{why_zh}。"),
        todo=Text("Clean the column or change its transform.", "請清理該欄或修改轉換方式。"),
        attribute=attribute,
    )
