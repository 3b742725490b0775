"""The information systems behind a gateway as its operator changes them by command, while the gateway runs.

`gateway.yaml` says what a gateway was set up with; `systems.json` in the home what was changed since, and counts
before it: `{system: {"services": {code: address, or null for none}, "may": [abilities]}}`. An address stays within
the agency: people's ids are in clear on this hop, so it leads to this machine, or by TLS to a private network.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smartgov.engines.pki import keys
from smartgov.engines.troad import reference
from smartgov.engines.troad.names import is_part
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

FILE = "systems.json"
ABILITIES = frozenset({"seal", "consent", "token", "erase", "evidence"})
LONGEST = 300
Changes = dict[str, dict[str, Any]]


def read(home: Path) -> Changes:
    """What was changed by command; ValueError for a file that nobody can use."""
    try:
        changes = json.loads((home / FILE).read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(changes, dict):
        raise ValueError(f"{FILE} is no object")
    for name, entry in changes.items():
        _check(name, entry)
    return changes


def merged(settings: Mapping[str, Any], changes: Changes) -> dict[str, dict[str, Any]]:
    """`subsystems` of `gateway.yaml` with the changes in their place."""
    found = {name: dict(entry) for name, entry in settings.items()}
    for name, entry in changes.items():
        own = found.setdefault(name, {"secret_file": secret_file(name)})
        services = {**(own.get("services") or {}), **entry.get("services", {})}
        own["services"] = {code: address for code, address in services.items() if address is not None}
        if "may" in entry:
            own["may"] = list(entry["may"])
    return found


def set_address(home: Path, system: str, code: str, address: str | None) -> None:
    """Let the service `code` of `system` be found at `address`, or nowhere (None)."""
    with _changing(home) as changes:
        changes.setdefault(system, {}).setdefault("services", {})[code] = address


def add(home: Path, system: str, may: list[str] | None = None) -> None:
    """Let there be a system of this name, with a secret of its own; `may` None leaves what it may do."""
    if not is_part(system):
        raise refused(f"{system[:80]} cannot be a name.", f"{system[:80]} 不能作為名稱。")
    if strange := set(may or ()) - ABILITIES:
        raise refused(f"There is no ability {', '.join(sorted(strange))}.", f"沒有 {'、'.join(sorted(strange))} 權能。")
    make_secret(home, system)
    with _changing(home) as changes:
        entry = changes.setdefault(system, {})
        if may is not None:
            entry["may"] = sorted(set(may))


def make_secret(home: Path, system: str) -> str:
    """Make the secret between a system and its gateway unless there is one; where it lies in the home."""
    if not (home / secret_file(system)).exists():
        keys.write_secret(home / secret_file(system), secrets.token_urlsafe(32).encode())
    return secret_file(system)


def secret_file(system: str) -> str:
    """Where the secret of a system lies in the home."""
    return f"secrets/{system}"


def check_address(address: str, own_ports: set[int]) -> str:
    """The address, if services may be called there; Problem `address-refused`.

    `http` to this machine, `https` also to a private network; never to a port of the gateway itself.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise refused(f"{address[:LONGEST]} is no address.", f"{address[:LONGEST]} 不是網址。") from None
    plain = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
    if not plain or parts.username is not None or len(address) > LONGEST or not address.isprintable() or " " in address:
        raise refused(
            "It reads http://HOST:PORT/PATH, without a question mark, user or password.",
            "格式應為 http://主機:連接埠/路徑，不含問號、帳號或密碼。",
        )
    reference.refuse_clear(b"", (address,))
    found = _addresses(parts.hostname or "")
    if not all(one.is_loopback or (parts.scheme == "https" and _is_private(one)) for one in found):
        raise refused(
            "People's ids are in clear on this hop: http only to this machine, https also to a private network.",
            "此段連線之個人識別碼未加密：http 僅限本機，https 可至私有網路。",
        )
    if port in own_ports and any(one.is_loopback for one in found):
        raise refused("The gateway itself listens there.", "該處為閘道自身之連接埠。")
    return address


def refused(why_en: str, why_zh: str) -> Problem:
    """A change of the systems that is not made."""
    return Problem(
        "address-refused",
        422,
        what=Text("The gateway is not set up like this.", "閘道不接受此設定。"),
        why=Text(why_en, why_zh),
        todo=Text("Correct it and run the command again.", "請修正後重新執行指令。"),
    )


def _is_private(one: IPv4Address | IPv6Address) -> bool:
    # Link-local addresses are where clouds keep credentials; "private" in Python's sense holds reserved nets too.
    return one.is_private and not (one.is_link_local or one.is_unspecified or one.is_reserved or one.is_multicast)


def _addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """What a host stands for: itself, or everything that its name resolves to now."""
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise refused(f"No host is known as {host}.", f"查無主機 {host}。") from None
    return [ip_address(str(one).partition("%")[0]) for one in found]


def _check(name: object, entry: object) -> None:
    if not is_part(str(name)) or not isinstance(entry, dict) or set(entry) - {"services", "may"}:
        raise ValueError(f"{FILE}: {name!r} is no system with services and abilities")
    services, may = entry.get("services", {}), entry.get("may", [])
    if not isinstance(services, dict) or not isinstance(may, list) or set(map(str, may)) - ABILITIES:
        raise ValueError(f"{FILE}: {name} has services or abilities that nobody can read")
    if not all(is_part(code) and (one is None or isinstance(one, str)) for code, one in services.items()):
        raise ValueError(f"{FILE}: {name} has a service that nobody can read")


@contextmanager
def _changing(home: Path) -> Iterator[Changes]:
    """The changes, to be altered and written back; two commands at once wait for each other."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        changes = read(home)
        yield changes
        keys.write_secret(home / FILE, json.dumps(changes, ensure_ascii=False, indent=1, sort_keys=True).encode())
    finally:
        os.close(folder)
