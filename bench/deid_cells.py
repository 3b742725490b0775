"""How long small-cell suppression takes with its proof, by the size and the sparsity of the table.

Every table that comes out is audited again as a stranger's, from the published cells alone: no suppressed cell may be
worked out.
"""

from __future__ import annotations

from time import perf_counter, process_time

import numpy as np

from smartgov.engines.deid import cells

THRESHOLD = 5
# Cells along each dimension, and the median count of a cell: 368 townships, 22 counties, 20 age bands, 2 sexes.
TABLES = (
    ("22 counties x 20 ages x 2 sexes", (22, 20, 2), 30.0),
    ("368 townships x 20 ages, few small", (368, 20), 40.0),
    ("368 townships x 20 ages", (368, 20), 14.0),
    ("368 townships x 20 ages, half small", (368, 20), 4.0),
    ("368 townships x 20 ages x 2 sexes", (368, 20, 2), 30.0),
)


def main() -> None:
    """Print cells, suppressed cells, programs and seconds of each table."""
    heads = f"{'cells':>7}{'small':>7}{'cover':>7}{'programs':>10}{'wall s':>8}{'CPU s':>7}"
    print(f"{'table':<38}{heads}  audit of the result")
    for name, shape, median in TABLES:
        table = _table(shape, median)
        wall, cpu = perf_counter(), process_time()
        made = cells.suppress(table, cells.Rules(threshold=THRESHOLD))
        wall, cpu = perf_counter() - wall, process_time() - cpu
        told = made.evidence()
        print(
            f"{name:<38}{told['cells']:>7}{told['primary']:>7}{told['complementary']:>7}{told['linear_programs']:>10}"
            f"{wall:>8.2f}{cpu:>7.2f}  {_audited(made)}",
            flush=True,
        )


def _table(shape: tuple[int, ...], median: float) -> cells.Tabulated:
    draw = np.random.default_rng(2026)
    values = draw.poisson(draw.lognormal(np.log(median), 0.7, shape)).astype(float)
    for axis in range(len(shape)):
        values = np.concatenate([values, values.sum(axis=axis, keepdims=True)], axis=axis)
    labels = tuple((*(f"{size}-{n}" for n in range(size)), cells.TOTAL) for size in shape)
    cube = cells.Cube(tuple("abc"[: len(shape)]), labels, (True,) * len(shape), values)
    return cells.Tabulated(cube, values.astype(np.int64), None, counts=True)


def _audited(made: cells.Suppressed) -> str:
    names = list(made.cube.names)
    if made.mask.sum() > 2500:
        return "skipped: more than 2,500 intervals"
    cube, hidden = cells.read_published(made.table("people"), names, value="people")
    started = perf_counter()
    sensitive = {tuple(cube.place(int(cell)).values()) for cell in np.flatnonzero(made.primary.mask)}
    findings = [f for f in cells.audit(cube, hidden, floor=1) if tuple(f.place.values()) in sensitive]
    if findings:
        raise SystemExit(f"a small cell can be worked out: {findings[0]}")
    return f"no small cell can be worked out ({perf_counter() - started:.2f} s)"


if __name__ == "__main__":
    main()
