"""k, l, t and class sizes of a finished release in one reading of its file, however many people it has.

Values become small whole numbers as they are read, a row one number, and classes are counted by sorting numbers: a
country takes seconds. Nothing of the policy is believed; only the names of columns are taken from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import Source
from smartgov.engines.deid.risk import SUPPRESSED, Sizes
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

_BATCH = 1 << 20
_DENSE = 1 << 27


@dataclass(frozen=True, slots=True)
class Sensitive:
    """One sensitive column: fewest values in a class, largest distance (equal) of a class from everybody."""

    attribute: str
    l: int  # noqa: E741 - the field's name
    t: float


@dataclass(frozen=True, slots=True)
class Recount:
    """What a release holds: class sizes, suppressed rows, and each sensitive column's figures."""

    sizes: Sizes
    suppressed: int
    sensitive: tuple[Sensitive, ...]


def recount(release: Source, quasi: Sequence[str], sensitive: Sequence[str] = ()) -> Recount:
    """Count a released table or Parquet file anew. NULL is a value of its own."""
    names = [*quasi, *sensitive]
    coded = [_Codes() for _ in names]
    parts: list[list[NDArray[np.int32]]] = [[] for _ in names]
    for batch in _batches(release, names):
        for place, column in enumerate(batch):
            parts[place].append(coded[place].of(column))
    codes = [np.concatenate(part) if part else np.zeros(0, np.int32) for part in parts]
    kinds = [max(len(one.places), 1) for one in coded]
    key = _keys(codes[: len(quasi)], kinds[: len(quasi)])
    hidden = np.ones(len(key), dtype=bool)
    for column, one in zip(codes, coded[: len(quasi)], strict=False):
        hidden &= column == one.places.get(SUPPRESSED, -1)
    left = ~hidden if hidden.any() else None
    key = key if left is None else key[left]
    space = prod(kinds[: len(quasi)])
    _, sizes = _counted(key, space)
    found = []
    for name, column, many in zip(sensitive, codes[len(quasi) :], kinds[len(quasi) :], strict=True):
        found.append(_sensitive(name, key, column if left is None else column[left], space, many))
    return Recount(Sizes.of(sizes), int(hidden.sum()), tuple(found))


class _Codes:
    """A column's values as numbers from 0, in the order in which they are met."""

    def __init__(self) -> None:
        self.places: dict[object, int] = {}

    def of(self, column: pa.Array) -> NDArray[np.int32]:
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(column, null_encoding="encode")
        values = column.dictionary.to_pylist()
        look = np.array([self.places.setdefault(value, len(self.places)) for value in values] or [0], dtype=np.int32)
        if column.null_count:
            null = self.places.setdefault(None, len(self.places))
            return np.where(column.is_null(), null, look[column.indices.fill_null(0)]).astype(np.int32)
        found: NDArray[np.int32] = look[column.indices.to_numpy(zero_copy_only=False)]
        return found


def _batches(release: Source, names: Sequence[str]) -> Iterator[list[pa.Array]]:
    if isinstance(release, pa.Table):
        for batch in release.select(list(names)).to_batches(max_chunksize=_BATCH):
            yield list(batch.columns)
        return
    path = Path(release)
    for file in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        reader = pq.ParquetFile(file)
        schema = reader.schema_arrow
        texts = [name for name in names if _is_text(schema.field(name).type)]
        for batch in pq.ParquetFile(file, read_dictionary=texts).iter_batches(_BATCH, columns=list(names)):
            yield [batch.column(batch.schema.get_field_index(name)) for name in names]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _keys(codes: Sequence[NDArray[np.int32]], kinds: Sequence[int]) -> NDArray[np.int64]:
    if prod(kinds) >= 1 << 62:
        raise Problem(
            "release-too-wide",
            422,
            what=Text("The release cannot be recounted.", "無法重新計算此釋出檔。"),
            why=Text(
                "Its quasi-identifiers have more combinations than a number can hold.", "準識別符之組合數超出上限。"
            ),
            todo=Text("Generalise further, or check it with fewer columns.", "請進一步概化，或減少檢查欄位。"),
        )
    key = codes[0].astype(np.int64)
    for column, many in zip(codes[1:], kinds[1:], strict=True):
        key *= many
        key += column
    return key


def _counted(key: NDArray[np.int64], space: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct keys, ascending, and how often each occurs."""
    if space <= _DENSE:
        counts = np.bincount(key, minlength=space if len(key) else 0)
        there = np.flatnonzero(counts)
        return there, counts[there]
    found, counts = np.unique(key, return_counts=True)
    return found, counts


def _sensitive(name: str, key: NDArray[np.int64], column: NDArray[np.int32], space: int, many: int) -> Sensitive:
    cells, counts = _counted(key * many + column, space * many)
    which = cells // many
    starts = np.flatnonzero(np.concatenate([[True], which[1:] != which[:-1]]))
    sizes = np.add.reduceat(counts, starts)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(cells))))
    overall = np.bincount(cells % many, weights=counts, minlength=many) / counts.sum()
    share = overall[cells % many]
    # Half the sum of |here - share| over all values: those absent from a class add their share.
    far = np.add.reduceat(np.abs(counts / sizes[owner] - share) - share, starts)
    return Sensitive(name, int(np.diff(np.append(starts, len(cells))).min()), float((far.max() + 1) / 2))
