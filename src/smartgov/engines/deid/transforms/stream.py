"""Applying declared transforms to a table of any size, one batch after the other.

A value's change depends on its own row alone, so memory holds one batch. Only the tails of top and bottom coding are a
matter of the whole table; they are counted along the way and judged at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smartgov.engines.deid import reading
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.transforms import kinds
from smartgov.engines.deid.transforms.declared import Transform, invalid, refused

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc


class Changer:
    """Changes batches by a plan. `lenient` (an attacker's file) makes values that do not fit NULL and counts them.

    Problem `transform-refused` names column and reason (never a value); `transform-invalid` a missing key.
    """

    def __init__(self, plan: Mapping[str, Transform], ring: KeyRing | None = None, *, lenient: bool = False) -> None:
        for name, transform in plan.items():
            if transform.keyed and ring is None:
                raise invalid(name, "the project's key file is needed", "需要專案金鑰檔")
        self.plan = dict(plan)
        self.unfit: dict[str, int] = {}
        self._context = kinds.Context(ring=ring)
        self._lenient = lenient

    def needs(self, names: Sequence[str]) -> list[str]:
        """What has to be read so that `names` can be changed: themselves, and the subjects of shifts."""
        subjects = [self.plan[name].subject for name in names if name in self.plan]
        return list(dict.fromkeys([*names, *(subject for subject in subjects if subject is not None)]))

    def change(self, batch: pa.RecordBatch | pa.Table) -> pa.Table:
        """The same rows with every planned column changed (those of kind `remove` left out); others as they were."""
        names = list(batch.schema.names)
        planned = [name for name in names if name in self.plan]
        self._context.columns = {
            name: _whole(batch.column(names.index(name))) for name in self.needs(planned) if name in names
        }
        made = {name: batch.column(place) for place, name in enumerate(names)}
        for name in planned:
            if self.plan[name].kind == "remove":
                del made[name]
            else:
                made[name] = self._changed(name, self._context.columns[name])
        self._context.first += batch.num_rows
        return pa.table(made)

    def finish(self) -> None:
        """What only the whole table tells: a tail of top or bottom coding with fewer rows than the policy asks."""
        for name, transform in self.plan.items():
            least = transform.words.get("at_least", 1)
            for end in ("top", "bottom"):
                many = self._context.tails.get((name, end), 0)
                if transform.kind == "limit" and 0 < many < least:
                    raise refused(name, f"only {many} rows lie beyond the {end}", f"{end} 之外僅 {many} 列")

    def _changed(self, name: str, column: pa.Array) -> pa.Array:
        transform = self.plan[name]
        subject = transform.subject
        if subject is not None and subject not in self._context.columns:
            raise invalid(name, f"there is no column {subject}", f"沒有欄位 {subject}")
        if column.null_count and not self._lenient:
            raise refused(name, "it has missing values", "有缺值")
        said = kinds.UNFIT.get(transform.kind)
        if self._lenient or said is not None:
            fit = pc.fill_null(kinds.FITS[transform.kind](name, column, transform.words, self._context), False)
            if not pc.all(fit, min_count=0).as_py():
                if self._lenient:
                    return self._some(name, column, fit)
                row = self._context.first + pc.index(fit, pa.scalar(False)).as_py() + 1
                assert said is not None
                raise refused(name, said[0].format(row=row), said[1].format(row=row))
        return kinds.CHANGE[transform.kind](name, column, transform.words, self._context)

    def _some(self, name: str, column: pa.Array, fit: pa.Array) -> pa.Array:
        """The values that fit changed, the others NULL."""
        transform, context = self.plan[name], self._context
        self.unfit[name] = self.unfit.get(name, 0) + len(fit) - (pc.sum(fit).as_py() or 0)
        whole = context.columns
        context.columns = {other: own.filter(fit) for other, own in whole.items()}
        changed = kinds.CHANGE[transform.kind](name, column.filter(fit), transform.words, context)
        context.columns = whole
        there = fit.to_numpy(zero_copy_only=False)
        return pc.take(changed, pa.array(np.cumsum(there) - 1, mask=~there))


def apply(table: pa.Table, plan: Mapping[str, Transform], ring: KeyRing | None = None) -> pa.Table:
    """The table with every column of `plan` changed. A million rows take about a second.

    Problem `transform-refused` names column and reason; `transform-invalid` an absent column or key.
    """
    changer = Changer(plan, ring)
    for name in changer.needs(list(plan)):
        if name not in table.column_names:
            raise invalid(name, f"there is no column {name}", f"沒有欄位 {name}")
    changed = changer.change(table)
    changer.finish()
    return changed


def batches(
    source: reading.Source, names: Sequence[str], plan: Mapping[str, Transform], ring: KeyRing | None = None
) -> Iterator[pa.RecordBatch]:
    """The named columns of a source as `plan` changes them, in batches; those of a plan that are not named are not."""
    own = {name: transform for name, transform in plan.items() if name in names}
    if not own:
        yield from reading.batches(source, names)
        return
    changer = Changer(own, ring)
    there = reading.columns(source)
    for name in changer.needs(names):
        if name not in there:
            raise invalid(name, "a table has no such column", "資料表沒有此欄位")
    for batch in reading.batches(source, changer.needs(names)):
        yield from changer.change(batch).select(list(names)).combine_chunks().to_batches()
    changer.finish()


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole
