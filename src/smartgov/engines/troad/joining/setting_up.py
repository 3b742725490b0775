"""`smartgov gateway init`: keys, the request to join, and what the centre gives once an officer has approved it.

It may be run again at any time: it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartgov.engines.httpd import Client
from smartgov.engines.pki import certificates, keys, token
from smartgov.engines.troad import backup, systems
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.joining import centre_door, keeper, request
from smartgov.engines.troad.joining.centre_door import CentreDoor
from smartgov.engines.troad.joining.request import Contact
from smartgov.engines.troad.names import is_part
from smartgov.engines.trust import Follower, Offer, Rotation
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PROGRESS = "joining.json"
_ASK_SECONDS = 2.0
WAITING = 3
Say = Callable[[Text], None]


async def init(options: argparse.Namespace) -> int:
    """Do what is left to do; 0 when the gateway can be started, 3 while the centre has not decided."""
    client = Client()
    try:
        door = CentreDoor(client, options.centre)
        root = await door.root(options.root)
        if not (options.home / PROGRESS).exists():
            await _ask(options, door, root)
        return await _follow(options, door)
    finally:
        await client.close()


async def _ask(options: argparse.Namespace, door: CentreDoor, root: bytes) -> None:
    if options.beside:
        _take_members_key(options)
    _make_home(options, door, root)
    rotation, in_charge = _rotation(options), await _in_charge(options, door, root)
    letter = request.write(
        options.home,
        name=Text(options.name_en or options.name_zh, options.name_zh or options.name_en),
        contact=Contact(options.office, options.email, options.phone),
        to=door.origin,
        now=clock.now(),
        rotation=rotation,
        in_charge=in_charge,
    )
    answer = await door.write(centre_door.REQUESTS, letter)
    _remember(options.home, {"fingerprint": answer["fingerprint"], "centre": door.origin})
    if rotation:  # others may know a log of this name: it is named in a new epoch
        offer = Offer.of(json.loads(letter["text"])["content"]["offer"])
        waits = request.waiting(rotation, in_charge == options.code)
        backup.mark_restored(options.home, entering={"since": offer.body["once"]["since"], "waits": waits})
    say: Say = options.say
    say(Text("The centre has the request. Its fingerprint:", "管理中心已收到申請，其指紋為："))
    say(Text(f"\n{request.grouped(_fingerprint(letter))}\n", ""))
    say(
        Text(
            "Tell it to the centre's officer by telephone; the officer compares it on the page and approves.",
            "請以電話告知管理中心承辦人，承辦人於頁面核對後核准。",
        )
    )


def _take_members_key(options: argparse.Namespace) -> None:
    """A further gateway signs in the member's name with the key that its first one has; all other keys are its own."""
    beside = homes.load(options.beside)
    if (beside.member, options.code) == (options.member, beside.code) or beside.member != options.member:
        raise request.refused(
            f"--beside is for another gateway of {beside.member}: give it that --member and another --code than"
            f" {beside.code}.",
            f"--beside 用於 {beside.member} 的另一閘道：--member 須相同，--code 不可為 {beside.code}。",
        )
    key = (beside.path / "keys" / "configuration.key").read_bytes()
    options.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys.write_secret(options.home / "keys" / "configuration.key", key)


def _fingerprint(letter: dict[str, Any]) -> str:
    """Worked out here: what the centre answers is not what people compare."""
    return sha256(letter["text"].encode()).hexdigest()


def _make_home(options: argparse.Namespace, door: CentreDoor, root: bytes) -> None:
    subsystems: dict[str, dict[str, Any]] = {name: {} for name in options.system}
    for service in options.service:
        name, _, url = service.partition("=")
        system, _, code = name.partition("/")
        if not (is_part(system) and is_part(code)):
            raise request.refused(f"{service} does not read SYSTEM/CODE=URL.", f"{service} 格式應為 SYSTEM/CODE=URL。")
        systems.check_address(url, {options.port, options.local_port})
        subsystems.setdefault(system, {}).setdefault("services", {})[code] = url
    if options.pkcs11:
        _key_in_module(options)
    stamps = options.timestamps and (options.timestamps[0], Path(options.timestamps[1]).read_bytes())
    homes.create(
        options.home,
        member=options.member,
        code=options.code,
        host=options.host,
        port=options.port,
        local_port=options.local_port,
        subsystems=subsystems or {"system": {}},
        centre_url=door.origin + centre_door.BUNDLE,
        anchor=root,
        timestamps=stamps or None,
    )
    homes.change(options.home, centre=door.origin)


def _key_in_module(options: argparse.Namespace) -> None:
    """Make the message key inside the token; its file then only says where it lies."""
    if not options.token or not options.pin_file:
        raise request.refused("--pkcs11 needs --token and --pin-file.", "--pkcs11 需搭配 --token 與 --pin-file。")
    path = options.home / "keys" / "message.key"
    if path.exists():
        return
    location = token.Location(options.pkcs11, options.token, f"message-{options.code}", options.pin_file.resolve())
    token.TokenKey.generate(location)
    uri = (
        f"{token.SCHEME}token={location.token};object={location.label}"
        f"?module-path={location.module}&pin-source=file:{location.pin_file}"
    )
    options.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys.write_secret(path, uri.encode())


def _rotation(options: argparse.Namespace) -> Rotation | None:
    """The proof of a member that has joined before: by its old key, or by the root keys."""
    new = homes.configuration_key(options.home)
    if options.old_home:
        old = homes.load(options.old_home).p256("configuration")
        return Rotation.make(member=options.member, old=old.public_key(), new=new, at=clock.now(), by=[old])
    return Rotation.of(json.loads(options.rotation.read_text())) if options.rotation else None


async def _in_charge(options: argparse.Namespace, door: CentreDoor, root: bytes) -> str:
    """The code of the gateway that takes keys by the member's word, as it is published and as the old home knows it;
    empty where nobody says so, or they differ.
    """
    if not (options.old_home or options.rotation):
        return ""
    said = {published_once(await door.bundle(), root, options.member)}
    if options.old_home and (known := homes.once_before(homes.load(options.old_home))):
        said.add(str(known["gateway"]))
    return said.pop() if len(said) == 1 else ""


def published_once(bundle: bytes, root: bytes, member: str) -> str:
    """The code of the gateway that a member's published offer, by its old keys, puts in charge; empty if none does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            offer = Follower(Path(folder), root).take(bundle, clock.now()).offers.get(member, {})
            return str(offer["once"]["gateway"])
        except (Problem, KeyError, TypeError):
            return ""


async def _follow(options: argparse.Namespace, door: CentreDoor) -> int:
    """Ask what became of the request until it is decided, or the time to wait is over."""
    end = time.monotonic() + options.wait
    said = ""
    while True:
        answer = await _state(options.home, door)
        if answer["state"] == "refused":
            raise _turned_down(str(answer.get("reason", "")))
        if answer["state"] == "joined" and await _take(options.home, door, answer):
            backup.mark_listed(options.home)
            options.say(Text(f"Joined. Start it: smartgov gateway --home {options.home}", "已加入，請啟動閘道。"))
            return 0
        if answer["state"] != said:
            said = answer["state"]
            options.say(_STATES.get(said, Text(said, said)))
        if time.monotonic() >= end:
            options.say(
                Text("Run the same command again later, or with --wait.", "稍後請重新執行同一指令，或加上 --wait。")
            )
            return WAITING
        await asyncio.sleep(_ASK_SECONDS)


async def _state(home: Path, door: CentreDoor) -> dict[str, Any]:
    fingerprint = json.loads((home / PROGRESS).read_text())["fingerprint"]
    letter = keeper.ask(homes.load(home), fingerprint, to=door.origin, now=clock.now())
    try:
        return await door.write(centre_door.STATE, letter)
    except Problem as problem:
        if problem.status == 404:
            (home / PROGRESS).unlink()  # the next run asks anew
        raise


async def _take(home: Path, door: CentreDoor, answer: dict[str, Any]) -> bool:
    """Install certificate and configuration; whether the configuration lists this gateway already."""
    homes.set_certificate(home, certificates.from_pem(answer["certificate"].encode()))
    homes.set_bundle(home, await door.bundle())
    at = homes.load(home)
    listed = Configuration(at).current().gateways.get(at.gateway)
    return listed is not None and listed.message_kid == keys.thumbprint(at.p256("message").public_key())


def _remember(home: Path, facts: dict[str, str]) -> None:
    keys.write_secret(home / PROGRESS, json.dumps(facts).encode())


_STATES = {
    "pending": Text("Waiting for the centre's officer.", "等候管理中心承辦人核准。"),
    "approved": Text("Approved; the certificate is being made.", "已核准，憑證製作中。"),
    "joined": Text(
        "Certified; waiting for the configuration that lists this gateway. (A further gateway of a member counts when"
        " its first one has signed: smartgov gateway offer --sign --gateway CODE.)",
        "已發證，等候列入設定。（成員的第二個閘道須由第一個閘道簽署：smartgov gateway offer --sign --gateway 代碼。）",
    ),
}


def _turned_down(reason: str) -> Problem:
    return Problem(
        "join-refused",
        403,
        what=Text("The centre has refused the request to join.", "管理中心已拒絕加入申請。"),
        why=Text(reason, reason),
        todo=Text(
            "Clear it up with the centre, remove joining.json in the home, and run the command again.",
            "請與管理中心釐清後，刪除資料夾中的 joining.json 再重新執行。",
        ),
    )
