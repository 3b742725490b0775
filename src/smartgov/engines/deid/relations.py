"""Tables of any size as DuckDB relations: an Arrow table in memory, or Parquet files and CSV files where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import pyarrow as pa

Source: TypeAlias = "pa.Table | Path | str"
MEMORY = "3GB"
_READERS = {".parquet": "read_parquet", ".csv": "read_csv"}


@contextmanager
def opened(**sources: Source) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which each source is a view under its keyword's name; gone with the block.

    CSV files are read as text, so that a postal code keeps its zeros; Problem `table-unreadable` names a bad file.
    """
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit='{MEMORY}'; SET preserve_insertion_order=true")
        for name, source in sources.items():
            _view(db, name, source)
        yield db


def quoted(name: str) -> str:
    """A column or table name for SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str], prefix: str = "") -> str:
    """Quoted names for a SELECT or GROUP BY list, each with an optional `alias.` before it."""
    return ", ".join(prefix + quoted(name) for name in names)


def columns(db: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """The columns of a view with their DuckDB types, in order."""
    rows = db.execute(f"DESCRIBE SELECT * FROM {quoted(name)}").fetchall()  # noqa: S608 - quoted
    return {row[0]: row[1] for row in rows}


def count(db: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many rows a view has."""
    return int(one(db, f"SELECT count(*) FROM {quoted(name)}"))  # noqa: S608 - quoted


def one(db: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> Any:
    """The first value of the first row."""
    row = db.execute(sql, list(values)).fetchone()
    return None if row is None else row[0]


def _view(db: duckdb.DuckDBPyConnection, name: str, source: Source) -> None:
    if isinstance(source, pa.Table):
        db.register(name, source)
        return
    path = Path(source)
    place = path / "*.parquet" if path.is_dir() else path
    reader = _READERS.get(place.suffix.lower())
    try:
        if reader is None:
            raise duckdb.IOException(f"unknown kind of file: {place.suffix}")
        extra = ", all_varchar=true" if reader == "read_csv" else ""
        text = str(place).replace("'", "''")
        db.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {reader}('{text}'{extra})")  # noqa: S608 - escaped
    except duckdb.Error as error:
        raise Problem(
            "table-unreadable",
            422,
            what=Text(f"The table {path.name} cannot be read.", f"無法讀取資料表 {path.name}。"),
            why=Text(str(error).splitlines()[0], str(error).splitlines()[0]),
            todo=Text("Give a Parquet file or folder, or a CSV file.", "請提供 Parquet 檔或資料夾，或 CSV 檔。"),
        ) from error
