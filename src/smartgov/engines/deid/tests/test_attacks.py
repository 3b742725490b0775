"""Each attack finds the leak that was planted for it, and lets the good release pass."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from smartgov.engines.deid import attacks
from smartgov.engines.deid.attacks import (
    Target,
    Thresholds,
    composition,
    differencing,
    freetext,
    homogeneity,
    linkage,
    minimality,
    models,
    roworder,
    skewness,
    undeclared,
)
from smartgov.engines.deid.tests import plants
from smartgov.shared.tw import national_id


@pytest.fixture(scope="module")
def good() -> Target:
    return plants.target()


def _mask(table: pa.Table, **values: str) -> list[bool]:
    return [all(row[name] == value for name, value in values.items()) for row in table.to_pylist()]


def test_a_good_release_passes_every_attack(good: Target) -> None:
    heard: list[str] = []
    findings = attacks.run_all(
        good, outside=plants.town().select(["name", "age", "sex", "town"]), progress=heard.append
    )
    assert [finding.sentence.en for finding in findings if not finding.passed] == []
    assert heard == list(attacks.NAMES)
    assert {finding.attack for finding in findings if not finding.ran} == {"minimality", "differencing", "composition"}


def test_models_count_a_class_below_k(good: Target) -> None:
    few = [i for i, hit in enumerate(_mask(good.release, age="20-29", sex="f", town="63")) if hit][4:]
    kept = [i for i in range(good.release.num_rows) if i not in set(few)]
    small = models.run(plants.target(release=good.release.take(kept)))[0]
    assert (small.passed, small.measured, small.evidence["rows_below_k"]) == (False, 4, 4)
    assert models.run(plants.target(thresholds=Thresholds(k=5, l=7)))[1].passed is False


def test_linkage_finds_the_only_person_of_a_class() -> None:
    source = plants.town()
    ages = source["age"].to_pylist()
    lonely = plants.changed(source, "age", ["69", *("25" if age >= "60" else age for age in ages[1:])])
    found = linkage.run(plants.target(source=lonely, release=plants.released(lonely)))[0]
    assert not found.passed
    assert found.evidence["people_with_one_row"] == 1


def test_linkage_uses_an_outside_file_with_a_column_that_nobody_declared(good: Target) -> None:
    source = plants.town()
    left_in = plants.released(source, shuffle=False).append_column("born", source["born"])
    outside = source.select(["name", "age", "sex", "born"])
    assert linkage.run(plants.target(release=left_in), outside)[0].passed is False
    assert linkage.run(good, outside)[0].passed


def test_homogeneity_finds_a_class_with_one_value(good: Target) -> None:
    inside = _mask(good.release, age="30-39", sex="m", town="65")
    values = ["gout" if hit else value for hit, value in zip(inside, good.release["ailment"].to_pylist(), strict=True)]
    found = homogeneity.run(plants.target(release=plants.changed(good.release, "ailment", values)))[0]
    assert not found.passed
    assert found.measured == sum(inside)


def test_a_value_that_nearly_everybody_has_is_no_homogeneity(good: Target) -> None:
    values = ["none"] * (good.release.num_rows - 3) + ["flu"] * 3
    release = plants.changed(good.release, "ailment", values)
    found = homogeneity.run(plants.target(release=release))[0]
    assert found.passed
    assert found.evidence["classes_with_the_common_value"] > 0


def test_skewness_finds_a_rare_value_that_becomes_likely(good: Target) -> None:
    inside = _mask(good.release, age="40-49", sex="f", town="63")
    values = ["hiv" if hit and number % 3 else value for number, (hit, value) in
              enumerate(zip(inside, good.release["ailment"].to_pylist(), strict=True))]  # fmt: skip
    bad = plants.changed(good.release, "ailment", values)
    found = skewness.run(plants.target(release=bad))[0]
    assert not found.passed
    assert found.evidence["classes"] == 1
    assert homogeneity.run(plants.target(release=bad))[0].passed


def test_skewness_holds_a_release_to_the_policys_t(good: Target) -> None:
    far = skewness.run(good)[0].evidence["largest_t"]
    assert 0 < far < 0.3
    assert skewness.run(plants.target(thresholds=Thresholds(t=far + 0.001)))[0].passed
    assert not skewness.run(plants.target(thresholds=Thresholds(t=far - 0.001)))[0].passed


def test_minimality_names_the_only_group_that_can_have_failed() -> None:
    # Town b alone would be 20 people with one ailment; so the release says "all", and that says it.
    people = [("a", "flu" if n % 2 else "burn") for n in range(15)] + [("b", "gout")] * 20
    source = pa.table({"town": [place for place, _ in people], "ailment": [value for _, value in people]})
    release = pa.table({"town": ["all"] * 35, "ailment": source["ailment"]})
    up = pa.table({"value": ["a", "b"], "label": ["all", "all"]})
    same = pa.table({"value": ["a", "b"], "label": ["a", "b"]})

    def told(release: pa.Table, source: pa.Table) -> bool:
        one = Target(release, source, ("town",), ("ailment",), labels={"town": up}, finer={"town": same},
                     thresholds=Thresholds(k=5, l=2, belief=0.9))  # fmt: skip
        return minimality.run(one)[0].passed

    assert told(release, source)  # both towns could be all gout, half of the belief each
    larger = pa.concat_tables([source, pa.table({"town": ["a"] * 30, "ailment": ["flu", "burn"] * 15})])
    assert not told(pa.table({"town": ["all"] * 65, "ailment": larger["ailment"]}), larger)


def test_differencing_subtracts_two_months(good: Target) -> None:
    source = plants.town()
    later = source.slice(2)
    one = plants.target(source=later, release=plants.released(later), name="second")
    found = differencing.run(one, [good])[0]
    assert not found.passed
    assert found.measured == 2
    assert found.evidence["sensitive_values_told"]["ailment"] >= 1
    again = plants.target(release=plants.released(source, seed=5), name="again")
    assert differencing.run(again, [good])[0].passed


def test_differencing_compares_releases_of_different_levels(good: Target) -> None:
    source = plants.town()
    later = source.slice(1)
    rows = plants.released(later)
    coarse = plants.changed(rows, "age", ["all"] * rows.num_rows)
    ages = plants.labels()["age"]
    up = {**plants.labels(), "age": pa.table({"value": ages["value"], "label": ["all"] * len(ages)})}
    found = differencing.run(plants.target(source=later, release=coarse, labels=up), [good])[0]
    assert found.measured == 1


def test_composition_finds_small_classes_on_the_join() -> None:
    source = plants.town(600)
    rows = source.to_pylist()
    ages = sorted({row["age"] for row in rows})
    exact_age = pa.table(
        {"age": [r["age"] for r in rows], "sex": ["*"] * 600, "town": ["*"] * 600, "ailment": source["ailment"]}
    )
    exact_town = pa.table(
        {"age": ["all"] * 600, "sex": source["sex"], "town": source["town"], "ailment": source["ailment"]}
    )
    any_sex = pa.table({"value": ["f", "m"], "label": ["*", "*"]})
    any_town = pa.table({"value": list(plants.TOWNS), "label": ["*"] * 5})
    by_age = plants.target(source, exact_age, labels={"sex": any_sex, "town": any_town}, thresholds=Thresholds(k=3))
    any_age = {"age": pa.table({"value": ages, "label": ["all"] * len(ages)})}
    by_town = plants.target(source, exact_town, labels=any_age, thresholds=Thresholds(k=3), name="by town")
    found = composition.run(by_age, [by_town])
    assert models.run(by_age)[0].passed
    assert models.run(by_town)[0].passed
    assert not found[0].passed
    assert found[0].evidence["k_on_the_join"] < 3
    assert composition.run(plants.target(), [plants.target()])[0].passed


def test_composition_intersects_sensitive_values() -> None:
    # Class {flu, burn} in one release and {flu, gout} in the other leaves flu.
    source = pa.table(
        {"a": ["1", "1", "2", "2"], "b": ["x", "y", "x", "y"], "ailment": ["flu", "burn", "gout", "gout"]}
    )
    first = Target(source.select(["a", "ailment"]), source, ("a",), ("ailment",), thresholds=Thresholds(k=1))
    second = Target(source.select(["b", "ailment"]), source, ("b",), ("ailment",), thresholds=Thresholds(k=1), name="b")
    found = composition.run(first, [second])[1]
    assert not found.passed
    assert found.measured == 2  # of class a=1: x leaves flu (b=x: flu, gout), y leaves burn (b=y: burn, gout)


def test_composition_does_not_pass_over_a_release_that_it_cannot_join(good: Target) -> None:
    source = plants.town().drop_columns(["town"])
    release = good.release.drop_columns(["town"])
    found = composition.run(plants.target(source, release, quasi=("age", "sex")), [good])
    assert [one.passed for one in found] == [True, False]
    assert found[1].evidence["columns"] == ["town"]


@pytest.mark.parametrize("order", [None, "born", "id"])
def test_row_order_is_found_whatever_the_file_was_sorted_by(order: str | None) -> None:
    source = plants.town()
    sorted_source = source if order is None else source.sort_by(order)
    bad = plants.released(sorted_source, shuffle=False)
    found = roworder.run(plants.target(source=source, release=bad))[0]
    assert not found.passed
    grouped = bad.sort_by([("age", "ascending"), ("town", "ascending"), ("sex", "ascending")])
    assert not roworder.run(plants.target(source=source, release=grouped))[0].passed


def test_a_shuffled_release_hides_the_order(good: Target) -> None:
    assert roworder.run(good)[0].passed
    assert roworder.run(good)[0].ran


LEAKS = {
    "national_id": f"身分證 {national_id.make(12345, 2)}",
    "resident_id": "居留證 A800000014",
    "phone": "請回電 ０９１２-３４５-６７８",
    "mail": "回覆 lin@example.tw",
    "card": "卡號 4111 1111 1111 1111",
    "address": "住中正路二段12巷3號4樓",
    "name": "家屬陳大文先生陪同",
}


@pytest.mark.parametrize("kind", LEAKS)
def test_free_text_leaks_are_found(good: Target, kind: str) -> None:
    remarks = good.release["remark"].to_pylist()
    remarks[17] = LEAKS[kind]
    found = freetext.run(plants.target(release=plants.changed(good.release, "remark", remarks)))[0]
    assert not found.passed
    assert {"column": "remark", "kind": kind, "rows": 1} in found.evidence["found"]
    assert LEAKS[kind] not in str(found.as_dict())


def test_a_name_of_the_source_is_found_without_any_title(good: Target) -> None:
    name = plants.town()["name"][3].as_py()
    remarks = [f"由{name}代領", *good.release["remark"].to_pylist()[1:]]
    found = freetext.run(plants.target(release=plants.changed(good.release, "remark", remarks)))[0]
    assert [one["kind"] for one in found.evidence["found"]] == ["known"]


@pytest.mark.parametrize(
    "text",
    [
        "A123456788",
        "編號 A12345678",
        "1234567890123456",
        "王先生",
        "第 0912 號函",
        "民國115年11月2日",
        "2026-11-28",
        "急診",
    ],
)
def test_what_is_nobodys_data_is_let_pass(text: str) -> None:
    assert freetext.kinds(text) == set()


def test_an_identifying_column_left_in_is_found(good: Target) -> None:
    source = plants.town()
    bad = plants.released(source, shuffle=False).append_column("amount", pc.multiply(source["born"], 1.01))
    found = undeclared.run(plants.target(release=bad.append_column("id", source["id"])))[0]
    assert not found.passed
    assert "id" in found.evidence["columns"]
    serial = good.release.append_column("pseudonym", [[f"p{n}" for n in range(good.release.num_rows)]])
    assert not undeclared.run(plants.target(release=serial))[0].passed
    assert undeclared.run(plants.target(release=serial), {"pseudonym"})[0].passed
