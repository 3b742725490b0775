"""How near a written country comes to its targets: measured with DuckDB over the frame, as data and as a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from smartgov.engines.population import frame, margins, places


@dataclass(frozen=True, slots=True)
class Line:
    """One cell of a margin: the target, what was measured, the deviation relative to the target, and its limit."""

    margin: str
    cell: str
    target: float
    measured: float
    deviation: float
    within: bool


_AGE = "date_diff('day', birth_date, DATE '{on}') / 365.2425"
_SHARES = {
    "age_groups": ("least(floor(age / 5), 18)::INTEGER", "living", "TRUE"),
    "birth_months": ("month(birth_date) - 1", "living", "age < 20"),
    "marital_15plus": ("marital_status::INTEGER", "living", "age >= 15"),
    "education_15plus": ("education::INTEGER", "living", "age >= 15"),
    "household_size": ("least(household_size, 6)::INTEGER - 1", "living", "is_head"),
}
_VALUES = {
    "female": {
        "all": "avg((sex = 2)::INTEGER)",
        "under_15": "avg((sex = 2)::INTEGER) FILTER (age < 15)",
        "over_65": "avg((sex = 2)::INTEGER) FILTER (age >= 65)",
    },
    "insured": {name: f"avg({name}_insured::INTEGER)" for name in ("bli", "fi", "np")},
    "unemployed": {
        "all": "avg((left_job_on IS NOT NULL AND NOT bli_insured AND age BETWEEN 18 AND 65"
        " AND left_job_on > DATE '{on}' - 180)::INTEGER)"
    },
    "welfare": {
        "low": "avg((low_income = 1)::INTEGER)",
        "middle_low": "avg((low_income = 2)::INTEGER)",
        "disabled": "avg((disability > 0)::INTEGER)",
    },
    "vehicles": {"all": "avg(vehicles)"},
    "companies": {"all": "avg(company_role)"},
}


def measure(folder: Path, on: str) -> list[Line]:
    """Every cell of every target, measured on the frame in `folder` (a country's folder) on the day `on` (ISO)."""
    with duckdb.connect() as db:
        source = str(folder / "frame" / "*.parquet").replace("'", "''")
        db.execute(
            f"CREATE VIEW everybody AS SELECT *, {_AGE.format(on=on)} AS age"  # noqa: S608 - our path
            f" FROM read_parquet('{source}')"
        )
        db.execute("CREATE VIEW living AS SELECT * FROM everybody WHERE death_date IS NULL")
        lines = [line for name, spec in _SHARES.items() for line in _shares(db, name, *spec)]
        lines += [line for name, cells in _VALUES.items() for line in _values(db, name, cells, on)]
        lines += _rates(db, on) + _wages(db) + _homes(db) + _counties(db)
    return lines


def _line(margin: str, cell: str, target: float, measured: float | None) -> Line:
    found = float(measured or 0)
    deviation = found / target - 1 if target else 0.0
    return Line(margin, cell, target, found, deviation, abs(deviation) <= margins.TARGETS[margin]["tolerance"])


def _shares(db: Any, name: str, code: str, view: str, condition: str) -> list[Line]:
    query = f"SELECT {code} AS cell, count(*) FROM {view} WHERE {condition} GROUP BY cell"  # noqa: S608 - constants above
    counted = dict(db.execute(query).fetchall())
    total, target = sum(counted.values()) or 1, margins.TARGETS[name]["values"]
    whole = sum(target)
    return [_line(name, _label(name, at), share / whole, counted.get(at, 0) / total) for at, share in enumerate(target)]


def _label(name: str, at: int) -> str:
    if name == "age_groups":
        return f"{at * 5}-{at * 5 + 4}"
    if name == "marital_15plus":
        return frame.CODES["marital_status"][at]
    if name == "education_15plus":
        return frame.CODES["education"][at]
    return str(at + 1)


def _values(db: Any, name: str, cells: dict[str, str], on: str) -> list[Line]:
    wanted = ", ".join(expression.format(on=on) for expression in cells.values())
    found = db.execute(f"SELECT {wanted} FROM living").fetchone()  # noqa: S608 - constants above
    target = margins.TARGETS[name]["values"]
    return [_line(name, cell, target[cell], value) for cell, value in zip(cells, found, strict=True)]


def _rates(db: Any, on: str) -> list[Line]:
    found = db.execute(
        "SELECT count(*) FILTER (death_date IS NULL),"
        " count(*) FILTER (death_date IS NOT NULL) / 2,"
        " count(*) FILTER (death_date IS NULL AND age < 3) / 3 FROM everybody"
    ).fetchone()
    living = found[0] or 1
    return [
        _line("deaths_per_1000", "all", margins.TARGETS["deaths_per_1000"]["values"]["all"], found[1] / living * 1000),
        _line("births_per_1000", "all", margins.TARGETS["births_per_1000"]["values"]["all"], found[2] / living * 1000),
    ]


def _wages(db: Any) -> list[Line]:
    """Earnings of those insured through the whole last year."""
    tenths = [at / 10 for at in range(1, 10)]
    found = (
        db.execute(
            f"SELECT quantile_cont(income, {tenths}) FROM living"  # noqa: S608 - numbers
            " WHERE bli_insured AND ei_days_3y > 730 AND income > 250000"
        ).fetchone()[0]
        or [0.0] * 9
    )
    target = margins.TARGETS["wage_deciles"]["values"]
    return [
        _line("wage_deciles", f"D{at}", limit, value)
        for at, (limit, value) in enumerate(zip(target, found, strict=True), 1)
    ]


def _homes(db: Any) -> list[Line]:
    found = db.execute(
        "SELECT avg(owned::INTEGER) FROM"
        " (SELECT bool_or(home_own AND home_registered) AS owned FROM living GROUP BY household)"
    ).fetchone()
    return [_line("home_own", "all", margins.TARGETS["home_own"]["values"]["all"], found[0])]


def _counties(db: Any) -> list[Line]:
    """Counties' shares; a county may be a village and a half away from its own, which a small country cannot help."""
    counted = dict(db.execute("SELECT county, count(*) FROM living GROUP BY county").fetchall())
    each, total = places.places(), sum(counted.values()) or 1
    shares = [0.0] * len(each.counties)
    for at, county in enumerate(each.county):
        shares[int(county)] += float(each.edges[at + 1] - each.edges[at])
    villages = db.execute("SELECT count(DISTINCT village) FROM living").fetchone()[0]
    lines = [
        _line("townships", each.counties_en[at], share, counted.get(at + 1, 0) / total)
        for at, share in enumerate(shares)
    ]
    return [replace(one, within=one.within or abs(one.measured - one.target) < 1.5 / villages) for one in lines]


def write(folder: Path, on: str) -> list[Line]:
    """Measure, and write report.json and report.md into the country's folder."""
    lines = measure(folder, on)
    about = {
        name: {key: value for key, value in target.items() if key != "values"}
        for name, target in margins.TARGETS.items()
    }
    content = {"on": on, "targets": about, "lines": [asdict(line) for line in lines], "dirt": margins.DIRT}
    (folder / "report.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(lines), encoding="utf-8")
    return lines


def as_markdown(lines: list[Line]) -> str:
    """The report as a table for people, with the source of each margin."""
    found = ["# Margins of the synthetic country 模擬國家的邊際分布", ""]
    for name, target in margins.TARGETS.items():
        source = target["source"]
        checked = "verified 已查證" if target["verified"] else "rounded, not verified 約略值，未查證"
        found += [f"## {name}", "", f"{source['zh']} / {source['en']}, {target['year']}; {checked}.", ""]
        found += ["| cell | target | measured | deviation | |", "|---|---:|---:|---:|---|"]
        found += [
            f"| {line.cell} | {line.target:,.4g} | {line.measured:,.4g} | {line.deviation:+.1%} |"
            f" {'' if line.within else 'outside ' + format(target['tolerance'], '.0%')} |"
            for line in lines
            if line.margin == name
        ]
        found.append("")
    return "\n".join(found)
