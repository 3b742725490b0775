"""What an attacker makes of a file of true values when the release was transformed before it was generalised.

Masking, top and bottom coding, rounding, truncating and coarsening are public: whoever knows the policy does the same
to a file of their own, so files are changed that way before anybody is looked up in them. Pseudonyms and date shifts
need a key that attackers lack. How much of them somebody guesses nobody can say, so the worst is assumed where a model
promises something: of quasi-identifiers the attacker knows what the key made of them. Columns that no model speaks of
are, when keyed, of no use to a holder of an outside file, and are left out of it.

The files made here lie in a temporary folder of mode 0700 and are gone with the block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from smartgov.engines.deid import reading
from smartgov.engines.deid.attacks.target import Target
from smartgov.engines.deid.encode import text_of
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.relations import Source
from smartgov.engines.deid.transforms import Changer, Transform
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

TRUE = "true "
"""What stands before the name of a column that kept its true values beside the changed ones."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as one release's attacker sees it.

    Of the quasi-identifiers `known` the key's work was taken as known; columns of `unfollowed` were left out, because a
    key stands between them and the release; `unusable` counts values that no transform takes, by column.
    """

    file: Source
    known: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    unusable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joint:
    """One file as the attackers of several releases see it, row by row.

    `columns` says where release `number` finds its quasi-identifier; `lost` are those that nobody can follow any more,
    because the key was destroyed; `locked` names for a release the project whose keys were not given.
    """

    file: Source
    columns: Mapping[tuple[int, str], str]
    lost: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    locked: Mapping[int, str] = field(default_factory=dict)


@contextmanager
def seen(file: Source, target: Target, keys: Sequence[KeyRing] = (), *, outside: bool = False) -> Iterator[Seen]:
    """A file with the source's column names (the source itself, or an `outside` one) in the release's own values.

    Quasi-identifiers come as hierarchies write them, where the release has labels. Of the source, changed columns stay
    as they were too, under `TRUE` and their name: an attacker knows true values and may sort by them. Problem
    `deid-attack-needs-keys`.
    """
    where = _place(file)
    names, types = reading.columns(where), _types(_place(target.source))
    plan = {name: one for name, one in target.changes.plan.items() if name in names and one.kind != "remove"}
    unfollowed = _unfollowed(plan, target, names) if outside else ()
    plan = {name: one for name, one in plan.items() if name not in unfollowed}
    told = _told(target)
    odd = [name for name in told if name in names and _is_odd(_types(where)[name])]
    known = tuple(name for name, one in plan.items() if one.keyed and name in target.quasi)
    if not plan and not unfollowed and not odd:
        yield Seen(file)
        return
    ring = _ring(target, keys) if any(one.keyed for one in plan.values()) else None
    changer = Changer(plan, ring, lenient=outside)
    texts = {name for name in told if name in plan or name in odd}

    def rows() -> Iterator[pa.Table]:
        for batch in reading.batches(where, names):
            given = _typed(batch, {name: types[name] for name in plan if name in types}) if outside else batch
            changed = changer.change(given)
            columns = {name: changed[name] for name in names if name not in unfollowed}
            columns |= {name: _written(columns[name]) for name in texts if name in columns}
            if not outside:
                columns |= {TRUE + name: batch.column(names.index(name)) for name in plan}
            yield pa.table(columns)

    with _kept(rows(), where) as made:
        yield Seen(made, known, unfollowed, dict(changer.unfit))


@contextmanager
def joint(file: Source, releases: Sequence[Target], keys: Sequence[KeyRing] = ()) -> Iterator[Joint]:
    """The quasi-identifiers of a source as each of its releases has them, in one file.

    Without the first release's keys Problem `deid-attack-needs-keys`; of earlier ones they are noted as `locked`.
    """
    where = _place(file)
    kinds = _types(where)
    columns: dict[tuple[int, str], str] = {}
    changers: dict[int, Changer] = {}
    lost: dict[int, tuple[str, ...]] = {}
    locked: dict[int, str] = {}
    texts: dict[int, set[str]] = {}
    for number, one in enumerate(releases):
        plan = {name: change for name, change in one.changes.plan.items() if name in one.quasi and name in kinds}
        ring, state = _found(one, keys) if any(change.keyed for change in plan.values()) else (None, "")
        if not number and state:
            raise _needs_keys(one)
        if state == "absent":
            locked[number] = one.changes.project
        if ring is None:
            lost[number] = tuple(name for name, change in plan.items() if change.keyed)
            plan = {name: change for name, change in plan.items() if not change.keyed}
        changers[number] = Changer(plan, ring, lenient=True)
        texts[number] = {name for name in _told(one) if name in plan or (name in kinds and _is_odd(kinds[name]))}
        own = {*plan, *texts[number]}
        columns |= {(number, name): f"{number}:{name}" if name in own else name for name in one.quasi if name in kinds}
    if not any(changer.plan or texts[number] for number, changer in changers.items()):
        yield Joint(file, columns, lost, locked)
        return
    names = list(dict.fromkeys(name for _, name in columns))
    needed = list(dict.fromkeys(name for changer in changers.values() for name in changer.needs(names)))

    def rows() -> Iterator[pa.Table]:
        for batch in reading.batches(where, [name for name in needed if name in kinds]):
            made = {name: batch.column(batch.schema.get_field_index(name)) for name in names}
            for number, changer in changers.items():
                changed = changer.change(batch) if changer.plan else batch
                for name in {*changer.plan, *texts[number]}:
                    column = changed[name]
                    made[f"{number}:{name}"] = _written(column) if name in texts[number] else column
            yield pa.table(made)

    with _kept(rows(), where) as whole:
        yield Joint(whole, columns, lost, locked)


def _unfollowed(plan: Mapping[str, Transform], target: Target, names: Sequence[str]) -> tuple[str, ...]:
    """Keyed columns of an outside file that its holder gets nowhere with."""
    keyed = {name: change for name, change in plan.items() if change.keyed}
    return tuple(
        name
        for name, change in keyed.items()
        if name not in target.quasi or (change.subject is not None and change.subject not in names)
    )


def _ring(target: Target, keys: Sequence[KeyRing]) -> KeyRing:
    """The keys that the release was made with; Problem `deid-attack-needs-keys` without them."""
    ring, _ = _found(target, keys)
    if ring is None:
        raise _needs_keys(target)
    return ring


def _needs_keys(target: Target) -> Problem:
    changes = target.changes
    names = "、".join(name for name, change in changes.plan.items() if change.keyed)
    return Problem(
        "deid-attack-needs-keys",
        409,
        what=Text("This release cannot be attacked without its keys.", "缺少金鑰，無法對此釋出資料進行攻擊測試。"),
        why=Text(
            f"Pseudonyms or date shifts changed {names.replace('、', ', ')}; the attacker is assumed to know them.",
            f"{names} 經假名化或日期平移；攻擊測試假設攻擊者知悉其結果。",
        ),
        todo=Text(
            f"Give the key file of project {changes.project} (--keys) with key {changes.key}.",
            f"請以 --keys 提供專案 {changes.project} 之金鑰檔（含金鑰 {changes.key}）。",
        ),
    )


def _found(target: Target, keys: Sequence[KeyRing]) -> tuple[KeyRing | None, str]:
    """The ring with the release's key as its active one; else None and whether it is `absent` or `destroyed`."""
    changes = target.changes
    for ring in keys:
        own = next((key for key in ring.keys if ring.project == changes.project and key.id == changes.key), None)
        if own is not None:
            return (None, "destroyed") if own.master is None else (ring.at(own.id), "")
    return None, "absent"


def _told(target: Target) -> list[str]:
    """The quasi-identifiers that the release writes as text."""
    types = _types(_place(target.release))
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    return [name for name in target.quasi if name in types and any(is_(types[name]) for is_ in texts)]


def _place(file: Source) -> reading.Source:
    return file if isinstance(file, pa.Table) else Path(file)


def _types(file: reading.Source) -> dict[str, pa.DataType]:
    return {one.name: one.type for one in reading.schema(file)}


def _is_odd(kind: pa.DataType) -> bool:
    """Whether SQL writes values of this type otherwise than hierarchies do (1.0 for 1, a blank within a moment)."""
    return bool(pa.types.is_floating(kind) or pa.types.is_timestamp(kind))


def _written(column: Any) -> pa.Array:
    """A column's values as hierarchies write them."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    texts = [None if value is None else text_of(value) for value in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(texts, pa.string()), encoded.indices)


def _typed(batch: pa.RecordBatch, types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """An outside file's text read as the source's numbers and dates; what is none becomes NULL."""
    for name, kind in types.items():
        place = batch.schema.get_field_index(name)
        column = batch.column(place)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.type != kind and not pa.types.is_dictionary(kind):
            batch = batch.set_column(place, name, _read_as(column, kind))
    return batch


def _read_as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    encoded = pc.dictionary_encode(column.cast(pa.string()))
    values = []
    for text in encoded.dictionary:
        try:
            values.append(text.cast(kind).as_py())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            values.append(None)
    return pc.take(pa.array(values, kind), encoded.indices)


@contextmanager
def _kept(rows: Iterator[pa.Table], like: reading.Source) -> Iterator[Source]:
    """In memory when the original is; else a Parquet file, a batch at a time."""
    if isinstance(like, pa.Table):
        yield pa.concat_tables(list(rows)).unify_dictionaries()
        return
    with TemporaryDirectory(prefix="smartgov-deid-") as folder:
        path, writer = Path(folder) / "seen.parquet", None
        try:
            for table in rows:
                writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()
        yield path
