"""`smartgov rules`: check the content, explain one decision, sweep a country, compare two parameter sets."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from smartgov.engines.expr import as_json
from smartgov.engines.rules import checking
from smartgov.engines.rules.decision import Cited, Decision, Step
from smartgov.engines.rules.periods.calculation import Calculation, walk
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.rulebook import load
from smartgov.engines.rules.sources import read
from smartgov.shared import clock, content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def main(arguments: Sequence[str]) -> None:
    """Run one verb; exits with 1 when something is wrong, 2 for a wrong command line."""
    options = _parser().parse_args(arguments)
    try:
        status = {"check": _check, "explain": _explain, "calculate": _calculate, "sweep": _sweep, "what-if": _what_if}[
            options.verb
        ](options)
    except Problem as problem:
        for line in (problem.what, problem.why, problem.todo):
            if line.en:
                sys.stderr.write(f"{line.zh}  {line.en}\n")
        status = 1
    if status:
        raise SystemExit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smartgov rules", description="Rules of law as data.")
    parser.add_argument("--content", type=Path, default=content.ROOT, help="the content folder (default: Taiwan's)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="load all rules and decide all their test cases")
    verb = verbs.add_parser("explain", help="decide one rule over the facts of a YAML file and say why")
    verb.add_argument("rule")
    verb.add_argument("facts", type=Path)
    verb.add_argument("--on", type=date.fromisoformat, help="day of application (default: today)")
    verb.add_argument("--language", choices=("zh", "en", "both"), default="both")
    verb.add_argument("--json", action="store_true", help="the whole decision as JSON")
    verb = verbs.add_parser("calculate", help="work out a formula by period for the people of a YAML file and say how")
    verb.add_argument("formula")
    verb.add_argument("situation", type=Path)
    verb.add_argument("--period", required=True, help="a month (2026-07), a year (2026), or once")
    verb.add_argument("--who", required=True, help="the person or household of the file")
    verb.add_argument("--language", choices=("zh", "en", "both"), default="both")
    verb.add_argument("--json", action="store_true", help="value and account as JSON")
    for name, text in (("sweep", "ask every rule about every person"), ("what-if", "compare two sets of parameters")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--country", type=Path, required=True, help="folder that `smartgov population --out` wrote")
        verb.add_argument("--date", type=date.fromisoformat, help="day of application (default: today)")
        verb.add_argument("--threads", type=int, default=2, help="parts worked on side by side")
        verb.add_argument("--out", type=Path, help="folder for the results")
        if name == "what-if":
            verb.add_argument(
                "--change", type=Path, required=True, help="YAML with title and parameters: {name: value}"
            )
    return parser


def _write(line: str = "") -> None:
    sys.stdout.write(line + "\n")


def _check(options: argparse.Namespace) -> int:
    from smartgov.engines.expr import DUCKDB, POSTGRESQL
    from smartgov.engines.rules.periods.sql import check_periods
    from smartgov.engines.rules.sql import check_sql

    report = checking.check(options.content)
    book = load(options.content)
    for dialect in (DUCKDB, POSTGRESQL):
        check_sql(book, dialect)
    check_periods(book.variables, book.parameters)
    if (options.content / "sweep.yaml").is_file():
        from smartgov.engines.rules.sweep import load_mapping

        load_mapping(options.content, book)
    for fault in report.faults:
        _write(f"✗ {fault.zh}\n  {fault.en}")
    counts = (report.rules, report.formulas, report.parameters, report.cases, len(report.unverified))
    _write("{} 條規則、{} 個公式、{} 個參數、{} 個案例；{} 個參數未經查證".format(*counts))
    _write("{} rules, {} formulas, {} parameters, {} cases; {} parameters are not verified".format(*counts))
    if report.unverified:
        _write("  " + ", ".join(report.unverified))
    return 1 if report.faults else 0


def _explain(options: argparse.Namespace) -> int:
    facts = read(options.facts, options.facts.name) or {}
    decision = load(options.content).decide(options.rule, as_json(facts), options.on or clock.today())
    if options.json:
        _write(json.dumps(decision.as_dict(), ensure_ascii=False, indent=1))
        return 0
    for language in ("zh", "en") if options.language == "both" else (options.language,):
        for line in explained(decision, language):
            _write(line)
        _write()
    return 0


def _calculate(options: argparse.Namespace) -> int:
    book = load(options.content)
    situation = book.situation(as_json(read(options.situation, options.situation.name) or {}))
    span = ONCE if options.period == "once" else Span.of(options.period)
    found = book.calculate(options.formula, situation, span, options.who)
    if options.json:
        _write(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
        return 0
    for language in ("zh", "en") if options.language == "both" else (options.language,):
        for line in accounted(found, language):
            _write(line)
        _write()
    return 0


def accounted(found: Calculation, language: str) -> list[str]:
    """A calculation as lines of text: each value with how it came about, its law and its parameters below it."""
    lines = []
    for depth, each in walk(found.account):
        indent = "  " * (depth + 1)
        who = "" if each.who == found.who else f" · {each.who}"
        source = f"  [{each.source.short().in_language(language)}]" if each.source else ""
        lines.append(f"{indent}= {each.text.in_language(language)}{who}: {each.shown.in_language(language)}{source}")
        if each.because.en:
            lines.append(f"{indent}    {each.because.in_language(language)}")
        lines += [f"{indent}    {line}" for line in _cited(each.parameters, language)]
    if found.missing:
        lines.append(f"  {_MISSING.in_language(language)}: {', '.join(found.missing)}")
    return lines


_OUTCOMES = {
    "granted": Text("Granted", "符合"),
    "refused": Text("Refused", "不符合"),
    "undecided": Text("Undecided", "待確認"),
}
_MARKS = {True: "✓", False: "✗", None: "?"}
_NOT_CHECKED = Text("not verified against the official source", "未經官方來源查證")
_MISSING = Text("Missing", "尚缺")


def explained(decision: Decision, language: str) -> list[str]:
    """A decision as lines of text: outcome, each step with why and its law, the parameters with their sources."""

    def say(text: Text) -> str:
        return text.in_language(language)

    lines = [f"{say(decision.title)}: {say(_OUTCOMES[decision.outcome])}", f"  {say(decision.summary)}"]
    if decision.missing:
        lines.append(f"  {say(_MISSING)}: {', '.join(decision.missing)}")
    for step in decision.explanation:
        lines += _step(step, language)
    return lines


def _step(step: Step, language: str) -> list[str]:
    computed = step.kind in ("value", "formula")
    mark = "=" if computed else _MARKS[step.holds]
    shown = f": {step.shown.in_language(language)}" if computed and step.shown else ""
    lines = [f"  {mark} {step.text.in_language(language)}{shown}  [{step.source.short().in_language(language)}]"]
    lines.append(f"      {step.because.in_language(language)}")
    return lines + [f"      {line}" for line in _cited(step.parameters, language)]


def _cited(parameters: Sequence[Cited], language: str) -> list[str]:
    lines = []
    for cited in parameters:
        note = "" if cited.held.verified else f" ({_NOT_CHECKED.in_language(language)})"
        source = cited.held.source.short().in_language(language)
        lines.append(f"· {cited.title.in_language(language)}: {cited.held.value:,}, {cited.held.since} {source}{note}")
    return lines


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total}{' ' * 8}{chr(10) if done == total else ''}")
        sys.stderr.flush()


def _sweep(options: argparse.Namespace) -> int:
    from smartgov.engines.rules import sweep

    book = load(options.content)
    mapping = sweep.load_mapping(options.content, book)
    frame = sweep.open_frame(options.country)
    on = options.date or clock.today()
    result = sweep.sweep(frame, book, mapping, on, out=options.out, threads=options.threads, progress=_progress)
    if options.out:
        text = json.dumps(result.as_dict(), ensure_ascii=False, indent=1)
        (options.out / "sweep.json").write_text(text, encoding="utf-8")
    for line in sweep.table(result):
        _write(line)
    return 0


def _what_if(options: argparse.Namespace) -> int:
    from smartgov.engines.rules import sweep

    book = load(options.content)
    mapping = sweep.load_mapping(options.content, book)
    frame = sweep.open_frame(options.country)
    change, on = sweep.load_change(options.change), options.date or clock.today()
    found = sweep.compare(frame, book, change, mapping, on, threads=options.threads, progress=_progress)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found.as_dict(), ensure_ascii=False, indent=1)
        (options.out / "what-if.json").write_text(text, encoding="utf-8")
        for language, name, other in (("zh-Hant", "zh", "en"), ("en", "en", "zh")):
            html = sweep.page(found, language, f"what-if.{other}.html")
            (options.out / f"what-if.{name}.html").write_text(html, encoding="utf-8")
        _write(str(options.out / "what-if.zh.html"))
    for line in sweep.changes(found):
        _write(line)
    return 0
