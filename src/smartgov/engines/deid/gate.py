"""`smartgov deid` between a finished release and the public: quasi, risk, attack, report, publish, ledger."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smartgov.engines.deid.attacks import Finding, Target
    from smartgov.engines.deid.keyring import KeyRing
    from smartgov.engines.deid.ledger import Case
    from smartgov.engines.deid.report import About

_RECORD = "release.json"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words after `smartgov deid` that this module answers."""
    verb = verbs.add_parser("quasi", help="find the sets of columns that tell people apart")
    verb.add_argument("data", type=Path, help="Parquet (a file or a folder of parts), or CSV")
    verb.add_argument("--columns", help="only these, with commas between")
    verb.add_argument("--most", type=int, default=4, help="largest set that is looked at")
    verb.set_defaults(run=_quasi)
    verb = _on_release(
        verbs, "risk", "prosecutor, journalist and marketer risk, and population uniqueness", source=False
    )
    verb.add_argument("--threshold", type=float, default=0.2, help="highest risk that a row may carry")
    verb.add_argument("--frame", type=Path, help="the population, with the release's columns and labels")
    verb.add_argument("--population", type=int, default=0, help="people that the release was drawn from")
    verb.set_defaults(run=_risk)
    verb = _on_release(verbs, "attack", "try every attack on a release; the exit status is 1 when one succeeds")
    _add_checks(verb, needed=False)
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.set_defaults(run=_attack)
    verb = _on_release(verbs, "report", "write the evidence pack of a release")
    _add_checks(verb, needed=False)
    _add_about(verb)
    verb.set_defaults(run=_report)
    verb = _on_release(verbs, "publish", "attack a release, enter it into the ledger, and write its evidence pack")
    _add_checks(verb, needed=True)
    _add_about(verb)
    verb.set_defaults(run=_publish)
    verb = verbs.add_parser("ledger", help="list a release ledger and check that nothing was altered")
    verb.add_argument("ledger", type=Path, help="the ledger's file; releases lie in folders beside it")
    verb.add_argument("--create", action="store_true", help="make a new, empty one")
    verb.add_argument("--head", action="append", default=[], help="a head that was once given out must be in it")
    verb.add_argument("--due", action="store_true", help="only releases whose periodic review is due")
    verb.set_defaults(run=_ledger)


def _on_release(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, *, source: bool = True
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text)
    verb.add_argument("release", type=Path, help="folder of the release")
    verb.add_argument("--beside", type=Path, help="folder of the policy, where its hierarchies lie")
    if source:
        verb.add_argument("--source", type=Path, required=True, help="the table that the release was made from")
    return verb


def _add_checks(verb: argparse.ArgumentParser, *, needed: bool) -> None:
    verb.add_argument("--outside", type=Path, help="a file that an attacker may hold, with the source's column names")
    verb.add_argument("--pseudonyms", default="", help="columns that identify rows on purpose, with commas between")
    verb.add_argument("--ledger", type=Path, required=needed, help="ledger of the source's earlier releases")
    verb.add_argument(
        "--keys", type=Path, action="append", default=[],
        help="key file of the release's project, and of every earlier one's, where pseudonyms or shifts were made",
    )  # fmt: skip
    verb.add_argument("--of", default="", help="name of the source in the ledger (default: the policy's)")


def _add_about(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--about", type=Path, required=True, help="scope, roles and dates, YAML")
    verb.add_argument("--out", type=Path, help="folder of the evidence pack (default: evidence in the release's)")


def _quasi(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import quasi

    names = options.columns.split(",") if options.columns else None
    found = quasi.find(options.data, names=names, most=options.most)
    print(f"{found.rows:,} rows, searched on {found.sampled:,}")  # noqa: T201 - a command speaks
    for one in found.suggestions:
        print(f"{one.column}\t{one.role}\t{one.why.zh}  {one.why.en}")  # noqa: T201 - a command speaks
    for key in found.keys:
        print(f"key\t{', '.join(key.columns)}\tdistinction {key.distinction:.4f}")  # noqa: T201 - a command speaks
    for best in found.candidates[:10]:
        figures = f"alone {best.uniques:.4f}\tdistinction {best.distinction:.4f}\tseparation {best.separation:.4f}"
        print(f"set\t{', '.join(best.columns)}\t{figures}")  # noqa: T201 - a command speaks
    return 0


def _risk(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import risk, uniqueness

    target, _ = _target(options)
    found = risk.measure(target.release, target.quasi, threshold=options.threshold, frame=options.frame)
    unique = uniqueness.estimate(risk.sizes(target.release, target.quasi), max(options.population, found.rows))
    lines = {
        "rows": f"{found.rows:,}", "classes": f"{found.classes:,}", "k": str(found.k),
        "prosecutor": f"highest {found.prosecutor.highest:.6g}",
        "journalist": f"highest {found.journalist.highest:.6g}, average {found.journalist.average:.6g}",
        "marketer": f"{found.marketer:.6g}", "population uniques": f"{unique.share:.6g} ({unique.model})",
    }  # fmt: skip
    for name, value in lines.items():
        print(f"{name}\t{value}")  # noqa: T201 - a command speaks
    return 0


def _attack(options: argparse.Namespace) -> int:
    target, name = _target(options)
    findings = _findings(options, target, name)
    if options.json:
        told = json.dumps([one.as_dict() for one in findings], ensure_ascii=False, indent=1)
        print(told)  # noqa: T201 - a command speaks
    else:
        _tell(findings)
    return 0 if all(one.passed for one in findings) else 1


def _report(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import report

    target, name = _target(options)
    about, keys = report.About.read(options.about), _keys(options)
    pack = report.measured(target, about, _findings(options, target, name), keys=keys)
    for path in report.write(pack, options.out or options.release / "evidence"):
        print(path)  # noqa: T201 - a command speaks
    return 0 if pack.passed else 1


def _publish(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import dossier, report
    from smartgov.engines.deid.ledger import Ledger

    target, name = _target(options)
    about, keys = report.About.read(options.about), _keys(options)
    out = Ledger(options.ledger).publish(
        target,
        _case(about, options.of or name),
        options.release,
        outside=options.outside,
        pseudonyms=_listed(options.pseudonyms),
        keys=keys,
        progress=_say,
    )
    _tell(out.findings)
    print(f"id\t{out.id}\nhead\t{out.head}")  # noqa: T201 - a command speaks
    digest = dossier.digest(options.release)
    pack = report.measured(target, about, out.findings, keys=keys, head=out.head, digest=digest)
    for path in report.write(pack, options.out or options.release / "evidence"):
        print(path)  # noqa: T201 - a command speaks
    return 0


def _ledger(options: argparse.Namespace) -> int:
    from smartgov.engines.deid.ledger import Ledger

    book = Ledger(options.ledger)
    if options.create:
        book.create()
    entries = book.verify(*options.head)
    shown = book.due() if options.due else entries
    for entry in shown:
        body = entry.body
        what = body.get("id") or body.get("release") or ", ".join(_lost(body))
        line = (str(entry.seq), body["at"], body["kind"], body.get("source", ""), what)
        print("\t".join(line))  # noqa: T201 - a command speaks
    print(f"head\t{book.chain.head()}")  # noqa: T201 - a command speaks
    return 0


def _lost(body: dict[str, object]) -> list[str]:
    findings = body.get("findings")
    return [str(one["attack"]) for one in findings if not one["passed"]] if isinstance(findings, list) else []


def _target(options: argparse.Namespace) -> tuple[Target, str]:
    """What is attacked and the source's name: of a run's folder, or of a dossier's."""
    from smartgov.engines.deid import dossier
    from smartgov.engines.deid.attacks.from_policy import target_of

    folder, source = options.release, getattr(options, "source", None)
    if not (folder / _RECORD).is_file():
        target = dossier.load(folder)
        return (target if source is None else replace(target, source=source)), target.name
    from smartgov.engines.deid.release import Release

    made = Release.load(folder, beside=options.beside)
    table = made.table
    target = target_of(made.policy, table, source or table, made.node, name=folder.name, key=made.key)
    return target, made.policy.source


def _findings(options: argparse.Namespace, target: Target, name: str) -> list[Finding]:
    from smartgov.engines.deid import attacks
    from smartgov.engines.deid.ledger import Ledger

    earlier = Ledger(options.ledger).earlier(options.of or name) if options.ledger else []
    return attacks.run_all(
        target,
        outside=options.outside,
        earlier=earlier,
        pseudonyms=_listed(options.pseudonyms),
        keys=_keys(options),
        progress=_say,
    )


def _keys(options: argparse.Namespace) -> list[KeyRing]:
    from smartgov.engines.deid import keyring

    for path in options.keys:
        keyring.refuse_beside(path, options.release)
    return [keyring.load(path) for path in options.keys]


def _case(about: About, source: str) -> Case:
    from smartgov.engines.deid.ledger import Case
    from smartgov.engines.deid.report.pack import NONE

    def said(name: str) -> str:
        text = getattr(about, name)
        return "" if text == NONE else str(text.zh)

    return Case(source, said("purpose"), said("prepared_by"), said("approved_by"), said("review_on"))


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)


def _say(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)  # noqa: T201 - progress


def _tell(findings: list[Finding]) -> None:
    for one in findings:
        word = "-" if not one.ran else "ok" if one.passed else "FOUND"
        print(f"{word}\t{one.attack}\t{one.sentence.zh}  {one.sentence.en}")  # noqa: T201 - a command speaks
