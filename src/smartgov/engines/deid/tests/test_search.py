"""The search against brute force: the same optimum for every model, metric and limit, on tables that are small."""

from __future__ import annotations

from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.deid import lattice, tally
from smartgov.engines.deid.classes import classes_of
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.metrics import METRICS, Ground
from smartgov.engines.deid.models import (
    DeltaDisclosure,
    DistinctL,
    EntropyL,
    KAnonymity,
    Model,
    RecursiveL,
    TCloseness,
    holding,
)
from smartgov.engines.deid.search import optimal
from smartgov.engines.deid.search.optimal import Limits, Outcome, Search, Task
from smartgov.shared.problems import Problem

TREES = (
    Hierarchy.of("a", [[f"a{i}", f"b{i // 2}", "*"] for i in range(6)]),
    Hierarchy.of("b", [[f"c{i}", f"d{i // 3}", f"e{i // 6}", "*"] for i in range(9)]),
    Hierarchy.flat("c", ["x", "y", "z"]),
    Hierarchy.intervals("d", 0, 7, [2, 4]),
)
SENSITIVE = 4
MODELS: dict[str, tuple[Model, ...]] = {
    "k": (KAnonymity(3),),
    "l": (DistinctL("s", 2),),
    "entropy": (KAnonymity(2), EntropyL("s", 1.8)),
    "recursive": (RecursiveL("s", 2.0, 2),),
    "t": (KAnonymity(2), TCloseness("s", 0.4)),
    "ordered": (TCloseness("s", 0.3, "ordered"),),
    "delta": (KAnonymity(2), DeltaDisclosure("s", 1.5)),
}


def task_of(rows: int, seed: int, models: tuple[Model, ...], metric: str, limit: float) -> Task:
    """A random table, skewed so that some combinations are common."""
    draw = np.random.default_rng(seed)
    columns = [np.minimum(draw.geometric(0.35, rows) - 1, tree.size(0) - 1) for tree in TREES]
    sensitive = tuple(dict.fromkeys(model.sensitive for model in models if model.sensitive))
    sizes = [*(tree.size(0) for tree in TREES), *([SENSITIVE] * len(sensitive))]
    key = np.zeros(rows, dtype=np.int64)
    for column, size in zip([*columns, *(draw.integers(0, SENSITIVE, rows) for _ in sensitive)], sizes, strict=True):
        key = key * size + column
    keys, counts = tally.grouped(key, None, prod(sizes))
    marginals = tuple(np.bincount(c, minlength=t.size(0)) for c, t in zip(columns, TREES, strict=True))
    base = tally.of_keys((0,) * len(TREES), sizes, keys, counts)
    return Task(Ground(rows, TREES, marginals), base, models, METRICS[metric], int(limit * rows), sensitive)


def brute(task: Task) -> float:
    """The least cost over all nodes, one by one; infinite when none is anonymous."""
    best = float("inf")
    for node in product(*(range(tree.levels) for tree in TREES)):
        classes = classes_of(tally.roll(task.base, node, TREES), task.sensitive)
        held = holding(task.models, classes)
        if int(classes.sizes[~held].sum()) <= task.most_suppressed:
            best = min(best, task.metric.score(task.ground, classes, held))
    return best


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(5, 120),
    models=st.sampled_from(sorted(MODELS)),
    metric=st.sampled_from(sorted(METRICS)),
    limit=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_the_optimum_is_that_of_trying_all(seed: int, rows: int, models: str, metric: str, limit: float) -> None:
    task = task_of(rows, seed, MODELS[models], metric, limit)
    found = Search(task).run()
    expected = brute(task)
    assert found.complete
    if expected == float("inf"):
        assert found.node is None
        return
    assert found.node is not None
    assert found.cost == pytest.approx(expected, rel=1e-9)
    assert found.gap == pytest.approx(0)


@pytest.mark.parametrize("dense", [0, 1 << 22])
def test_arrays_and_rolled_tables_find_the_same(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimal, "DENSE_CELLS", dense)
    task = task_of(400, 7, MODELS["k"], "discernibility", 0.05)
    assert Search(task).run().cost == brute(task)


@given(seed=st.integers(0, 1000), k=st.integers(2, 6), most=st.integers(0, 60))
def test_the_outlook_never_promises_too_much(seed: int, k: int, most: int) -> None:
    task = task_of(150, seed, (KAnonymity(k),), "discernibility", 0.0)
    grid = lattice.Lattice(TREES)
    view = lattice.outlook(grid, task.base, k, most)
    for number in range(0, len(grid), 5):
        classes = classes_of(tally.roll(task.base, grid.node(number), TREES))
        assert view.failing[number] <= int(classes.sizes[classes.sizes < k].sum())
        assert view.squares[number] <= classes.squares * (1 + 1e-9)
        assert view.classes[number] >= classes.inhabited * (1 - 1e-9)


@given(data=st.data(), seed=st.integers(0, 1000), cells=st.sampled_from([0, 50, 1 << 20]))
def test_counts_by_a_few_attributes_are_those_of_the_rows(data: st.DataObject, seed: int, cells: int) -> None:
    """Whatever is kept in between, and however much of it."""
    base = task_of(80, seed, (KAnonymity(2),), "discernibility", 0.0).base
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "_MOST_CELLS", cells)
        patch.setattr(lattice, "_KEPT_BYTES", 8 * cells)
        counter = lattice._Counter(TREES, base, (0,) * len(TREES))
        for _ in range(4):
            chosen = sorted(data.draw(st.sets(st.integers(0, len(TREES) - 1), min_size=1, max_size=3)))
            levels = [data.draw(st.integers(0, TREES[a].height)) for a in chosen]
            node = [tally.GONE] * len(TREES)
            for a, level in zip(chosen, levels, strict=True):
                node[a] = level
            rolled = tally.roll(base, tuple(node), TREES)
            expected = np.zeros([TREES[a].size(level) for a, level in zip(chosen, levels, strict=True)])
            expected.ravel()[rolled.keys()] = rolled.counts
            assert np.array_equal(counter.counts(chosen, levels), expected)


def test_stopping_early_tells_a_bound_that_holds() -> None:
    task = task_of(300, 3, MODELS["k"], "discernibility", 0.02)
    steps = 0

    def stop() -> bool:
        nonlocal steps
        steps += 1
        return steps > 3

    early = Search(task, cancelled=stop).run()
    best = brute(task)
    assert not early.complete
    assert early.bound <= best
    assert early.cost >= best


def test_resuming_ends_where_an_uninterrupted_run_ends(tmp_path: Path) -> None:
    task = task_of(300, 5, MODELS["entropy"], "discernibility", 0.05)
    whole = Search(task).run()
    state, runs = tmp_path / "state.npz", 0
    found: Outcome | None = None
    while found is None or not found.complete:
        left = 2
        runs += 1

        def stop() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        found = Search(task, cancelled=stop, saved=state).run()
        assert runs < 500
    assert runs > 1
    assert (found.node, found.cost) == (whole.node, whole.cost)


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    Search(task_of(100, 1, MODELS["k"], "discernibility", 0.0), saved=state).run()
    with pytest.raises(Problem) as caught:
        Search(task_of(100, 2, MODELS["k"], "discernibility", 0.0), saved=state).run()
    assert caught.value.slug == "deid-state-of-another-run"


def test_a_gap_that_is_good_enough_ends_the_search() -> None:
    task = task_of(600, 11, MODELS["k"], "discernibility", 0.05)
    found = Search(task, Limits(gap=0.9)).run()
    assert found.node is not None
    assert found.gap <= 0.9
    assert found.bound <= brute(task) <= found.cost


def test_too_large_a_lattice_is_refused() -> None:
    tree = Hierarchy.intervals("n", 0, 63, [2, 4, 8, 16, 32])
    with pytest.raises(Problem) as caught:
        lattice.Lattice((tree,) * 10)
    assert caught.value.slug == "deid-lattice-too-large"
