"""What an operator does to a gateway's home from the command line: back it up, restore it."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from smartgov.engines.pki import keys
from smartgov.engines.troad import archive, archive_check, backup
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.store import Store
from smartgov.shared import clock
from smartgov.shared.clock import TAIPEI
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PASSPHRASE = "TROAD_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable
"""In this variable of the environment, so that it stands in no process list; without it, it is asked for."""


def main(arguments: Sequence[str]) -> int:
    """`smartgov gateway backup|restore|resume ...`; the exit status."""
    options = _parser().parse_args(list(arguments))
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smartgov gateway")
    verbs = parser.add_subparsers(required=True)
    for name, run, text in (
        ("backup", _backup, "write keys, settings and log into one encrypted file; the gateway may run"),
        ("restore", _restore, "put a backup into an empty home, and erase again what was erased since"),
        ("resume", _resume, "let a home that was put back by other means open a new epoch"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("--home", type=Path, required=True, help="the gateway's home folder")
        if name != "resume":
            verb.add_argument("--file", type=Path, required=True, help="the backup")
        if name == "restore":
            verb.add_argument("--outlasting", type=Path, help="the list of erasures (default: beside the home)")
        verb.set_defaults(run=run)
    _add_archive(verbs)
    return parser


def _add_archive(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "write old records with their proofs into a file that verifies alone; with --remove take them out of the log"
    verb = verbs.add_parser("archive", help=text, description=text)
    verb.add_argument("--home", type=Path, required=True, help="the gateway's home folder; the gateway may run")
    verb.add_argument("--before", type=_day, required=True, help="first day that stays, YYYY-MM-DD")
    verb.add_argument("--out", type=Path, required=True, help="the folder for the file")
    verb.add_argument("--remove", action="store_true", help="let the gateway drop the records, at its next look")
    verb.set_defaults(run=_archive)
    text = "take the evidence bundle of one exchange out of an archive"
    verb = verbs.add_parser("extract", help=text, description=text)
    verb.add_argument("--file", type=Path, required=True, help="the archive")
    verb.add_argument("--exchange", required=True, help="the exchange's id")
    verb.add_argument("--home", type=Path, help="the gateway's home, whose keys open what was not erased")
    verb.add_argument("--out", type=Path, required=True, help="the bundle to write")
    verb.set_defaults(run=_extract)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        told = f"{text!r} is no day; write it as YYYY-MM-DD. 請以 YYYY-MM-DD 填寫日期"
        raise argparse.ArgumentTypeError(told) from None


def _archive(options: argparse.Namespace) -> int:
    home = homes.load(options.home)
    before = datetime.combine(options.before, time(), TAIPEI)
    if clock.now() - before < timedelta(days=archive.LEAST_DAYS):
        raise archive.impossible(
            f"Records are archived when they are {archive.LEAST_DAYS} days old.",
            f"紀錄滿 {archive.LEAST_DAYS} 日後始得歸檔。",
        )
    file = archive.write(home, before, options.out, remove=options.remove)
    _say(f"{file}", f"已寫入 {file}")
    return 0


def _extract(options: argparse.Namespace) -> int:
    opener = None
    if options.home is not None:
        home = homes.load(options.home)
        key = home.secret_key("body")
        store = Store(home.path / "log.sqlite3", origin=home.gateway, log_key=home.log_key(), body_key=key)
        try:
            opener = store.body_keys(options.exchange)
        finally:
            store.stop()
    content = archive_check.bundle(options.file, options.exchange, opener)
    keys.write_secret(options.out, json.dumps(content).encode())
    return 0


def _backup(options: argparse.Namespace) -> int:
    size = backup.save(options.home, options.file, _passphrase())
    _say(f"{options.file}: {size} bytes", f"{options.file}：{size} 位元組")
    return 0


def _restore(options: argparse.Namespace) -> int:
    done = backup.restore(options.file, options.home, _passphrase(), options.outlasting)
    _say(
        f"Restored; {done} erasures and revocations done again. Start it while its witnesses run: a new epoch opens.",
        f"已還原，並重新執行 {done} 筆銷毀與撤回。請於見證閘道運作時啟動，閘道將開啟新紀元。",
    )
    return 0


def _resume(options: argparse.Namespace) -> int:
    backup.mark_restored(options.home)
    _say("The gateway opens a new epoch when it starts.", "閘道啟動時將開啟新紀元。")
    return 0


def _passphrase() -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise Problem(
            "passphrase-missing",
            422,
            what=Text("The passphrase of the backup is missing.", "未提供備份密語。"),
            why=Text("There is no terminal to ask for it.", "沒有可供輸入密語的終端機。"),
            todo=Text(f"Put it into the variable {PASSPHRASE}.", f"請將密語放入環境變數 {PASSPHRASE}。"),
        )
    return getpass.getpass("passphrase: ")


def _say(en: str, zh: str) -> None:
    text = Text(en, zh)
    sys.stdout.write(f"{text.zh} {text.en}\n")


VERBS = frozenset({"backup", "restore", "resume", "archive", "extract"})
