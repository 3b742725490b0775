"""A small random frame, by the contract alone: no column need be plausible, each may be unknown."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from smartgov.engines.rules.sweep import SweepMap

ON = date(2026, 11, 1)
CODES = {
    "nationality": ("tw", "cn", "vn"),
    "education": (
        *("none", "primary", "junior", "senior", "vocational"),
        *("junior_college", "bachelor", "master", "doctor"),
    ),
    "study_field": ("none", "business", "civil", "architecture"),
    "school_level": ("none", "kindergarten", "primary", "junior", "senior", "university"),
    "low_income": ("none", "low", "middle_low"),
    "disability": ("none", "mild", "moderate", "severe", "profound"),
    "circumstance": ("none", "spouse_dead_or_missing", "domestic_violence", "unmarried_pregnant", "single_parent"),
    "placement": ("none", "public", "quasi_public", "public_placement"),
    "company_kind": ("none", "other", "construction"),
    "construction_grade": ("none", "a", "b", "c", "specialised", "earth"),
    "sd_exam": ("none", "ordinary", "technician", "specialist"),
    "deceased_insurance": ("none", "bli", "np", "fi"),
}
_FLAGS = (
    "last_birth_premature school_repeating bli_insured left_involuntary np_insured fi_insured public_pension home_own",
    "home_registered home_let land_urban land_self_use_granted sd_course_passed cause_of_death_known",
)
FLAGS = frozenset(" ".join(_FLAGS).split())
WIDE = frozenset(("person", "household", "mother", "father", "spouse", "household_income", "household_property"))


def write_frame(folder: Path, mapping: SweepMap, *, people: int = 250, seed: int = 1, parts: int = 2) -> None:
    """`folder/frame/*.parquet`, `country.json` and `townships.parquet` with every column that `mapping` reads."""
    chance = random.Random(seed)
    (folder / "frame").mkdir(parents=True)
    (folder / "country.json").write_text(json.dumps({"codes": CODES}), encoding="utf-8")
    places = {"code": [1, 2], "county_code": [1, 2], "county": ["雲林縣", "臺北市"], "township": ["斗六市", "信義區"]}
    places |= {"county_en": ["Yunlin County", "Taipei City"], "township_en": ["Douliu", "Xinyi"]}
    pq.write_table(pa.table(places), folder / "townships.parquet")
    names = sorted(mapping.columns() | {"county", "township", "income_decile", "birth_date"})
    for part in range(parts):
        ids = range(part * 100_000, part * 100_000 + people)
        columns = {name: pa.array([_cell(chance, name, each, ids) for each in ids], _type(name)) for name in names}
        pq.write_table(pa.table(columns), folder / "frame" / f"part-{part:04d}.parquet")


def _type(name: str) -> pa.DataType:
    if name in FLAGS or name.startswith("paid_"):
        return pa.bool_()
    if name in CODES or name in ("county", "income_decile"):
        return pa.int8()
    if _dated(name):
        return pa.date32()
    return pa.int64() if name in WIDE else pa.int32()


def _dated(name: str) -> bool:
    return name.endswith(("_date", "_from", "_on", "_since", "_birth")) and name != "bli_days_before_birth"


def _cell(chance: random.Random, name: str, person: int, ids: range) -> object:
    if name == "person":
        return person
    if chance.random() < 0.15:
        return None
    if name in CODES:
        # The first words, "none" and "tw" among them, are the most frequent, as they are in life.
        return min(chance.randrange(len(CODES[name])), chance.randrange(len(CODES[name])))
    if _type(name) == pa.bool_():
        return chance.random() < 0.5
    if _dated(name):
        return _day(chance, name)
    if name in ("mother", "father", "spouse", "household"):
        return chance.choice(ids)
    return _number(chance, name)


def _day(chance: random.Random, name: str) -> date:
    if name == "death_date":
        return ON - timedelta(days=chance.randrange(700)) if chance.random() < 0.5 else ON + timedelta(days=40)
    years = 90 if name == "birth_date" else 8
    return ON + timedelta(days=20 - int(chance.random() ** 3 * years * 365))


def _number(chance: random.Random, name: str) -> int:
    if name in ("county", "township", "income_decile"):
        return chance.randint(1, 2)
    if "amount" in name or "wage" in name:
        return chance.choice([11_100, 19_761, 29_500, 33_333, 45_800])
    if name.startswith(("household_income", "income", "household_property", "land_value", "construction_turnover")):
        return chance.choice([0, 499_999, 500_000, 1_326_996, 4_999_999, 5_000_000, 300_000_000])
    if "days" in name:
        return chance.choice([0, 180, 181, 183, 184, 279, 280, 364, 365, 3_000, 5_474, 5_475, 12_000])
    if name == "land_area_m2":
        return chance.choice([0, 1, 120, 300, 301, 700, 701])
    if name in ("elder_children", "birth_order", "months_paid"):
        return chance.randrange(4)
    return chance.randrange(12)
