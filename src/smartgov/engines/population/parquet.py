"""Tables and frames as Arrow record batches, and their Parquet files. Needs pyarrow (requirements/analysis.txt)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from smartgov.engines.population import frame as description
from smartgov.engines.population.framing import Frame
from smartgov.engines.population.people import NEVER
from smartgov.engines.population.streams import Array
from smartgov.engines.population.tables import Column, Days, Letters, Numbers, Table, Words

KINDS = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "int8": pa.int8(),
    "bool": pa.bool_(),
    "date": pa.date32(),
}
FRAME_SCHEMA = pa.schema(
    [pa.field(column.name, KINDS[column.kind]) for column in description.COLUMNS]
    + [pa.field(f"paid_{name}", pa.bool_()) for name in description.PAID]
)


def frame_batch(frame: Frame) -> Any:
    """A village's frame with the columns in their published order."""
    arrays = []
    for field in FRAME_SCHEMA:
        filled = frame[field.name]
        hidden = None if filled.known is None else ~filled.known
        arrays.append(_numbers(filled.values, field.type, hidden))
    return pa.record_batch(arrays, schema=FRAME_SCHEMA)


def _numbers(values: Array, kind: Any, hidden: Array | None) -> Any:
    if kind == pa.date32():
        return pa.array(values.astype(np.int32, copy=False), mask=hidden).view(kind)
    return pa.array(values.astype(kind.to_pandas_dtype(), copy=False), mask=hidden)


def table_batch(table: Table) -> Any:
    """A register's table."""
    return pa.record_batch([_column(column) for column in table.values()], names=list(table))


def _column(column: Column) -> Any:
    if isinstance(column, Letters):
        return _letters(column.codes)
    if isinstance(column, Words):
        # Not a DictionaryArray: pyarrow 26 writes the same one in different bytes from time to time.
        index = pa.array(column.index.astype(np.int32), mask=column.index < 0)
        return pa.array(column.words, type=pa.string()).take(index)
    if isinstance(column, Days):
        return pa.array(column.days.astype(np.int32), mask=column.days == NEVER).view(pa.date32())
    if isinstance(column, Numbers):
        return pa.array(column.numbers, mask=None if column.known is None else ~column.known)
    raise TypeError(type(column))


def _letters(codes: Array) -> Any:
    """UTF-8 without a loop: ASCII is one byte, everything else here lies in the range of three bytes."""
    if codes.dtype == np.uint8:
        wide = codes
    else:
        cells = np.zeros((*codes.shape, 3), dtype=np.uint8)
        ascii_ = codes < 0x80
        cells[..., 0] = np.where(ascii_, codes, 0xE0 | (codes >> 12))
        cells[..., 1] = np.where(ascii_, 0, 0x80 | ((codes >> 6) & 0x3F))
        cells[..., 2] = np.where(ascii_, 0, 0x80 | (codes & 0x3F))
        wide = cells.reshape(len(codes), -1)
    there = wide != 0
    lengths = there.sum(axis=1, dtype=np.int32)
    offsets = np.zeros(len(codes) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    data = wide if there.all() else wide[there]
    empty = lengths == 0
    valid = pa.py_buffer(np.packbits(~empty, bitorder="little").tobytes()) if empty.any() else None
    buffers = [valid, pa.py_buffer(offsets.tobytes()), pa.py_buffer(np.ascontiguousarray(data).tobytes())]
    return pa.Array.from_buffers(pa.string(), len(codes), buffers)


def write(path: Path, batches: list[Any]) -> int:
    """One Parquet file of these batches in one row group; its size in bytes."""
    table = pa.Table.from_batches(batches)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=1, row_group_size=1 << 20, **_encodings(table))
    sync(path)
    return path.stat().st_size


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encodings(table: Any) -> dict[str, Any]:
    """Dictionaries where values repeat; row keys, which only count up, as differences to the one before."""
    keys = [name for name in table.column_names if name in {"id", "person"}]
    words = [name for name in table.column_names if name not in keys]
    kinds = {name: "DELTA_BYTE_ARRAY" if table.schema.field(name).type == pa.string() else "PLAIN" for name in keys}
    return {"use_dictionary": words, "column_encoding": kinds or None}
