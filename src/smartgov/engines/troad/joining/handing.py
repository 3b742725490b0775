"""`smartgov gateway handover | takeover`: what may happen only once goes from one gateway of a member to another.

The running gateways do it (`moving`); a command leaves word in the home, and waits for what the log then says.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import Any

from smartgov.engines.httpd import Client
from smartgov.engines.pki import keys
from smartgov.engines.troad import handover as handing
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import moving
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.snapshot import Snapshot
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_LOOK = 0.3
_ENDING = 180.0
"""Seconds for which calls that are worked on are waited for: a service may take two minutes."""
_SEEN = 60.0
_TAKING = 60.0
_TIMEOUT = 5


async def handover(options: argparse.Namespace) -> int:
    """End taking what may happen only once, for good, and write the file for the successor; again: the same file."""
    at = homes.load(options.home)
    snapshot = Configuration(at).current()
    to = f"{at.member}/{options.to}"
    _may_hand_over(at, snapshot, to)
    if handing.state(at.path)[1] is None or not _under_this_word(at, snapshot):
        moving.ask(at.path, to, snapshot.members[at.member].once_since)
        await _running(at)
    if not await _until(_ENDING, lambda: _under_this_word(at, snapshot) and handing.state(at.path)[1]):
        options.say(
            Text(
                "It takes no more, and still works on calls. Run this again when `gateway check` says that they ended.",
                "已停止接受，仍有請求處理中；處理完畢後請重新執行本指令。",
            )
        )
        return 3
    if not await _until(_SEEN, lambda: _confirmed(at, snapshot)):
        options.say(
            Text(
                "It takes no more; other members have not co-signed that yet. Run this again when they are reached.",
                "已停止接受，但其他成員尚未共同簽署；連線恢復後請重新執行本指令。",
            )
        )
        return 3
    claims, spent = handing.write(at, snapshot, options.file, clock.now())
    options.say(
        Text(
            f"{options.file}: {claims} keys and {spent} spent consents for {to}, who may take them over within a day.",
            f"{options.file}：冪等鍵 {claims} 筆、已使用之單次同意 {spent} 筆，由 {to} 於一日內接手。",
        )
    )
    return 0


async def takeover(options: argparse.Namespace) -> int:
    """Have the running gateway store what the file holds; then the member signs that this one is in charge."""
    at = homes.load(options.home)
    try:
        handed = handing.read(options.file, at, Configuration(at).current(), clock.now())
    except OSError:
        raise handing.refused(f"{options.file} cannot be read.", f"無法讀取 {options.file}。") from None
    if not _taken(at, handed):
        keys.write_secret(at.path / moving.HANDED, options.file.read_bytes())
        await _running(at)
        if not await _until(_TAKING, lambda: _taken(at, handed) or not (at.path / moving.HANDED).exists()):
            options.say(Text("Not taken yet: see its log.", "尚未接手，請檢視其紀錄。"))
            return 1
        if not _taken(at, handed):
            raise handing.refused(
                "The running gateway refused it: see its alarms.", "運作中的閘道未接受，請檢視其警示。"
            )
    claims, spent = handed.counts
    options.say(
        Text(
            f"Took over {claims} keys and {spent} spent consents of {handed.former}. Delete the file, then sign:"
            f" smartgov gateway offer --sign --once {at.code} --home {at.path}",
            f"已接手 {handed.former} 之冪等鍵 {claims} 筆、已使用之單次同意 {spent} 筆。請刪除檔案後簽署：",
        )
    )
    return 0


def _may_hand_over(at: Home, snapshot: Snapshot, to: str) -> None:
    member = snapshot.members.get(at.member)
    if member is None or member.once != at.gateway:
        other = member.once if member else ""
        raise handing.refused(
            f"By the offer in force the gateway in charge is {other or 'none'}.",
            f"依現行簽署內容，計次閘道為 {other or '無'}。",
        )
    if to == at.gateway or to not in snapshot.gateways:
        raise handing.refused(f"There is no other gateway {to}.", f"沒有另一個閘道 {to}。")
    given = handing.state(at.path)[0]
    if given is not None and given.at >= member.once_since and given.to != to:
        raise handing.refused(f"It was handed over to {given.to} already.", f"先前已移交給 {given.to}。")
    if member.once_since > clock.now().timestamp():
        raise handing.refused("Keys are still moving to this gateway.", "冪等鍵計次仍在移至本閘道。")


def _under_this_word(at: Home, snapshot: Snapshot) -> bool:
    given = handing.state(at.path)[0]
    return given is not None and given.at >= snapshot.members[at.member].once_since


def _confirmed(at: Home, snapshot: Snapshot) -> bool:
    given, complete, note = handing.state(at.path)
    own = snapshot.gateways[at.gateway]
    return bool(given and complete and handing.confirmed(note, own, given, complete["index"], snapshot))


def _taken(at: Home, handed: handing.Handed) -> bool:
    taken = handing.taken_in(at.path)
    return taken is not None and (taken.former, taken.at) == (handed.former, handed.at)


async def _until(seconds: float, holds: Callable[[], Any]) -> bool:
    for _ in range(int(seconds / _LOOK)):
        if holds():
            return True
        await asyncio.sleep(_LOOK)
    return bool(holds())


async def _running(at: Home) -> None:
    """Problem `gateway-not-running` when nothing answers on the local port: it goes on at its next start."""
    client = Client()
    try:
        await client.request("GET", f"http://127.0.0.1:{at.local_port}/local/v1/health", timeout=_TIMEOUT)
    except (OSError, TimeoutError):
        raise Problem(
            "gateway-not-running",
            503,
            what=Text("The gateway does not answer on its local port.", "閘道在本機埠沒有回應。"),
            why=Text("It does this itself, at its next start.", "移交由閘道於下次啟動時執行。"),
            todo=Text(
                f"Start it and run this again: smartgov gateway --home {at.path}",
                f"請啟動後重新執行：smartgov gateway --home {at.path}",
            ),
        ) from None
    finally:
        await client.close()
