"""`smartgov gateway pins`: what a reader of evidence needs to hold the centre to members' own keys.

A gateway remembers the key of each member and takes another one only with proof. Its operator writes these keys down
for those who will check evidence long after; they compare them with what the members say by telephone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import past
from smartgov.engines.troad.home import Home
from smartgov.engines.trust import Pin, Pins, listing
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


async def pins(options: argparse.Namespace) -> int:
    """Write the keys that this gateway believes into `members.json` of a folder of anchors, beside those there."""
    at = homes.load(options.home)
    believed = _believed(at)
    chosen = sorted(believed) if options.all else options.member or [at.member]
    if strange := [member for member in chosen if member not in believed]:
        raise _unknown(strange[0])
    there = _there(options)
    members = dict(there.members)
    for member in chosen:
        key = believed[member]
        if key != members.get(member, (Pin("", 0.0),))[-1].key:
            members[member] = (*members.get(member, ()), Pin(key, _since(at, member, key)))
        sys.stdout.write(f"{member}  {key}\n")
    Pins(members, there.only or options.all).write(options.anchors, _worded)
    root = options.anchors / "root.json"
    if not root.exists():
        root.write_bytes(at.anchor())
    options.say(
        Text(
            "Compare each with the member by telephone.",
            f"已寫入 {options.anchors / 'members.json'}，請以電話逐一核對。",
        )
    )
    return 0


def _believed(at: Home) -> Mapping[str, str]:
    """The thumbprint of each member's key as this gateway accepted it."""
    path = at.path / "trust" / "members.json"
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {member: keys.thumbprint(keys.from_jwk(entry["key"])) for member, entry in state.items()}


def _since(at: Home, member: str, key: str) -> float:
    """When the first of the configurations that list this key without a break was signed, as far as this home has
    them; else now. A pin that is late does no harm: a reader follows the change from the key before.
    """
    found: float | None = None
    for bundle in past.newest_first(at.path):
        files = json.loads(bundle)["files"]
        if listing(files, at.anchor()).keys.get(member) == key:
            [country] = [json.loads(text) for name, text in files.items() if name.endswith(".country.json")]
            found = datetime.fromisoformat(country["issued_at"]).timestamp()
        elif found is not None:
            break
    return clock.timestamp() if found is None else found


def _worded(moment: float) -> str:
    return datetime.fromtimestamp(moment, clock.TAIPEI).isoformat()


def _there(options: argparse.Namespace) -> Pins:
    try:
        return Pins.read(options.anchors)
    except ValueError:
        raise Problem(
            "pins-unreadable",
            422,
            what=Text("No pins were written.", "未寫入金鑰釘選。"),
            why=Text("members.json of that folder has another form.", "該資料夾的 members.json 格式不符。"),
            todo=Text("Move it away, or mend it.", "請移開或修正該檔。"),
        ) from None


def _unknown(member: str) -> Problem:
    return Problem(
        "member-unknown",
        404,
        what=Text(f"This gateway knows no key of {member}.", f"此閘道沒有 {member} 的金鑰。"),
        todo=Text(
            "See whether the name is right, and whether the gateway has a configuration.",
            "請確認名稱，以及閘道是否已取得設定。",
        ),
    )
