"""`smartgov trust vouch`: holders of root keys state that a member whose key was lost signs with another from now on.

Each holder signs on a machine of their own; the file goes from one to the next until a threshold has signed. Gateways
raise an alarm at once and believe the new key after 72 hours.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from smartgov.engines.pki import keys
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.rotation import Rotation
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


def main(arguments: Sequence[str]) -> int:
    """Run the verb; 0 when the statement is written."""
    options = _parser().parse_args(list(arguments))
    statement = _begun(options)
    for file in options.key:
        statement = statement.signed(keys.load_p256(file))
    keys.write_secret(options.file, json.dumps(statement.as_json(), indent=1).encode())
    count = len(statement.signatures)
    sys.stdout.write(f"{options.file}：{count} 個簽署  {count} signatures, {statement.old} -> {statement.new}\n")
    return 0


def _begun(options: argparse.Namespace) -> Rotation:
    """The statement as others have signed it, or a new one; Problem `statement-other` when it says something else."""
    for name in (options.old, options.new):
        if not _THUMBPRINT.fullmatch(name):
            raise _refused(f"{name[:60]} is no thumbprint of a key.", f"{name[:60]} 不是金鑰指紋。")
    if options.old == options.new:
        raise _refused("Old and new key are the same.", "新舊金鑰相同。")
    if not options.file.exists():
        return Rotation(options.member, options.old, options.new, md.whole_seconds(clock.now()), {})
    try:
        found = Rotation.of(json.loads(options.file.read_text()))
    except (ValueError, KeyError, TypeError):
        raise _refused("The file is no such statement.", "檔案並非此類聲明。") from None
    if (found.member, found.old, found.new) != (options.member, options.old, options.new):
        raise _refused("The file says something else; others signed that.", "檔案內容不同，他人所簽為另一聲明。")
    return found


def _refused(en: str, zh: str) -> Problem:
    return Problem(
        "statement-other",
        422,
        what=Text("The statement is not signed.", "未簽署聲明。"),
        why=Text(en, zh),
        todo=Text("Compare it with what the member says by telephone.", "請以電話與成員核對。"),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smartgov trust", description="Statements of the holders of root keys.")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    text = "state that a member's key is replaced, or add a signature to such a statement"
    verb = verbs.add_parser("vouch", help=text, description=text)
    verb.add_argument("--member", required=True, help="TW/GOV/xyz")
    verb.add_argument("--old", required=True, help="thumbprint of the lost key, as the member's page shows it")
    verb.add_argument("--new", required=True, help="thumbprint of the new one: smartgov gateway key")
    verb.add_argument("--key", type=Path, action="append", required=True, help="file of a root key")
    verb.add_argument("--file", type=Path, required=True, help="the statement; signed further when it is there")
    return parser
