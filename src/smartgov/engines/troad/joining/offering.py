"""`smartgov gateway publish`: a member elsewhere publishes its services by letter; and fetches their documents.

The centre hands a document only to the member whose service names it, and that one takes it only when its SHA-256 is
the one that is signed. A gateway that lacks the document of an own service fetches it by itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from smartgov.engines.httpd import Client
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.joining import centre_door, letters
from smartgov.engines.troad.joining.centre_door import CentreDoor
from smartgov.engines.troad.joining.request import COMMAND, refused
from smartgov.engines.troad.names import is_part
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PUBLISH, CONTRACT = "service", "contract"
MOST_BYTES = 2**20
"""The largest OpenAPI document."""
SIGN = Text(
    "It counts when it is signed: smartgov gateway offer --sign.", "請執行 smartgov gateway offer --sign 簽署。"
)
LIMITS = ("body_bytes", "seconds", "per_minute", "per_day")


async def publish(options: argparse.Namespace) -> int:
    """Hand in a service with its document and settings; what remains is to sign the offer."""
    at, client = homes.load(options.home), Client()
    system, _, code = options.service.partition("/")
    if not (is_part(system) and is_part(code)):
        raise refused(
            f"{options.service} does not read SYSTEM/CODE.", f"{options.service} 格式應為 SYSTEM/CODE。", COMMAND
        )
    document = None
    if options.document is not None:
        raw = options.document.read_bytes()
        if len(raw) > MOST_BYTES:
            raise refused("The document has more than 1 MB.", "文件超過 1 MB。", COMMAND)
        document = raw.decode()
    content = {
        "service": f"{at.member}/{options.service}",
        "withdraw": options.withdraw,
        "replace": options.replace,
        "document": document,
        "settings": _settings(options),
    }
    try:
        door = centre_door.of(at, client)
        told = await deed(door, at, PUBLISH, centre_door.SERVICES, content)
    except Problem as problem:
        for one in problem.extra.get("findings") or ():
            _finding(options.document, one)
        show_changes(problem.extra.get("changes") or {})
        raise
    finally:
        await client.close()
    state = Text("withdrawn", "已撤下") if options.withdraw else Text("registered", "已登錄")
    options.say(Text(f"{told['service']}: {state.en}.", f"{told['service']}：{state.zh}。"))
    options.say(SIGN)
    return 0


def _finding(document: Path | None, one: Mapping[str, Any]) -> None:
    """One place that breaks a rule: where, which rule, what to do."""
    sys.stdout.write(f"{document}:{one.get('line', '?')}: {one.get('severity')} {one.get('rule')}\n")
    for part in ("text", "note", "todo"):
        if (said := Text.of(one.get(part) or "")).en:
            sys.stdout.write(f"  {said.zh}  {said.en}\n")


def show_changes(told: Mapping[str, Any]) -> None:
    """What would change under a name that exists: versions, operations, settings."""
    for name, pair in {"version": told.get("version"), **told.get("settings", {})}.items():
        if pair:
            sys.stdout.write(f"{name}: {pair['before']} -> {pair['after']}\n")
    for name, listed in told.get("operations", {}).items():
        sys.stdout.writelines(f"{name}: {one}\n" for one in listed)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in LIMITS if getattr(options, name) is not None}
    return {
        "personal": not options.not_personal,
        "related": options.related,
        "visibility": options.visibility,
        "delay_days": options.delay_days,
        "shown_from": options.shown_from,
        "order": options.order,
        "durability": options.durability,
        "retain_days": options.retain_days,
        "limits": given,
    }


async def deed(door: CentreDoor, at: Home, kind: str, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Write a letter in the name of the member and read the answer; no two letters are alike."""
    said = {**content, "gateway": at.gateway, "nonce": letters.nonce().hex()}
    signers = {"configuration": at.p256("configuration")}
    return await door.write(path, letters.write(kind, said, signers, to=door.origin, now=clock.now()))


async def documents(door: CentreDoor, at: Home, services: list[dict[str, Any]], now: datetime) -> list[str]:
    """Fetch the documents that these own services name and that are not here; the digests of those fetched.

    Problem `contract-foreign` for one that is not what its digest says: nothing of it is kept.
    """
    fetched = []
    for digest in sorted({str(one["contract"]) for one in services if one.get("contract")}):
        if at.contract(digest) is not None:
            continue
        signers = {"configuration": at.p256("configuration")}
        letter = letters.write(CONTRACT, {"gateway": at.gateway, "digest": digest}, signers, to=door.origin, now=now)
        document = str((await door.write(centre_door.CONTRACTS, letter))["document"]).encode()
        if not compare_digest(sha256(document).hexdigest(), digest):
            raise _foreign(digest)
        homes.add_contract(at.path, document)
        fetched.append(digest)
    return fetched


def _foreign(digest: str) -> Problem:
    return Problem(
        "contract-foreign",
        409,
        what=Text("The centre gave another document than the register names.", "管理中心提供的文件與登記不符。"),
        why=Text(f"Its SHA-256 is not {digest[:16]}….", f"其 SHA-256 並非 {digest[:16]}…。"),
        todo=Text("Do not sign; ring up the centre.", "請勿簽署，並致電管理中心。"),
    )
