"""`smartgov deid keys | pseudonymise | cells | dp | budget`: single values, tables of counts, and noise."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartgov.engines.deid import budget, keyring
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    import pyarrow as pa

_PLAN = {"source", "unit", "rows", "queries"}
_Verbs = argparse._SubParsersAction


def add_verbs(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    """These words after `smartgov deid`."""
    _add_keys(verbs)
    _add_pseudonymise(verbs)
    _add_cells(verbs)
    _add_dp(verbs)
    _add_budget(verbs)


def _add_keys(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("keys", help="make, change, list or destroy the keys of a project")
    what = verb.add_subparsers(metavar="what", required=True)
    for name, run, text in (
        ("create", _keys_create, "a new project with its first key"),
        ("rotate", _keys_rotate, "a new key; what the old ones made stays resolvable with this file"),
        ("list", _keys_list, "ids and states, never the keys"),
        ("destroy", _keys_destroy, "forget a retired key for good"),
    ):
        one = what.add_parser(name, help=text)
        one.add_argument("keys", type=Path, help="the project's key file (mode 0600, outside every release)")
        if name == "create":
            one.add_argument("--project", required=True, help="lower case letters, digits, hyphens")
        if name == "destroy":
            one.add_argument("--key", required=True, help="id of the key")
        one.set_defaults(run=run)


def _add_pseudonymise(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("pseudonymise", help="change single values: pseudonyms, or all transforms of a policy")
    verb.add_argument("data", type=Path, help="Parquet file")
    verb.add_argument("--keys", type=Path, help="the project's key file")
    how = verb.add_mutually_exclusive_group(required=True)
    how.add_argument("--column", action="append", metavar="NAME=DOMAIN", help="pseudonyms for this column")
    how.add_argument("--policy", type=Path, help="apply every transform that this policy declares")
    verb.add_argument("--out", type=Path, required=True, help="Parquet file to write; must not exist")
    verb.set_defaults(run=_pseudonymise)


def _add_cells(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("cells", help="suppress small cells of a table with proof, or audit a published one")
    what = verb.add_subparsers(metavar="what", required=True)
    suppress = what.add_parser("suppress", help="count rows into a table and leave out what would tell too much")
    suppress.add_argument("data", type=Path, help="Parquet file, one row a person (or see --unit)")
    suppress.add_argument("--value", help="sum this column instead of counting")
    suppress.add_argument("--unit", help="the column that tells persons or firms apart")
    suppress.add_argument("--threshold", type=int, help="fewer units than this are sensitive (5 when no rule is given)")
    suppress.add_argument("--dominance", metavar="N,K", help="the N largest make up more than K per cent")
    suppress.add_argument("--p", type=float, help="the second largest knows the largest to within P per cent")
    suppress.add_argument("--keep-totals", action="store_true", help="never leave out a total as cover")
    suppress.add_argument("--exact", action="store_true", help="work out every interval, however long it takes")
    suppress.add_argument("--out", type=Path, required=True, help="CSV of the table to publish; must not exist")
    suppress.add_argument("--evidence", type=Path, help="JSON with the figures of the proof")
    suppress.set_defaults(run=_cells_suppress)
    audit = what.add_parser("audit", help="what can a reader work out? exit status 1 when there are findings")
    audit.add_argument("table", type=Path, help="CSV, one row a cell; suppressed cells empty or marked")
    audit.add_argument("--value", default="value", help="the column with the figures")
    audit.add_argument("--threshold", type=float, help="also name cells that are shown to lie below this")
    audit.add_argument("--width", type=float, help="also name cells whose interval is narrower")
    audit.add_argument("--floor", type=float, default=0.0, help="what a reader knows a suppressed cell is at least")
    audit.add_argument("--sums", action="store_true", help="figures are sums, not whole numbers")
    audit.add_argument("--integer", action="store_true", help="integer programs (three dimensions, small tables)")
    audit.set_defaults(run=_cells_audit)
    for one in (suppress, audit):
        one.add_argument("--by", required=True, metavar="COLUMN,...", help="one to three dimensions")
        one.add_argument("--total", default="合計", help="label of the totals")


def _add_dp(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("dp", help="statistics with epsilon-differential privacy, paid from the budget")
    verb.add_argument("plan", type=Path, help="YAML: source, unit, rows, queries")
    verb.add_argument("data", type=Path, help="Parquet file")
    verb.add_argument("--ledger", type=Path, required=True, help="the budget's file")
    verb.add_argument("--out", type=Path, required=True, help="folder for one CSV a query and answers.json")
    verb.set_defaults(run=_dp)


def _add_budget(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("budget", help="what is spent of the privacy budget; grants; check of the ledger")
    what = verb.add_subparsers(metavar="what", required=True)
    for name, run, text in (
        ("create", _budget_create, "a new, empty ledger"),
        ("grant", _budget_grant, "allow a source so much more"),
        ("show", _budget_show, "granted, spent and left of every source"),
        ("verify", _budget_verify, "check the chain, and that heads once given out are in it"),
    ):
        one = what.add_parser(name, help=text)
        one.add_argument("ledger", type=Path, help="the budget's file")
        if name == "grant":
            one.add_argument("--source", required=True)
            one.add_argument("--epsilon", required=True)
            one.add_argument("--by", required=True, help="who decided")
            one.add_argument("--reason", required=True)
        if name == "verify":
            one.add_argument("heads", nargs="*", help="heads kept from earlier releases")
        one.set_defaults(run=run)


def _keys_create(options: argparse.Namespace) -> int:
    return _tell_keys(keyring.create(options.keys, options.project))


def _keys_rotate(options: argparse.Namespace) -> int:
    return _tell_keys(keyring.rotate(options.keys))


def _keys_destroy(options: argparse.Namespace) -> int:
    return _tell_keys(keyring.destroy(options.keys, options.key))


def _keys_list(options: argparse.Namespace) -> int:
    return _tell_keys(keyring.load(options.keys))


def _tell_keys(ring: keyring.KeyRing) -> int:
    for key in ring.keys:
        _say(f"{ring.project}\t{key.id}\t{key.state}\t{key.created}")
    return 0


def _pseudonymise(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import transforms

    ring = None
    if options.keys:
        keyring.refuse_beside(options.keys, options.out.parent)
        ring = keyring.load(options.keys)
    if options.policy:
        from smartgov.engines.deid.policy import Policy

        plan = Policy.read(options.policy).transforms
    else:
        pairs = [pair.partition("=")[::2] for pair in options.column]
        plan = {n: transforms.Transform.parse(n, {"kind": "pseudonym", "domain": domain}) for n, domain in pairs}
    changed = transforms.apply(_parquet(options.data), plan, ring)
    _write(options.out, lambda path: _write_parquet(changed, path))
    _say(f"{changed.num_rows} rows\t{', '.join(f'{name} {one.kind}' for name, one in plan.items())}")
    return 0


def _cells_suppress(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import cells

    dominance = None
    if options.dominance:
        dominance = _pair(options.dominance)
    threshold = 5 if options.threshold is None and not dominance and options.p is None else options.threshold
    rules = cells.Rules(threshold=threshold, dominance=dominance, p=options.p)
    table = cells.tabulate(
        str(_present(options.data)),
        options.by.split(","),
        value=options.value,
        unit=options.unit,
        total=options.total,
        top=rules.top,
    )
    made = cells.suppress(
        table, rules, keep_totals=options.keep_totals, exact=True if options.exact else None, progress=_progress
    )
    sys.stderr.write("\n")
    evidence = made.evidence()
    _write(options.out, lambda path: _write_csv(made.table(options.value or "people"), path))
    if options.evidence:
        text = json.dumps(evidence, ensure_ascii=False, indent=1)
        _write(options.evidence, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    for name, figure in evidence.items():
        _say(f"{name}\t{figure}")
    return 0


def _cells_audit(options: argparse.Namespace) -> int:
    import pyarrow.csv as pacsv

    from smartgov.engines.deid import cells

    names = options.by.split(",")
    text = pacsv.ConvertOptions(
        column_types=dict.fromkeys([*names, options.value], "string"), strings_can_be_null=False
    )
    rows = pacsv.read_csv(_present(options.table), convert_options=text)
    cube, hidden = cells.read_published(rows, names, value=options.value, total=options.total)
    findings = cells.audit(
        cube,
        hidden,
        threshold=options.threshold,
        width=options.width,
        floor=options.floor,
        counts=not options.sums,
        integer=options.integer,
    )
    for finding in findings:
        _say(f"{finding.kind}\t{finding.sentence.zh}  {finding.sentence.en}")
    _say(f"{int(hidden.sum())} suppressed, {len(findings)} findings")
    return 1 if findings else 0


def _dp(options: argparse.Namespace) -> int:
    from smartgov.engines.deid import dp

    plan = content.parse(options.plan.read_text(encoding="utf-8"))
    if not isinstance(plan, dict) or not {"source", "unit", "queries"} <= set(plan) <= _PLAN:
        raise _unusable(
            "The plan has source, unit (null: one row a person), queries, and perhaps rows.",
            "計畫須含 source、unit（null 表每人一列）、queries，可含 rows。",
        )
    queries = {query.name: query for query in map(dp.Query.parse, plan["queries"])}
    targets = [options.out / f"{name}.csv" for name in queries] + [options.out / "answers.json"]
    if len(queries) != len(plan["queries"]) or any(path.exists() or path.parent != options.out for path in targets):
        raise _unusable("Each query needs a name of its own, and a new folder.", "各查詢須有不同名稱及新資料夾。")
    ledger, summary = budget.Ledger(options.ledger), []
    options.out.mkdir(parents=True, exist_ok=True)
    source, data = str(plan["source"]), str(_present(options.data))
    for name, query in queries.items():
        told = dp.answer(query, data, ledger, source=source, unit=plan["unit"], rows=plan.get("rows", 1))
        _write_csv(told.table, options.out / f"{name}.csv")
        summary.append({**query.as_dict(), "epsilon": query.epsilon, "within_95": told.within, "head": told.head})
        _say(f"{name}\tepsilon {query.epsilon}\t95 % within {told.within or '-'}\thead {told.head[:16]}")
    text = json.dumps({"source": plan["source"], "answers": summary}, ensure_ascii=False, indent=1)
    _write(options.out / "answers.json", lambda path: path.write_text(text + "\n", encoding="utf-8"))
    return 0


def _budget_create(options: argparse.Namespace) -> int:
    budget.Ledger(options.ledger).create()
    return 0


def _budget_grant(options: argparse.Namespace) -> int:
    ledger = budget.Ledger(options.ledger)
    ledger.grant(options.source, options.epsilon, by=options.by, reason=options.reason)
    return _budget_show(options)


def _budget_show(options: argparse.Namespace) -> int:
    ledger = budget.Ledger(options.ledger)
    _say("source\tgranted\tspent\tleft\tnever released")
    for account in ledger.accounts():
        figures = (account.granted, account.spent, account.left, account.open)
        _say("\t".join([account.source, *(budget.written(figure) for figure in figures)]))
    _say(f"head\t{ledger.head()}")
    return 0


def _budget_verify(options: argparse.Namespace) -> int:
    entries = budget.Ledger(options.ledger).verify(*options.heads)
    _say(f"{len(entries)} entries, chain whole, {len(options.heads)} heads found")
    return 0


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\rcells {done}/{total} ")
    sys.stderr.flush()


def _pair(text: str) -> tuple[int, float]:
    try:
        n, k = text.split(",")
        return int(n), float(k)
    except ValueError:
        raise _unusable("Dominance is written N,K, for example 1,75.", "優勢規則寫作 N,K，例如 1,75。") from None


def _present(path: Path) -> Path:
    if not path.is_file():
        raise _unusable(f"There is no file {path.name}.", f"沒有檔案 {path.name}。")
    return path


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(_present(path))


def _write_parquet(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path)


def _write_csv(table: pa.Table, path: Path) -> None:
    import pyarrow.csv as pacsv

    pacsv.write_csv(table, path)


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    """A new file, whole or not at all; another's is never overwritten."""
    if path.exists():
        raise _unusable(f"{path.name} exists already; choose another.", f"{path.name} 已存在，請另指定。")
    part = path.with_name(f".{path.name}.part")
    write(part)
    os.link(part, path)
    part.unlink()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _unusable(why_en: str, why_zh: str) -> Problem:
    return Problem(
        "deid-command-invalid",
        422,
        what=Text("The command cannot be carried out.", "指令無法執行。"),
        why=Text(why_en, why_zh),
        todo=Text("Nothing was written. Mend it and run it again.", "未寫入任何資料。請修正後重新執行。"),
    )
