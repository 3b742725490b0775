"""`smartgov gateway renew | offer | check | ping | maintenance`: what an operator does to a gateway that has joined."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from datetime import datetime
from typing import Any

from smartgov.engines import trust
from smartgov.engines.httpd import Client
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import handover, reaching, single_place, ways
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import maintenance as pausing
from smartgov.engines.troad.alarms import PASSED_OVER, Alarms
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.joining import centre_door, keeper, letters, offering
from smartgov.engines.troad.peers import Peers, policy_of
from smartgov.engines.troad.reaching import Step
from smartgov.engines.troad.received import problem_of
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

DRAFT = "offer-draft"
_PATIENCE = 30
_TIMEOUT = 60
_HEALTH_TIMEOUT = 5
_MARKS = {True: "ok ", False: "BAD", None: "-  "}


def _second(moment: datetime) -> str:
    """A moment for people: the second, in Taiwan's time, with its offset."""
    return moment.astimezone(clock.TAIPEI).isoformat(sep=" ", timespec="seconds")


async def renew(options: argparse.Namespace) -> int:
    """Order a certificate and wait for it."""
    at, client = homes.load(options.home), Client()
    door = centre_door.of(at, client)
    try:
        order = str((await door.write(centre_door.ORDERS, keeper.order(at, to=door.origin, now=clock.now())))["order"])
        for _ in range(_PATIENCE):
            answer = await door.write(centre_door.ORDERED, keeper.ask(at, order, to=door.origin, now=clock.now()))
            if answer["state"] == "issued":
                certificate = certificates.from_pem(answer["certificate"].encode())
                homes.set_certificate(at.path, certificate)
                end = _second(certificate.not_valid_after_utc)
                options.say(Text(f"The new certificate ends {end}.", f"新憑證到期時間：{end}。"))
                return 0
            if answer["state"] == "refused":
                options.say(Text(f"Refused: {answer.get('reason', '')}", "管理中心拒絕簽發。"))
                return 1
            await asyncio.sleep(1)
        options.say(
            Text("Ordered, not yet made. A running gateway takes it up.", "已申請，尚未簽發；運作中的閘道會自動取得。")
        )
        return 3
    finally:
        await client.close()


async def offer(options: argparse.Namespace) -> int:
    """Show what the centre's register says of this member and, with `--sign`, sign it."""
    at, client = homes.load(options.home), Client()
    door = centre_door.of(at, client)
    try:
        signers = {"configuration": at.p256("configuration")}
        letter = letters.write(DRAFT, {"member": at.member}, signers, to=door.origin, now=clock.now())
        draft = await door.write(centre_door.DRAFT, letter)
        sys.stdout.write(json.dumps(draft["said"], ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        if not options.sign:
            options.say(Text("Read it, then run this with --sign.", "確認內容後請加上 --sign 執行。"))
            return 0
        await offering.documents(door, at, draft["said"]["services"], clock.now())
        signed = _signed(at, draft, options)
        await door.write(
            centre_door.OFFERS,
            letters.write(keeper.HAND_IN, {"offer": signed.as_json()}, signers, to=door.origin, now=clock.now()),
        )
        options.say(
            Text(
                f"Signed and handed in, until {_second(signed.ends)}.",
                f"已簽署並送交管理中心，有效至 {_second(signed.ends)}。",
            )
        )
        return 0
    finally:
        await client.close()


def _signed(at: Home, draft: dict[str, Any], options: argparse.Namespace) -> trust.Offer:
    """Sign what the register says; a further gateway only as it was signed before, or when it is named."""
    said = draft["said"]
    configuration = _accepted(at)
    before, own_word = _signed_before(configuration), {at.code, *options.gateway}
    strange = [code for code, one in said["gateways"].items() if code not in own_word and before.get(code) != one]
    if strange:
        listed = ", ".join(sorted(strange))
        raise Problem(
            "offer-foreign",
            409,
            what=Text(
                f"The centre lists a gateway that this member has not signed for: {listed}.",
                f"管理中心列有本成員未曾簽署的閘道：{listed}。",
            ),
            why=Text("Signed, it could speak for this member.", "簽署後該閘道即可代表本成員。"),
            todo=Text(
                "If it is yours, compare its keys (`smartgov gateway offer` shows them) and add --gateway CODE.",
                "若確為貴機關閘道，請比對金鑰（`smartgov gateway offer` 可顯示）後加上 --gateway 代碼。",
            ),
        )
    own = trust.thumbprints(homes.describe(at.path)["gateway"])
    if said["gateways"].get(at.code) != own:
        raise Problem(
            "offer-foreign",
            409,
            what=Text("The centre lists other keys for this gateway.", "管理中心登記的金鑰與本閘道不同。"),
            why=Text("Signed, it would let somebody else speak for this member.", "簽署後將使他人得以冒用本成員名義。"),
            todo=Text("Do not sign; ring up the centre.", "請勿簽署，並致電管理中心。"),
        )
    return homes.sign_offer(
        at.path,
        member=at.member,
        services=said["services"],
        rights=said["rights"],
        gateways=said["gateways"],
        version=int(draft["version"]),
        now=clock.now(),
        once=_once(at, configuration, set(said["gateways"]), options),
    )


def _once(
    at: Home, configuration: Configuration | None, listed: set[str], options: argparse.Namespace
) -> dict[str, Any] | None:
    """At which gateway this member counts what may happen only once: as before, if no other is named with `--once`.

    Another one takes no key until nobody can work by a configuration of before, or the operator says that the gateway
    which took them has stopped.
    """
    before = single_place.named(configuration.current().members.get(at.member)) if configuration else None
    wanted = options.once or (before["gateway"] if before else at.code)
    if wanted not in listed:
        raise Problem(
            "once-unlisted",
            409,
            what=Text(
                f"Gateway {wanted} is to count what may happen only once.", f"冪等鍵與單次同意由閘道 {wanted} 計次。"
            ),
            why=Text("The centre does not list it any more.", "管理中心已未列出該閘道。"),
            todo=Text(
                f"Add --once CODE with one of: {', '.join(sorted(listed))}; and --former-stopped if the other is off.",
                f"請加上 --once 代碼（{'、'.join(sorted(listed))}）；先前閘道確已停用時另加 --former-stopped。",
            ),
        )
    # One that entered with new keys waits for others until it is said that they have stopped.
    again = options.once and options.former_stopped
    if before is None or (before["gateway"] == wanted and not again):
        return before
    if (since := _taken_over(at, wanted, before, options)) is not None:
        return {"gateway": wanted, "since": since}
    wait = 0 if options.former_stopped else single_place.MOVING_SECONDS
    return {"gateway": wanted, "since": math.ceil(clock.now().timestamp()) + wait}


def _taken_over(at: Home, wanted: str, before: dict[str, Any], options: argparse.Namespace) -> int | None:
    """From when on the gateway of this home is in charge because it took over from the one before, which has ended."""
    if not (at.path / "log.sqlite3").exists():
        return None
    if wanted == at.code:
        taken = handover.taken_in(at.path)
        if taken is None or taken.former != f"{at.member}/{before['gateway']}" or taken.at < before["since"]:
            return None
        return taken.since
    given = handover.state(at.path)[0]
    if given is None or given.to != f"{at.member}/{wanted}" or given.at < before["since"] or options.former_stopped:
        return None
    raise Problem(
        "once-handed-over",
        409,
        what=Text(f"This gateway has handed over to {given.to}.", f"本閘道已移交給 {given.to}。"),
        why=Text("Only that one's log says from when on it takes keys.", "接手起算時間僅載於該閘道日誌。"),
        todo=Text(
            f"Run `smartgov gateway takeover` there, then sign there with --once {wanted}.",
            f"請於該閘道執行 `smartgov gateway takeover` 後，於該處以 --once {wanted} 簽署。",
        ),
    )


def _accepted(at: Home) -> Configuration | None:
    """The configuration in force here, or None."""
    configuration = Configuration(at)
    try:
        configuration.current()
    except Problem:
        return None
    return configuration


def _signed_before(configuration: Configuration | None) -> dict[str, Any]:
    """The gateways, by code, that the member's offer in force vouches for."""
    offer = configuration.own_offer() if configuration else None
    return dict(offer[0].get("gateways") or {}) if offer else {}


async def timestamps(options: argparse.Namespace) -> int:
    """Name the time-stamping authority; the gateway asks it from its next start on."""
    at, root = homes.load(options.home), options.root.read_bytes()
    try:
        certificates.from_pem(root)
    except ValueError:
        raise Problem(
            "root-unreadable",
            422,
            what=Text(f"{options.root} is no certificate.", f"{options.root} 不是憑證。"),
            todo=Text("Give the authority's root as PEM.", "請提供時戳機構根憑證（PEM）。"),
        ) from None
    keys.write_secret(at.path / "certs" / "timestamps.pem", root)
    settings = {"url": options.url, "root": "certs/timestamps.pem", "every": 60, "bound": options.bound}
    homes.change(at.path, timestamps=settings)
    options.say(Text("It counts from the gateway's next start on.", "閘道下次啟動時生效。"))
    return 0


async def check(options: argparse.Namespace) -> int:
    """Ask the running gateway for the deep check and print what it found."""
    at, client = homes.load(options.home), Client()
    shared = next(iter(at.subsystems.values())).secret
    try:
        answer = await client.request(
            "GET",
            f"http://127.0.0.1:{at.local_port}/local/v1/health?deep",
            headers={"authorization": f"Bearer {shared}"},
            timeout=_TIMEOUT,
        )
    except (OSError, TimeoutError):
        raise Problem(
            "gateway-not-running",
            503,
            what=Text("The gateway does not answer on its local port.", "閘道在本機埠沒有回應。"),
            why=Text(f"Nothing listens on 127.0.0.1:{at.local_port}.", f"127.0.0.1:{at.local_port} 無人監聽。"),
            todo=Text(f"Start it: smartgov gateway --home {at.path}", f"請啟動：smartgov gateway --home {at.path}"),
        ) from None
    finally:
        await client.close()
    said = answer.parsed()
    if "checks" not in said:
        raise problem_of(answer)
    _show(said["checks"], as_json=options.json)
    return 0 if said["well"] else 1


async def ping(options: argparse.Namespace) -> int:
    """Reach a member's gateways one by one."""
    at = homes.load(options.home)
    configuration = Configuration(at)
    peers = Peers(configuration, Alarms(), policy_of(at.revocation), clock.now)
    found = [
        one
        for one in configuration.current().gateways.values()
        if options.member in (one.member, one.id, one.member.rsplit("/", 1)[1])
    ]
    if not found:
        raise Problem(
            "member-unknown",
            404,
            what=Text(f"There is no member or gateway {options.member}.", f"沒有成員或閘道 {options.member}。"),
            why=Text("The configuration in force does not list it.", "目前設定未列出。"),
            todo=Text("Write it as TW/GOV/xyz or TW/GOV/xyz/gw1.", "格式如 TW/GOV/xyz 或 TW/GOV/xyz/gw1。"),
        )
    client, fine = Client(ssl=configuration.client_tls, judge=peers.judge), True
    try:
        passed = await _passed_over(at, client)
        for to in found:
            steps = await reaching.reach(
                to,
                peers=peers,
                client=client,
                tls=configuration.client_tls,
                state=configuration.state(),
                now=clock.now,
            )
            if to.id in passed:
                steps.append(Step("in-use", None, f"passed over: {passed[to.id]}", ways.TODO))
            sys.stdout.write(f"{to.id}  {to.authority}\n")
            _show([step.as_json() for step in steps], as_json=options.json)
            fine = fine and all(step.ok is not False for step in steps)
    finally:
        await client.close()
    return 0 if fine else 1


async def _passed_over(at: Home, client: Client) -> dict[str, str]:
    """The gateways that the running gateway of this home passes over, with the reason; none when it does not run."""
    url = f"http://127.0.0.1:{at.local_port}/local/v1/health"
    try:
        alarms = (await client.request("GET", url, timeout=_HEALTH_TIMEOUT)).parsed()["alarms"]
    except (OSError, TimeoutError, ValueError, KeyError):
        return {}
    return {name.removeprefix(PASSED_OVER): why for name, why in alarms.items() if name.startswith(PASSED_OVER)}


async def key(options: argparse.Namespace) -> int:
    """Show the thumbprint of the member's own key, which the holders of root keys vouch for when an old one is lost."""
    sys.stdout.write(f"{keys.thumbprint(homes.configuration_key(options.home))}\n")
    return 0


async def maintenance(options: argparse.Namespace) -> int:
    """Begin or end maintenance, or say whether there is any."""
    at = homes.load(options.home)
    if options.what == "off":
        there = pausing.end(at.path)
        options.say(
            Text("Takes exchanges." if there else "There was none.", "已恢復交換。" if there else "原本未在維護中。")
        )
        return 0
    if options.what == "on":
        pausing.begin(at.path, now=clock.now(), minutes=options.minutes, reason=options.reason)
    window = pausing.Maintenance(at.path).window
    if window is None:
        options.say(Text("Takes exchanges.", "正常交換中。"))
        return 0
    options.say(Text(f"Maintenance until {_second(window.until)}.", f"維護至 {_second(window.until)}。"))
    return await _finished(at) if options.wait else 0


async def _finished(at: Home) -> int:
    """Wait until the running gateway works on no exchange any more; one that does not run has none."""
    client = Client()
    try:
        while True:
            try:
                answer = await client.request("GET", f"http://127.0.0.1:{at.local_port}/local/v1/health", timeout=5)
            except (OSError, TimeoutError):
                return 0
            if answer.parsed().get("running") == 0:
                return 0
            await asyncio.sleep(0.2)
    finally:
        await client.close()


def _show(steps: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(steps, ensure_ascii=False, indent=1) + "\n")
        return
    for step in steps:
        sys.stdout.write(f"{_MARKS[step['ok']]} {step['name']:<14} {step['detail']}\n")
        if step["todo"]["en"]:
            sys.stdout.write(f"    -> {step['todo']['zh']}  {step['todo']['en']}\n")
