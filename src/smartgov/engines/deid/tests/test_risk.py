"""Risk by hand-counted classes, uniqueness against populations whose truth is known, and quasi-identifier finding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid import quasi, risk, uniqueness
from smartgov.engines.deid.risk import Sizes
from smartgov.engines.deid.tests import plants
from smartgov.shared.problems import Problem

RELEASE = pa.table({"age": ["1", "1", "1", "2", "2", "*"], "sex": ["f", "f", "f", "m", "m", "*"]})
FRAME = pa.table({"age": ["1"] * 10 + ["2"] * 4, "sex": ["f"] * 10 + ["m"] * 4})


def test_prosecutor_by_hand_without_the_suppressed_row() -> None:
    found = risk.measure(RELEASE, ["age", "sex"], threshold=0.4)
    assert (found.rows, found.classes, found.k, found.suppressed) == (5, 2, 2, 1)
    assert (found.prosecutor.highest, found.prosecutor.average) == (0.5, pytest.approx(2 / 5))
    assert found.prosecutor.at_risk == pytest.approx(2 / 5)
    assert found.marketer == pytest.approx(2 / 5)
    assert found.journalist == found.prosecutor
    assert not found.framed


def test_journalist_and_marketer_by_hand_with_a_frame() -> None:
    found = risk.measure(RELEASE, ["age", "sex"], threshold=0.2, frame=FRAME)
    assert found.framed
    assert found.journalist.highest == pytest.approx(1 / 4)
    assert found.marketer == pytest.approx((3 / 10 + 2 / 4) / 5)
    assert found.journalist.average == pytest.approx(max(2 / 14, (3 / 10 + 2 / 4) / 5))
    assert found.journalist.at_risk == pytest.approx(2 / 5)


def test_a_frame_that_is_smaller_than_the_release_is_refused() -> None:
    with pytest.raises(Problem, match="frame-too-small"):
        risk.measure(RELEASE, ["age", "sex"], frame=FRAME.slice(0, 11))
    with pytest.raises(Problem, match="release-empty"):
        risk.measure(RELEASE.slice(5), ["age", "sex"])


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_sizes_agree_with_counting_one_by_one(every: list[int]) -> None:
    sizes = Sizes.of(every)
    assert (sizes.rows, sizes.classes, sizes.smallest) == (sum(every), len(every), min(every))
    assert sizes.rows_below(5) == sum(size for size in every if size < 5)
    assert 0 < quasi.distinction(sizes) <= 1
    pairs = sum(a * b for place, a in enumerate(every) for b in every[place + 1 :])
    if sum(every) > 1:
        assert quasi.separation(sizes) == pytest.approx(pairs / (sum(every) * (sum(every) - 1) / 2))
    curve = risk.curve(sizes)
    assert curve == sorted(curve)
    assert curve[0][1] == pytest.approx(1)


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.3, 0.6])
def test_population_uniqueness_is_near_the_truth_of_a_known_population(fraction: float) -> None:
    draw = np.random.default_rng(3)
    population = np.unique(draw.zipf(1.35, 60_000) % 2**40, return_inverse=True)[1]
    alone = int((np.bincount(population) == 1).sum()) / len(population)
    sample = draw.choice(population, int(fraction * len(population)), replace=False)
    counts = np.bincount(sample)
    found = uniqueness.estimate(Sizes.of(counts[counts > 0]), len(population))
    assert found.share == pytest.approx(alone, rel=0.35)
    assert found.model == ("pitman" if fraction <= 0.1 else found.model)


def test_the_whole_population_has_the_uniques_that_it_has() -> None:
    sizes = Sizes.of([1] * 30 + [2] * 20 + [5] * 6)
    assert uniqueness.estimate(sizes, sizes.rows).share == pytest.approx(30 / sizes.rows)
    assert uniqueness.estimate(Sizes.of([2, 3]), 100).share == 0


def test_snb_fits_what_a_shifted_negative_binomial_made() -> None:
    draw = np.random.default_rng(5)
    classes = 1 + draw.negative_binomial(0.5, 0.3, 40_000)
    people = np.repeat(np.arange(len(classes)), classes)
    seen = np.bincount(people[draw.random(len(people)) < 0.3])
    found = uniqueness.snb(Sizes.of(seen[seen > 0]), len(people))
    assert found == pytest.approx(int((classes == 1).sum()), rel=0.15)


def test_keys_and_roles_are_found() -> None:
    source = plants.town(3000)
    found = quasi.find(source, names=["id", "age", "sex", "town", "remark", "born"])
    roles = {one.column: one.role for one in found.suggestions}
    assert roles["id"] == "identifying"
    assert roles["age"] == "quasi"
    assert ("id",) in [key.columns for key in found.keys]
    assert all("id" not in key.columns for key in found.keys if len(key.columns) > 1)
    assert quasi.find(pa.table({"a": ["x"] * 9})).suggestions[0].role == "insensitive"


def test_a_sample_is_measured_again_on_every_row() -> None:
    source = pa.table({"n": [number % 600 for number in range(6000)], "m": [number // 2 for number in range(6000)]})
    found = quasi.find(source, sample=500, key_at=0.4)
    assert found.sampled == 500
    assert [key.columns for key in found.keys] == [("m",)]
    assert found.keys[0].distinction == 0.5
    assert quasi.find(source, sample=500, key_at=0.4).candidates == found.candidates
