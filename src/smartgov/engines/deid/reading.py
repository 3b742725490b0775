"""Source tables in batches: an Arrow table, Parquet (a file or a folder of parts), or CSV in UTF-8."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import pyarrow as pa
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

Source: TypeAlias = "pa.Table | Path"
BATCH = 1 << 19


def files(source: Path) -> list[Path]:
    """The files of a source on disk, in the order of their names."""
    found = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    if not found or not found[0].is_file():
        raise _unreadable(
            source.name, "there is no such file, or no *.parquet in the folder", "檔案不存在，或資料夾內沒有 *.parquet"
        )
    return found


def columns(source: Source) -> list[str]:
    """The names of the columns."""
    return list(schema(source).names)


def schema(source: Source) -> Any:
    """The columns with their types; those of CSV are text."""
    if isinstance(source, pa.Table):
        return source.schema
    first = files(source)[0]
    try:
        if first.suffix == ".parquet":
            return pq.ParquetFile(first).schema_arrow
        return _csv(first, None).schema
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(first.name, str(error), str(error)) from error


def count(source: Source) -> int | None:
    """How many rows there are, where that costs nothing to know."""
    if isinstance(source, pa.Table):
        return int(source.num_rows)
    found = files(source)
    return sum(pq.ParquetFile(f).metadata.num_rows for f in found) if found[0].suffix == ".parquet" else None


def batches(source: Source, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The named columns, some hundred thousand rows at a time; text comes as dictionaries where the file has them."""
    if isinstance(source, pa.Table):
        yield from source.select(list(names)).to_batches(max_chunksize=BATCH)
        return
    for path in files(source):
        try:
            if path.suffix == ".parquet":
                yield from _parquet(path, names)
            else:
                yield from _csv(path, names)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path.name, str(error), str(error)) from error


def digest(source: Source) -> str:
    """SHA-256 of the source: of its files, or of an Arrow table's own format."""
    sha = hashlib.sha256()
    if isinstance(source, pa.Table):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, source.schema) as writer:
            writer.write_table(source)
        sha.update(sink.getvalue())
        return sha.hexdigest()
    for path in files(source):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                sha.update(block)
    return sha.hexdigest()


def _parquet(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    schema = pq.ParquetFile(path).schema_arrow
    texts = [
        n for n in names if pa.types.is_string(schema.field(n).type) or pa.types.is_large_string(schema.field(n).type)
    ]
    file = pq.ParquetFile(path, read_dictionary=texts)
    yield from file.iter_batches(batch_size=BATCH, columns=list(names))


def _csv(path: Path, names: Sequence[str] | None) -> Any:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.readline()
    delimiter = max(",;\t", key=head.count)
    all_names = [name.strip().strip('"') for name in head.rstrip("\r\n").split(delimiter)]
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(all_names, pa.string()),
        include_columns=list(names) if names else None,
        null_values=[""],
        strings_can_be_null=True,
    )
    return pa_csv.open_csv(path, parse_options=pa_csv.ParseOptions(delimiter=delimiter), convert_options=options)


def _unreadable(name: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "deid-source-unreadable",
        422,
        what=Text(f"The table {name} cannot be read.", f"無法讀取資料表 {name}。"),
        why=Text(f"{why_en.splitlines()[0]}.", f"{why_zh.splitlines()[0]}。"),
        todo=Text(
            "Give Parquet (a file or a folder) or CSV in UTF-8.", "請提供 Parquet（檔案或資料夾）或 UTF-8 編碼的 CSV。"
        ),
    )
