"""A release: the generalised table, and everything that says how it came about and what it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from smartgov.engines.deid import keyring, reading
from smartgov.engines.deid.classes import Classes, classes_of
from smartgov.engines.deid.encode import Encoded, coded, encode
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.metrics import described, metric_named
from smartgov.engines.deid.models import Mask, holding
from smartgov.engines.deid.policy import Policy, lowest_levels
from smartgov.engines.deid.reading import Source
from smartgov.engines.deid.search.mondrian import Partition, classes_by_part, partition
from smartgov.engines.deid.search.optimal import Limits, Outcome, Search, Task
from smartgov.engines.deid.tally import Ints, roll
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

TABLE, RECORD, STATE = "release.parquet", "release.json", "search.npz"


@dataclass(frozen=True)
class Report:
    """Where a run stands: which `step`, how many `rows` were read, or how far the search is (`outcome`)."""

    step: str
    rows: int = 0
    outcome: Outcome | None = None


Progress = Callable[[Report], None]
Cancel = Callable[[], bool]


@dataclass(frozen=True)
class Release:
    """What may be looked at before it may leave. `table` is in memory, or the Parquet file of a saved release.

    `node` has the level of each quasi-identifier; None under local recoding. `score` is the cost by the metric,
    `bound` what no other node can go below, `gap` the share between. `measured` has every model's figure, `metrics`
    every metric's. `suppressed` rows were left out. `key` is the id of the key that transforms were made with.
    """

    table: pa.Table | Path
    policy: Policy
    node: tuple[int, ...] | None
    rows: int
    suppressed: int
    classes: int
    smallest: int
    score: float
    bound: float
    gap: float
    complete: bool
    source_digest: str
    created: datetime
    measured: tuple[dict[str, Any], ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    @property
    def levels(self) -> dict[str, int]:
        """The level of each quasi-identifier, by name; empty under local recoding."""
        return dict(zip(self.policy.quasi, self.node, strict=True)) if self.node is not None else {}

    def as_dict(self) -> dict[str, Any]:
        """The record beside the table, without any row of it."""
        return {
            "policy": self.policy.as_dict(),
            "node": list(self.node) if self.node is not None else None,
            "levels": self.levels,
            "rows": self.rows,
            "suppressed": self.suppressed,
            "classes": self.classes,
            "smallest": self.smallest,
            "score": self.score,
            "bound": self.bound,
            "gap": self.gap,
            "complete": self.complete,
            "source_digest": self.source_digest,
            "created": self.created.isoformat(),
            "measured": list(self.measured),
            "metrics": self.metrics,
            "search": self.search,
            "key": self.key,
        }

    def save(self, folder: Path) -> Path:
        """Write table and record; the record last, so that a folder with a record is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / TABLE
        if isinstance(self.table, pa.Table):
            _write(self.table, target)
        elif self.table != target:
            target.write_bytes(self.table.read_bytes())
        part = folder / f"{RECORD}.part"
        part.write_text(json.dumps(self.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        part.replace(folder / RECORD)
        return folder

    @classmethod
    def load(cls, folder: Path, *, beside: Path | None = None) -> Release:
        """A saved release; hierarchies in files are looked for in `beside` (the policy's folder)."""
        try:
            words = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            policy = Policy.parse(words.pop("policy"), folder=beside or folder)
            words.pop("levels")
            node = words.pop("node")
            created = datetime.fromisoformat(words.pop("created"))
            measured = tuple(words.pop("measured"))
            return cls(
                folder / TABLE,
                policy,
                None if node is None else tuple(node),
                created=created,
                measured=measured,
                **words,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(
                "deid-release-unreadable",
                422,
                what=Text(f"There is no whole release in {folder.name}.", f"{folder.name} 內沒有完整的釋出資料。"),
                why=Text(str(error), str(error)),
                todo=Text(
                    "Run `smartgov deid run` again; --resume takes up where it stopped.",
                    "請重新執行 smartgov deid run；可加 --resume 接續。",
                ),
            ) from error


def anonymise(
    table: Source,
    policy: Policy,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    state: Path | None = None,
    keys: KeyRing | None = None,
) -> Release:
    """Find the levels, generalise, and say what the release holds.

    Transforms that the policy declares are applied first, as rows are read; pseudonyms and date shifts need the
    project's `keys`.

    `cancel` is asked often; a run that was cancelled raises Problem `deid-cancelled` and has written nothing but
    `state`, with which another run of the same policy on the same table goes on. Problem `deid-no-release` when no
    levels fulfil the models; `deid-not-found-in-time` when the limits of the policy ended the search before any did.
    """
    tell = progress or (lambda _: None)
    if keys is not None and keys.project != policy.project:
        raise keyring.unusable("The keys belong to another project.", "金鑰屬於其他專案。")
    found = encode(table, policy, lambda rows: tell(Report("read", rows)), ring=keys)
    if policy.search.method == "mondrian":
        return _local(table, policy, found, tell, cancel, keys)
    outcome = _search(policy, found, tell, cancel, state)
    if outcome.node is None:
        raise _nothing(policy, outcome)
    classes = classes_of(roll(found.base, outcome.node, found.ground.hierarchies), policy.protected)
    held = holding(policy.models, classes)
    released = _full_domain(table, policy, classes, held, tell, keys)
    return _made(table, policy, found, classes, held, released, outcome, keys)


def _search(policy: Policy, found: Encoded, tell: Progress, cancel: Cancel | None, state: Path | None) -> Outcome:
    rows = found.ground.rows
    most = int(policy.suppression_limit * rows)
    task = Task(found.ground, found.base, policy.models, metric_named(policy.metric), most, policy.protected)
    plan = policy.search
    search = Search(
        task,
        Limits(plan.time_limit_s, plan.gap, plan.cache_bytes),
        progress=lambda outcome: tell(Report("search", rows, outcome)),
        cancelled=cancel,
        lowest=lowest_levels(policy),
        saved=state,
    )
    outcome = search.run()
    if cancel is not None and cancel() and not outcome.complete:
        raise _cancelled(state)
    return outcome


def _local(
    table: Source, policy: Policy, found: Encoded, tell: Progress, cancel: Cancel | None, keys: KeyRing | None
) -> Release:
    tell(Report("search", found.ground.rows))
    trees = found.ground.hierarchies
    parts = partition(found.base, trees, policy.models, policy.protected, cancelled=cancel)
    if parts is None:
        if cancel is not None and cancel():
            raise _cancelled(None)
        raise _nothing(policy, Outcome(None, float("inf"), float("inf"), True, 1, 1, 0.0))
    classes = classes_by_part(found.base, parts, len(trees), policy.protected)
    held = holding(policy.models, classes)
    released = _shuffled(_recoded(table, policy, parts, tell, keys), tell)
    outcome = Outcome(None, float(classes.squares), 0.0, False, 0, 0, 0.0)
    return _made(table, policy, found, classes, held, released, outcome, keys)


def _made(
    table: Source, policy: Policy, found: Encoded, classes: Classes, held: Mask, released: pa.Table, outcome: Outcome,
    keys: KeyRing | None,
) -> Release:  # fmt: skip
    kept = _only(classes, held)
    metrics = described(found.ground, classes, held) if outcome.node is not None else {"discernibility": outcome.cost}
    return Release(
        table=released,
        policy=policy,
        node=outcome.node,
        rows=kept.rows,
        suppressed=found.ground.rows - kept.rows,
        classes=kept.inhabited,
        smallest=int(kept.sizes[kept.sizes > 0].min()) if kept.rows else 0,
        score=outcome.cost,
        bound=outcome.bound,
        gap=outcome.gap,
        complete=outcome.complete,
        source_digest=reading.digest(table),
        created=clock.now(),
        measured=tuple({**model.as_dict(), "measured": model.measure(kept)} for model in policy.models),
        metrics=metrics,
        search={"nodes": outcome.nodes, "looked_at": outcome.looked_at, "seconds": round(outcome.seconds, 3)},
        key=keys.active.id if keys is not None and policy.needs_keys else "",
    )


def _only(classes: Classes, held: Mask) -> Classes:
    """The classes that are released; distributions of the whole table stay what they are measured against."""
    place = np.cumsum(held) - 1
    spreads = {}
    for name, spread in classes.spreads.items():
        there = held[spread.which]
        spreads[name] = type(spread)(
            place[spread.which[there]], spread.codes[there], spread.counts[there], spread.size, spread.overall
        )
    people = None if classes.population is None else classes.population[held]
    return Classes(classes.node, classes.radix, classes.keys[held], classes.sizes[held], people, spreads)


# -- writing rows -----------------------------------------------------------------------------------------------------


def _full_domain(
    table: Source, policy: Policy, classes: Classes, held: Mask, tell: Progress, keys: KeyRing | None
) -> pa.Table:
    """Every row of a class that holds, at the node's levels, in an order that says nothing."""
    trees, failing = policy.hierarchies, classes.keys[~held]
    tables = [tree.codes[level] for tree, level in zip(trees, classes.node, strict=True)]
    labels = [pa.array(tree.labels[level]) for tree, level in zip(trees, classes.node, strict=True)]
    sizes = classes.radix
    parts, seen = [], 0
    for batch, codes in coded(table, policy, _others(policy), keys):
        own = [look[code] for look, code in zip(tables, codes, strict=True)]
        key = own[0].astype(np.int64)
        for column, size in zip(own[1:], sizes[1:], strict=True):
            key = key * size + column
        kept = ~np.isin(key, failing) if len(failing) else np.ones(len(key), dtype=bool)
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(_narrow(c[kept], len(d))), d)
            for c, d in zip(own, labels, strict=True)
        ]
        parts.append(_batch(policy, batch, columns, kept))
        seen += batch.num_rows
        tell(Report("write", seen))
    return _shuffled(parts, tell)


def _recoded(
    table: Source, policy: Policy, parts: Partition, tell: Progress, keys: KeyRing | None
) -> Iterator[pa.Table]:
    """Every row in the words of its part."""
    trees = policy.hierarchies
    sizes = [tree.size(0) for tree in trees]
    words = [_words(tree, parts.levels[:, i], parts.codes[:, i]) for i, tree in enumerate(trees)]
    seen = 0
    for batch, codes in coded(table, policy, _others(policy), keys):
        key = codes[0].astype(np.int64)
        for column, size in zip(codes[1:], sizes[1:], strict=True):
            key = key * size + column
        part = parts.part[np.searchsorted(parts.keys, key)]
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(_narrow(which[part], len(said))), said) for which, said in words
        ]
        yield _batch(policy, batch, columns, np.ones(len(key), dtype=bool))
        seen += batch.num_rows
        tell(Report("write", seen))


def _words(tree: Hierarchy, levels: Ints, codes: Ints) -> tuple[Ints, pa.Array]:
    """For each part the place of its label, and the labels."""
    said = [tree.labels[int(level)][int(code)] for level, code in zip(levels, codes, strict=True)]
    places = {label: place for place, label in enumerate(dict.fromkeys(said))}
    return np.array([places[label] for label in said], dtype=np.int64), pa.array(list(places))


def _batch(policy: Policy, batch: pa.RecordBatch, columns: Sequence[pa.Array], kept: Mask) -> pa.Table:
    own = dict(zip(policy.quasi, columns, strict=True))
    mask = None if kept.all() else pa.array(kept)
    for name in _others(policy):
        column = batch.column(batch.schema.get_field_index(name))
        own[name] = column if mask is None else column.filter(mask)
    return pa.table({a.name: own[a.name] for a in policy.attributes if a.name in own})


def _others(policy: Policy) -> list[str]:
    return [a.name for a in policy.attributes if a.kind in {"sensitive", "insensitive"} and not a.removed]


def _shuffled(parts: Iterator[pa.Table] | Sequence[pa.Table], tell: Progress) -> pa.Table:
    """All rows in a random order: the order of a source gives people away."""
    whole = pa.concat_tables(list(parts)).unify_dictionaries()
    tell(Report("shuffle", whole.num_rows))
    order = np.random.Generator(np.random.PCG64DXSM()).permutation(whole.num_rows)
    return whole.take(pa.array(order)).combine_chunks()


def _narrow(codes: Ints, values: int) -> Any:
    return codes.astype(np.int8 if values < 1 << 7 else np.int16 if values < 1 << 15 else np.int32)


def _write(table: pa.Table, target: Path) -> None:
    part = target.with_suffix(".part")
    try:
        pq.write_table(table, part, compression="zstd", row_group_size=1 << 20)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Problem(
            "deid-not-written",
            507,
            what=Text("The release could not be written.", "釋出資料無法寫入。"),
            why=Text(str(error), str(error)),
            todo=Text(
                "Make room on the disk and run again with --resume; nothing half-written was left.",
                "請清出磁碟空間後以 --resume 再執行；未留下不完整的檔案。",
            ),
        ) from error
    part.replace(target)


# -- what can go wrong ------------------------------------------------------------------------------------------------


def _nothing(policy: Policy, outcome: Outcome) -> Problem:
    if outcome.complete:
        return Problem(
            "deid-no-release",
            409,
            what=Text("No levels of the hierarchies fulfil the models.", "沒有任何概化層級組合符合隱私模型。"),
            why=Text(
                f"At most {policy.suppression_limit:.2%} of the rows may be left out, "
                "and even the coarsest levels are not enough.",
                f"最多僅能抑制 {policy.suppression_limit:.2%} 的資料列，且最概略的層級仍不足。",
            ),
            todo=Text(
                "Add a coarser level (up to *), allow more suppression, or ask less of the models.",
                "請增加更概略的層級（至 *）、放寬抑制比例，或調整模型要求。",
            ),
        )
    return Problem(
        "deid-not-found-in-time",
        409,
        what=Text("The time limit ended the search before anything was found.", "在時限內未找到可釋出的結果。"),
        why=Text(
            f"{outcome.looked_at} of {outcome.nodes} nodes were looked at.",
            f"已檢視 {outcome.nodes} 個節點中的 {outcome.looked_at} 個。",
        ),
        todo=Text(
            "Raise search.time_limit_s, or run again with --resume.", "請提高 search.time_limit_s，或以 --resume 繼續。"
        ),
    )


def _cancelled(state: Path | None) -> Problem:
    return Problem(
        "deid-cancelled",
        409,
        what=Text("The run was stopped.", "執行已停止。"),
        why=Text("Nothing was released.", "未釋出任何資料。"),
        todo=Text("Run again with --resume to go on where it stopped.", "請以 --resume 接續執行。")
        if state
        else Text("Run again.", "請重新執行。"),
    )
