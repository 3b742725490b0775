"""`smartgov api lint FILE`: what the registration on T-Road would say; `smartgov api rules`: what it asks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from smartgov.engines import apilint
from smartgov.engines.apilint.linting import Finding

LANGUAGES = ("zh", "en")


def main(arguments: Sequence[str] | None = None) -> int:
    """`smartgov api ARGUMENTS`: 0 when nothing refuses the document, 1 when something does, 2 when it is not there."""
    parser = argparse.ArgumentParser(prog="smartgov api", description="Hold OpenAPI documents to the common API rules.")
    verbs = parser.add_subparsers(metavar="verb", required=True)
    lint = verbs.add_parser("lint", help="what is wrong in a document, with lines")
    lint.add_argument("file", type=Path, help="JSON or YAML; - reads from the standard input")
    lint.add_argument("--json", action="store_true", help="write the findings as JSON")
    lint.set_defaults(run=_lint)
    rules = verbs.add_parser("rules", help="list the rules, with their sources")
    rules.set_defaults(run=_rules)
    for verb in (lint, rules):
        verb.add_argument("--language", choices=LANGUAGES, default="zh", help="of the sentences (default: zh)")
    options = parser.parse_args(arguments)
    return int(options.run(options))


def _lint(options: argparse.Namespace) -> int:
    try:
        source = sys.stdin.buffer.read() if str(options.file) == "-" else options.file.read_bytes()
    except OSError as error:
        print(f"{options.file}: {error.strerror}", file=sys.stderr)
        return 2
    found = apilint.lint(source, apilint.read())
    if options.json:
        print(json.dumps([one.as_dict() for one in found], ensure_ascii=False, indent=1))
    else:
        for one in found:
            print(_line(options.file, one, options.language))
        print(_count(found, options.language))
    return 1 if apilint.errors(found) else 0


def _rules(options: argparse.Namespace) -> int:
    for rule in apilint.read().rules:
        told = rule.text.in_language(options.language)
        print(f"{rule.severity:<8} {rule.id:<22} {told}\n{'':<32}{rule.source.title.in_language(options.language)}")
    return 0


def _line(file: Path, one: Finding, language: str) -> str:
    told = " ".join(text.in_language(language) for text in (one.text, one.note, one.todo) if text.en)
    return f"{file}:{one.line}:{one.column}: {one.severity} {one.rule}: {told}"


def _count(found: list[Finding], language: str) -> str:
    refusing = len(apilint.errors(found))
    noted = len(found) - refusing
    if language == "en":
        return f"{refusing} errors, {noted} warnings"
    return f"錯誤 {refusing} 項，警告 {noted} 項"
