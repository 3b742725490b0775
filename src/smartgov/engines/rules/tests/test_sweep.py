"""A sweep in SQL says of every person what Python says of that person, and counts and writes just that."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import duckdb
import psycopg
import pytest
import yaml

from smartgov.engines import rules
from smartgov.engines.expr import POSTGRESQL
from smartgov.engines.rules import commands, sweep
from smartgov.engines.rules.sql import OUTCOMES, check_sql
from smartgov.engines.rules.sweep import run
from smartgov.engines.rules.sweep.frame import decoded
from smartgov.engines.rules.tests.frames import ON, write_frame
from smartgov.shared import content
from smartgov.shared import settings as platform
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

BOOK = rules.load(content.ROOT)
MAP = sweep.load_mapping(content.ROOT, BOOK)


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    write_frame(folder, MAP, seed=7)
    return folder


def python_answers(frame: sweep.Frame, on: date = ON, book: rules.RuleBook = BOOK) -> dict[tuple[int, str], Any]:
    """(person, rule) -> (outcome, amount, paid) by the Python decision, part by part."""
    found = {}
    for part in frame.parts:
        with duckdb.connect() as base:
            cursor = base.execute(f"SELECT * FROM read_parquet('{part}')")
            names = [column[0] for column in cursor.description]
            rows = [decoded(dict(zip(names, row, strict=True)), frame.columns) for row in cursor.fetchall()]
        for row in MAP.gather(rows, on):
            for rule, each in MAP.rules.items():
                decision = each.answer(book, row, on)
                if decision is not None:
                    amount = decision.values.get(each.amount) if each.amount else None
                    found[row["person"], rule] = (decision.outcome, amount, row.get(each.paid or ""))
    return found


def sql_answers(frame: sweep.Frame, on: date = ON) -> dict[tuple[int, str], Any]:
    found = {}
    for part in frame.parts:
        load, columns = frame.load(part, MAP, on)
        with duckdb.connect() as base:
            base.execute(f"CREATE TYPE rule_id AS ENUM ({', '.join(repr(rule) for rule in MAP.rules)})")
            base.execute(f"CREATE TEMP TABLE people AS {load}")
            asked = sweep.answers(BOOK, MAP.rules.values(), on, columns)
            for rule, person, outcome, amount, paid in base.execute(asked).fetchall():
                found[person, rule] = (OUTCOMES[outcome], amount, paid)
    return found


def test_duckdb_agrees_with_python_on_every_person_and_rule(country):
    frame = sweep.open_frame(country)
    ours, theirs = sql_answers(frame), python_answers(frame)
    assert set(ours) == set(theirs)
    wrong = {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}
    assert not wrong, list(wrong.items())[:5]
    outcomes = Counter((rule, outcome) for (_, rule), (outcome, _, _) in ours.items())
    asked = {rule for rule, _ in outcomes}
    assert asked == set(MAP.rules)
    assert sum(1 for rule in asked if outcomes[rule, "granted"]) >= 20


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_other_people_and_other_days(tmp_path, seed):
    write_frame(tmp_path, MAP, people=120, seed=seed, parts=1)
    frame = sweep.open_frame(tmp_path)
    on = date(2027, 2, 28 - seed)
    ours, theirs = sql_answers(frame, on), python_answers(frame, on)
    assert {key: value for key, value in ours.items() if theirs.get(key) != value} == {}
    assert len(ours) == len(theirs)


@pytest.mark.enable_socket
def test_postgresql_agrees_with_python(country):
    url = platform.get("SMARTGOV_DATABASE_URL")
    if not url.startswith("postgres"):
        pytest.skip("NOT RUN: the suite has no PostgreSQL")
    frame = sweep.open_frame(country)
    theirs = python_answers(frame)
    with psycopg.connect(url) as base:
        ours = _in_postgresql(base, frame)
        base.rollback()
    assert {key: value for key, value in ours.items() if theirs.get(key) != value} == {}
    assert len(ours) == len(theirs)


def _in_postgresql(base: Any, frame: sweep.Frame) -> dict[tuple[int, str], Any]:
    types = {"number": "bigint", "boolean": "boolean", "date": "date", "text": "smallint"}
    base.execute(f"CREATE TYPE rule_id AS ENUM ({', '.join(repr(rule) for rule in MAP.rules)})")
    for number, part in enumerate(frame.parts):
        load, columns = frame.load(part, MAP, ON)
        with duckdb.connect() as duck:
            rows = duck.execute(load).fetchall()
        if not number:
            base.execute(f"CREATE TEMP TABLE people ({', '.join(f'{n} {types[c.kind]}' for n, c in columns.items())})")
        with base.cursor().copy(f"COPY people ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    asked = sweep.answers(BOOK, MAP.rules.values(), ON, columns, dialect=POSTGRESQL)
    found = base.execute(asked).fetchall()
    return {(person, rule): (OUTCOMES[outcome], amount, paid) for rule, person, outcome, amount, paid in found}


def test_every_rule_compiles_for_postgresql():
    check_sql(BOOK, POSTGRESQL)


def test_the_counts_and_the_entitled_are_those_of_the_answers(country, tmp_path):
    frame = sweep.open_frame(country)
    result = sweep.sweep(frame, BOOK, MAP, ON, out=tmp_path)
    theirs = python_answers(frame)
    for rule, count in result.rules.items():
        mine = [answer for (_, name), answer in theirs.items() if name == rule]
        granted = [answer for answer in mine if answer[0] == "granted"]
        assert (count.asked, count.granted) == (len(mine), len(granted))
        assert count.undecided == sum(answer[0] == "undecided" for answer in mine)
        assert count.amount == sum(answer[1] or 0 for answer in granted)
        assert (count.not_applied or 0) == sum(answer[2] is False for answer in granted if MAP.rules[rule].paid)
    with duckdb.connect() as base:
        rows = base.execute(f"SELECT person, rule, amount, applied FROM '{tmp_path}/entitled/*.parquet'").fetchall()
    granted = {(*key, amount, paid) for key, (outcome, amount, paid) in theirs.items() if outcome == "granted"}
    assert {(person, rule, amount, paid) for person, rule, amount, paid in rows} == granted
    assert result.people == 500


def test_a_sweep_goes_on_where_it_was_killed_and_asks_again_what_changed(country, tmp_path, monkeypatch):
    frame = sweep.open_frame(country)
    first = sweep.sweep(frame, BOOK, MAP, ON, out=tmp_path)
    (tmp_path / "parts" / f"{frame.parts[0].stem}.json").unlink()  # as if killed after the second part
    asked = []
    monkeypatch.setattr(run, "connect", lambda: asked.append(1) or duckdb.connect())
    again = sweep.sweep(frame, BOOK, MAP, ON, out=tmp_path)
    assert (again.as_dict(), len(asked)) == (first.as_dict(), 1)
    other = sweep.sweep(frame, BOOK.changed({"childcare_allowance_first": 1}), MAP, ON, out=tmp_path)
    assert len(asked) == 1 + len(frame.parts)
    assert other.rules["childcare_allowance_0_2"].amount != first.rules["childcare_allowance_0_2"].amount
    assert [path.name for path in sorted((tmp_path / "entitled").iterdir())] == [part.name for part in frame.parts]


def test_a_column_that_the_frame_lacks_leaves_people_undecided(country, tmp_path):
    (tmp_path / "frame").mkdir()
    for name in ("country.json", "townships.parquet"):
        (tmp_path / name).write_bytes((country / name).read_bytes())
    with duckdb.connect() as base:
        part = sweep.open_frame(country).parts[0]
        base.execute(
            f"COPY (SELECT * EXCLUDE (placement) FROM read_parquet('{part}')) TO '{tmp_path}/frame/part-0000.parquet'"
        )
    count = sweep.sweep(sweep.open_frame(tmp_path), BOOK, MAP, ON).rules["childcare_allowance_0_2"]
    assert (count.granted, count.undecided > 0) == (0, True)


def test_no_country_is_a_problem(tmp_path):
    with pytest.raises(Problem) as caught:
        sweep.open_frame(tmp_path)
    assert caught.value.slug == "frame-missing"


def test_what_if_counts_winners_losers_and_cost(country):
    frame = sweep.open_frame(country)
    change = sweep.Change(Text.of("x"), {"childcare_allowance_first": 6500, "maternity_benefit_days": 50})
    found = sweep.compare(frame, BOOK, change, MAP, ON)
    assert set(found.titles) == {"childcare_allowance_0_2", "maternity_benefit_labour"}
    was, now = python_answers(frame), python_answers(frame, book=BOOK.changed(change.parameters))
    for rule in found.titles:
        pairs = [(_pay(was[key]), _pay(now[key])) for key in was if key[1] == rule]
        (total,) = found.of(rule, "all")
        assert (total.cost_before, total.cost_after) == (sum(a for a, _ in pairs), sum(b for _, b in pairs))
        assert (total.winners, total.losers) == (sum(b > a for a, b in pairs), sum(b < a for a, b in pairs))
        assert total.cost_after - total.cost_before == total.gain - total.loss
        for by in ("age", "county", "township", "decile"):
            assert sum(group.cost_after for group in found.of(rule, by)) == total.cost_after
            assert sum(group.winners for group in found.of(rule, by)) == total.winners
    assert found.of("childcare_allowance_0_2", "all")[0].winners
    assert found.of("maternity_benefit_labour", "all")[0].losers


def _pay(answer: Any) -> int:
    return answer[1] or 0 if answer[0] == "granted" else 0


def test_a_change_of_what_does_not_exist_is_refused(country):
    frame = sweep.open_frame(country)
    for parameters in ({"nothing": 1}, {"gift_exemption": 1}, {"minimum_wage": "much"}):
        with pytest.raises(Problem) as caught:
            sweep.compare(frame, BOOK, sweep.Change(Text.of("x"), parameters), MAP, ON)
        assert caught.value.slug == "rule-invalid"


def test_the_commands_print_write_and_explain(country, tmp_path, capsys):
    change = {"title": {"en": "More <for> all", "zh": "增加"}, "parameters": {"childcare_allowance_first": 6500}}
    (tmp_path / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    (tmp_path / "facts.yaml").write_text("{birth_date: 2026-10-01, elder_children: 1}", encoding="utf-8")
    where = ["--country", str(country), "--date", ON.isoformat(), "--out", str(tmp_path / "out")]
    commands.main(["sweep", *where])
    commands.main(["what-if", *where, "--change", str(tmp_path / "change.yaml")])
    commands.main(["explain", "childcare_allowance_0_2", str(tmp_path / "facts.yaml"), "--on", "2026-11-01"])
    commands.main(["check"])
    said = capsys.readouterr().out
    for part in ("childcare_allowance_0_2", "old_farmer_allowance *", "每月NT$6,000", "Undecided", "not verified"):
        assert part in said
    result = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))
    assert result["people"] == 500
    for language, word in (("zh", "經費增減"), ("en", "Change of cost")):
        html = (tmp_path / "out" / f"what-if.{language}.html").read_text(encoding="utf-8")
        assert word in html
        assert "<script" not in html
        assert "http" not in html.replace('lang="', "")
    assert "More &lt;for&gt; all" in html


def test_a_wrong_case_fails_the_check(tmp_path, capsys):
    for name in ("rules", "parameters"):
        (tmp_path / name).symlink_to(content.ROOT / name)
    (tmp_path / "rules").unlink()
    (tmp_path / "rules" / "tests").mkdir(parents=True)
    rule = "childcare_subsidy"
    text = (content.ROOT / "rules" / f"{rule}.yaml").read_text(encoding="utf-8")
    (tmp_path / "rules" / f"{rule}.yaml").write_text(text, encoding="utf-8")
    cases = (content.ROOT / "rules" / "tests" / f"{rule}.yaml").read_text(encoding="utf-8")
    (tmp_path / "rules" / "tests" / f"{rule}.yaml").write_text(cases.replace("13000", "13001"), encoding="utf-8")
    with pytest.raises(SystemExit):
        commands.main(["--content", str(tmp_path), "check"])
    assert "amount 13000, expected 13001" in capsys.readouterr().out
