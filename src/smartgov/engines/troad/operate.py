"""What an operator does to a gateway's home from the command line: back it up, restore it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from smartgov.engines.troad import backup
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
    return parser


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
    return os.environ.get(PASSPHRASE) or getpass.getpass("passphrase: ")


def _say(en: str, zh: str) -> None:
    text = Text(en, zh)
    sys.stdout.write(f"{text.zh} {text.en}\n")


VERBS = frozenset({"backup", "restore", "resume"})
