"""From rows to codes: each value to its place in its hierarchy, and the whole table to distinct combinations.

It fails closed. A missing value, a value that no hierarchy knows, a text in a broken encoding, a column that the policy
does not name: each stops the run with the column and a count, because whoever releases must know what is in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import prod
from typing import Any

from smartgov.engines.deid import reading, transforms
from smartgov.engines.deid.hierarchy import Hierarchy, check_encoding, natural
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.metrics import Ground
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.reading import Source
from smartgov.engines.deid.tally import Ints, Tally, grouped, of_keys
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

Report = Callable[[int], None]
MOST_BITS = 62


@dataclass(frozen=True)
class Encoded:
    """A table as codes. `values` are the sensitive attributes' values by code, in the order of their text."""

    ground: Ground
    base: Tally
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Coder:
    """Turns one column's values into codes; dictionaries that come again are looked up once."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.name = hierarchy.name
        self._known = {row[0]: code for code, row in enumerate(hierarchy.rows)}

    def codes(self, column: pa.Array) -> Ints:
        """The code of every value; Problem `deid-value-missing` or `deid-value-unseen`."""
        if column.null_count:
            raise _missing(self.name, column.null_count)
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(column)
        table = np.array([self._code(value) for value in column.dictionary.to_pylist()], dtype=np.int64)
        places = column.indices.to_numpy(zero_copy_only=False)
        found = table[places] if len(table) else np.zeros(0, dtype=np.int64)
        if len(found) and found.min() < 0:
            first = int(np.argmin(found >= 0))
            raise _unseen(
                self.name, text_of(column.dictionary[int(places[first])].as_py()), int(np.count_nonzero(found < 0))
            )
        return np.asarray(found)

    def _code(self, value: Any) -> int:
        return -2 if value is None else self._known.get(text_of(value), -1)


class Discovered:
    """Codes for a sensitive attribute, whose values nobody has listed: numbered as they come, then put in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: dict[str, int] = {}
        self.parts: list[Any] = []

    def add(self, column: pa.Array) -> None:
        """Take the codes of a batch."""
        if column.null_count:
            raise _missing(self.name, column.null_count)
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(column)
        table = np.array([self._number(text_of(v)) for v in column.dictionary.to_pylist()], dtype=np.int32)
        self.parts.append(table[column.indices.to_numpy(zero_copy_only=False)])

    def _number(self, text: str) -> int:
        if text not in self._known:
            check_encoding(self.name, text)
        return self._known.setdefault(text, len(self._known))

    def finish(self, order: Sequence[str] | None = None) -> tuple[Ints, tuple[str, ...]]:
        """All codes, and the values in their order: as numbers where they are numbers, else as text."""
        values = tuple(order) if order else tuple(sorted(self._known, key=natural))
        strange = [value for value in self._known if value not in set(values)]
        if strange:
            raise _unseen(self.name, strange[0], len(strange))
        places = {value: place for place, value in enumerate(values)}
        table = np.zeros(max(len(self._known), 1), dtype=np.int64)
        for value, number in self._known.items():
            table[number] = places[value]
        return table[np.concatenate(self.parts)] if self.parts else np.zeros(0, dtype=np.int64), values


def encode(source: Source, policy: Policy, report: Report | None = None, *, ring: KeyRing | None = None) -> Encoded:
    """Read the table once; distinct combinations with counts, and with those of the population where there is one.

    Values are taken as the policy's transforms make them, `ring` being for those that need a key.
    """
    check_columns(source, policy)
    trees = policy.hierarchies
    sensitive = [Discovered(name) for name in policy.protected]
    orders = {a.name: [row[0] for row in a.hierarchy.rows] for a in policy.of_kind("sensitive") if a.hierarchy}
    parts, marginals, seen = [], [np.zeros(h.size(0), dtype=np.int64) for h in trees], 0
    for batch, codes in coded(source, policy, [d.name for d in sensitive], ring):
        parts.append(_joined(codes, [h.size(0) for h in trees]))
        marginals = [m + np.bincount(c, minlength=len(m)) for m, c in zip(marginals, codes, strict=True)]
        for found in sensitive:
            found.add(batch.column(batch.schema.get_field_index(found.name)))
        seen += batch.num_rows
        if report is not None:
            report(seen)
    if not seen:
        raise _empty()
    keys = np.concatenate(parts)
    parts.clear()
    sizes = [h.size(0) for h in trees]
    values = {}
    for found in sensitive:
        own, values[found.name] = found.finish(orders.get(found.name))
        keys *= len(values[found.name])
        keys += own
        sizes.append(len(values[found.name]))
    _check_space(sizes)
    found_keys, counts = grouped(keys, None, prod(sizes))
    base = of_keys((0,) * len(trees), sizes, found_keys, counts)
    if policy.population is not None:
        base = with_population(base, policy, len(trees), ring)
    return Encoded(Ground(seen, trees, tuple(marginals)), base, values)


def with_population(base: Tally, policy: Policy, quasi: int, ring: KeyRing | None = None) -> Tally:
    """The same combinations and those of the population table, with how many people each has there."""
    parts = [_joined(codes, base.sizes[:quasi]) for _, codes in coded(_population(policy), policy, [], ring)]
    people_keys, people = grouped(np.concatenate(parts), None, prod(base.sizes[:quasi]))
    below = prod(base.sizes[quasi:])
    own = base.keys()
    classes = own // below
    first = np.concatenate([[True], classes[1:] != classes[:-1]])
    place = np.searchsorted(people_keys, classes)
    there = (place < len(people_keys)) & (people_keys[np.minimum(place, len(people_keys) - 1)] == classes)
    population = np.where(there & first, people[np.minimum(place, len(people) - 1)], 0)
    absent = ~np.isin(people_keys, classes[first])
    keys = np.concatenate([own, people_keys[absent] * below])
    order = np.argsort(keys, kind="stable")
    counts = np.concatenate([base.counts, np.zeros(int(absent.sum()), dtype=np.int64)])[order]
    return of_keys(base.node, base.sizes, keys[order], counts, np.concatenate([population, people[absent]])[order])


def coded(
    source: Source, policy: Policy, more: Sequence[str], ring: KeyRing | None = None
) -> Iterator[tuple[pa.RecordBatch, list[Ints]]]:
    """Batches as the policy transforms them, with the codes of the quasi-identifiers; `more` columns come along."""
    coders = [Coder(tree) for tree in policy.hierarchies]
    for batch in transforms.batches(source, [*policy.quasi, *more], policy.transforms, ring):
        yield batch, [coder.codes(batch.column(i)) for i, coder in enumerate(coders)]


def check_columns(source: Source, policy: Policy) -> None:
    """The policy names every column of the table, and no other."""
    there, named = reading.columns(source), [attribute.name for attribute in policy.attributes]
    unnamed = [column for column in there if column not in named]
    absent = [name for name in named if name not in there]
    if unnamed or absent:
        raise Problem(
            "deid-columns-differ",
            422,
            what=Text("The table and the policy do not name the same columns.", "資料表與政策檔的欄位不一致。"),
            why=Text(
                f"Only in the table: {', '.join(unnamed) or '-'}; only in the policy: {', '.join(absent) or '-'}.",
                f"僅資料表有：{'、'.join(unnamed) or '－'}；僅政策檔有：{'、'.join(absent) or '－'}。",
            ),
            todo=Text(
                "Say of every column what it is (identifying, quasi, sensitive, insensitive).",
                "請為每一欄註明其類別（identifying、quasi、sensitive、insensitive）。",
            ),
            unnamed=unnamed,
            absent=absent,
        )


def text_of(value: Any) -> str:
    """A value as hierarchies write it: days in ISO 8601, yes and no as true and false, no needless zeros."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _joined(codes: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    key = codes[0].astype(np.int64, copy=True)
    for column, size in zip(codes[1:], sizes[1:], strict=True):
        key *= size
        key += column
    return key


def _population(policy: Policy) -> Source:
    if policy.population is None:
        raise ValueError("the policy has no population")
    return policy.population


def _check_space(sizes: Sequence[int]) -> None:
    if (prod(sizes) - 1).bit_length() > MOST_BITS:
        raise Problem(
            "deid-too-many-values",
            422,
            what=Text("The quasi-identifiers have too many possible combinations.", "準識別欄位的可能組合過多。"),
            why=Text(f"Their values multiply to more than 2^{MOST_BITS}.", f"各欄值數相乘超過 2^{MOST_BITS}。"),
            todo=Text(
                "Start a column at a coarser level (`levels`), or leave one out.",
                "請以 levels 限定較概略的起始層級，或移除部分欄位。",
            ),
        )


def _missing(name: str, count: int) -> Problem:
    return Problem(
        "deid-value-missing",
        422,
        what=Text(f"{name} has missing values.", f"欄位 {name} 有缺漏值。"),
        why=Text(f"{count} rows of one batch have none.", f"一批資料中有 {count} 列沒有值。"),
        todo=Text(
            "Write a word of its own for `missing` into the data and the hierarchy, or leave the rows out.",
            "請以明確的代碼表示缺漏並納入概化階層，或先排除這些資料列。",
        ),
        attribute=name,
    )


def _unseen(name: str, value: str, count: int) -> Problem:
    check_encoding(name, value)
    return Problem(
        "deid-value-unseen",
        422,
        what=Text(f"{name} has a value that its hierarchy does not know.", f"欄位 {name} 有概化階層未列的值。"),
        why=Text(
            f"The first is {value!r}; {count} rows of one batch have such.",
            f"第一個為 {value!r}；一批資料中有 {count} 列。",
        ),
        todo=Text("Add it to the hierarchy, or clean the data.", "請將該值納入概化階層，或先清理資料。"),
        attribute=name,
    )


def _empty() -> Problem:
    return Problem(
        "deid-source-empty",
        422,
        what=Text("The table has no rows.", "資料表沒有任何資料列。"),
        why=Text("There is nothing to release.", "無資料可釋出。"),
        todo=Text("Choose another source.", "請選擇其他來源。"),
    )
