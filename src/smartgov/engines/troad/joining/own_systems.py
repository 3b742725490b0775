"""`smartgov gateway system | service`: which systems stand behind the gateway, and where their services are.

What is said here is known to this gateway alone. A running one takes it up within two seconds and journals it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from smartgov.engines.httpd import Client
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import systems
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.names import is_part
from smartgov.engines.troad.problems import refuse
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_PATIENCE = 12.0
_LOOK = 0.3
_PROBE = 2.0
Known = Mapping[str, Mapping[str, Any]]


async def service(options: argparse.Namespace) -> int:
    """Add, remove or list the addresses of services."""
    at = homes.load(options.home)
    if options.what == "list":
        return await _list(at, as_json=options.json)
    if not options.service:
        raise systems.refused("Name the service: SYSTEM/CODE=URL.", "請指明服務：SYSTEM/CODE=URL。")
    name, given, address = options.service.partition("=")
    system, _, code = name.partition("/")
    if not (is_part(system) and is_part(code)) or bool(given) != (options.what == "add"):
        form = "SYSTEM/CODE=URL" if options.what == "add" else "SYSTEM/CODE"
        raise systems.refused(f"{options.service} does not read {form}.", f"{options.service} 格式應為 {form}。")
    if options.what == "remove":
        if code not in _services(at, system):
            raise systems.refused(f"{name} has no address here.", f"{name} 在此沒有位址。")
        systems.set_address(at.path, system, code, None)
        return await _told(options, at, lambda known: code not in _of(known, system)["services"])
    systems.check_address(address, {at.port, at.local_port})
    if system not in at.subsystems:
        raise systems.refused(
            f"There is no system {system} here; add it first: smartgov gateway system add {system}.",
            f"此處沒有資訊系統 {system}，請先執行：smartgov gateway system add {system}。",
        )
    systems.set_address(at.path, system, code, address)
    _advise(options, at, system, code)
    return await _told(options, at, lambda known: _of(known, system)["services"].get(code) == address)


async def system(options: argparse.Namespace) -> int:
    """Add a system with a secret of its own, say what it may do, or list them."""
    at = homes.load(options.home)
    if options.what == "list":
        for name, one in at.subsystems.items():
            sys.stdout.write(f"{at.member}/{name}  {', '.join(sorted(one.may)) or '-'}  {_secret_of(at, name)}\n")
        return 0
    if not options.system:
        raise systems.refused("Name the system.", "請指明資訊系統。")
    systems.add(at.path, options.system, options.may)
    where = _secret_of(at, options.system)
    options.say(Text(f"Its secret lies in {where}.", f"其密鑰位於 {where}。"))
    wanted = None if options.may is None else sorted(set(options.may))
    return await _told(
        options, at, lambda known: options.system in known and wanted in (None, known[options.system]["may"])
    )


async def _list(at: Home, *, as_json: bool) -> int:
    """Every service with its address: whether the gateway uses it, whether it is offered, whether something listens."""
    try:
        used = await _asked(at)
    except OSError:
        used = None
    offered = _offered(at)
    rows = []
    for system in at.subsystems:
        for code, address in sorted(_services(at, system).items()):
            rows.append(
                {
                    "service": f"{at.member}/{system}/{code}",
                    "address": address,
                    "used": None if used is None else _of(used, system)["services"].get(code) == address,
                    "offered": f"{at.member}/{system}/{code}" in offered,
                    "listens": await _listens(address),
                }
            )
    here = {row["service"] for row in rows}
    rows += [
        {"service": name, "address": "", "used": None, "offered": True, "listens": False}
        for name in sorted(offered - here)
    ]
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    elif not rows:
        nothing = Text(
            "No service yet. Add one: smartgov gateway service add SYSTEM/CODE=URL.",
            "尚無服務。請執行：smartgov gateway service add SYSTEM/CODE=URL。",
        )
        sys.stdout.write(f"{nothing.zh}  {nothing.en}\n")
    for row in [] if as_json else rows:
        words = "; ".join(f"{text.zh} {text.en}" for text in _words(row))
        sys.stdout.write(f"{row['service']}  {row['address'] or '-'}  {words}\n")
    return 0


def _words(row: Mapping[str, Any]) -> list[Text]:
    if not row["address"]:
        return [Text("offered, but it has no address here", "已發布但此處未設位址")]
    found = [Text("offered", "已發布") if row["offered"] else Text("not offered yet", "尚未發布")]
    if not row["listens"]:
        found.append(Text("nothing listens there", "該處無程式接聽"))
    if row["used"] is None:
        found.append(Text("the gateway does not run", "閘道未執行"))
    elif not row["used"]:
        found.append(Text("not taken up", "尚未生效"))
    return found


def _offered(at: Home) -> set[str]:
    try:
        services = Configuration(at).current().services.values()
    except Problem:
        return set()
    return {one.id for one in services if one.member == at.member}


async def _listens(address: str) -> bool:
    parts = urlsplit(address)
    try:
        async with asyncio.timeout(_PROBE):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
            )
        writer.close()
    except (OSError, TimeoutError):
        return False
    return True


async def _told(options: argparse.Namespace, at: Home, there: Callable[[Known], bool]) -> int:
    """Wait until the running gateway uses what was written, and say so; one that does not run uses it at its start."""
    for _ in range(int(_PATIENCE / _LOOK)):
        try:
            if there(await _asked(at)):
                options.say(Text("In force.", "已生效。"))
                return 0
        except OSError:
            options.say(Text("Written; it counts when the gateway starts.", "已儲存，閘道啟動時生效。"))
            return 0
        await asyncio.sleep(_LOOK)
    options.say(Text("Written, but the gateway does not use it: see its log.", "已儲存但閘道未採用，請檢視其紀錄。"))
    return 1


async def _asked(at: Home) -> Known:
    """What the running gateway uses; OSError when none runs."""
    client = Client()
    try:
        answer = await client.request(
            "GET",
            f"http://127.0.0.1:{at.local_port}/local/v1/systems",
            headers={"authorization": f"Bearer {next(iter(at.subsystems.values())).secret}"},
            timeout=5,
        )
    except TimeoutError as error:
        raise OSError("it does not answer") from error
    finally:
        await client.close()
    if answer.status != 200:
        raise refuse("credentials-invalid")
    known: Known = answer.parsed()["systems"]
    return known


def _advise(options: argparse.Namespace, at: Home, system: str, code: str) -> None:
    if f"{at.member}/{system}/{code}" not in _offered(at):
        options.say(
            Text(
                "It is not offered yet: publish it on the centre's page, or with `smartgov gateway publish`.",
                "此服務尚未發布：請於管理中心頁面發布，或執行 `smartgov gateway publish`。",
            )
        )


def _services(at: Home, system: str) -> Mapping[str, str]:
    return at.subsystems[system].services if system in at.subsystems else {}


def _of(known: Known, system: str) -> Mapping[str, Any]:
    return known.get(system, {"services": {}, "may": []})


def _secret_of(at: Home, system: str) -> str:
    return str(at.path / systems.secret_file(system))
