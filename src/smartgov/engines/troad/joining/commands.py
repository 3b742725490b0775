"""`smartgov gateway init | system | service | publish | right | offer | timestamps | renew | check | ping | ...`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from smartgov.engines.troad.joining import handing, looking_after, offering, own_systems, pinning, rights, setting_up
from smartgov.engines.troad.joining.joined import not_joined
from smartgov.engines.troad.systems import ABILITIES
from smartgov.engines.troad.visibility import CLASSES as VISIBILITIES
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

VERBS = (
    *("init", "system", "service", "publish", "right", "offer", "timestamps"),
    *("renew", "check", "ping", "key", "pins", "maintenance", "handover", "takeover"),
)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; 0 when it is done, 1 when something is wrong, 3 when the centre has not decided yet."""
    options = _parser().parse_args(list(arguments))
    try:
        status: int = asyncio.run(options.run(options))
    except Problem as problem:
        if problem.slug == "letter-unknown" and options.run is not setting_up.init:
            raise not_joined(options.home) or problem from None
        raise
    return status


def say(text: Text) -> None:
    """A line for the person at the keyboard, in both languages."""
    sys.stdout.write(f"{text.zh}  {text.en}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smartgov gateway")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    _init(_verb(verbs, "init", setting_up.init, "make a gateway's keys and ask the centre to let it join"))
    _systems(verbs)
    _publish(_verb(verbs, "publish", offering.publish, "publish a service of this member at the centre"))
    _right(_verb(verbs, "right", rights.right, "ask for a right; list, grant, refuse, end those of this member"))
    _verb(verbs, "renew", looking_after.renew, "order the next certificate now; a running gateway takes it up")
    offer = _verb(verbs, "offer", looking_after.offer, "show what the centre's register says that this member offers")
    offer.add_argument("--sign", action="store_true", help="sign it with the member's own key and hand it in")
    text = "sign for this further gateway of the member too, whose keys were compared"
    offer.add_argument("--gateway", action="append", default=[], metavar="CODE", help=text)
    text = "count idempotency keys and single uses at this gateway of the member from now on"
    offer.add_argument("--once", metavar="CODE", help=text)
    text = "with --once: the gateway that took keys before is off for good; without this the new one waits two days"
    offer.add_argument("--former-stopped", action="store_true", help=text)
    stamps = _verb(verbs, "timestamps", looking_after.timestamps, "name the authority that stamps the log's heads")
    stamps.add_argument("url", help="address of the authority (RFC 3161)")
    stamps.add_argument("root", type=Path, help="its root certificate, PEM")
    text = "seconds without a stamp until exchanges stop; 0 is never"
    stamps.add_argument("--bound", type=int, default=14_400, help=text)
    check = _verb(verbs, "check", looking_after.check, "have the running gateway do a piece of real work of each kind")
    check.add_argument("--json", action="store_true", help="the answer for programs")
    ping = _verb(verbs, "ping", looking_after.ping, "reach another member's gateway step by step")
    ping.add_argument("member", help="TW/GOV/xyz, or one of its gateways TW/GOV/xyz/gw1")
    ping.add_argument("--json", action="store_true", help="the answer for programs")
    _verb(verbs, "key", looking_after.key, "the thumbprint of the key with which this member signs")
    text = "write the keys of members, as this gateway believes them, for whoever checks evidence later"
    pinned = _verb(verbs, "pins", pinning.pins, text)
    pinned.add_argument("--anchors", type=Path, required=True, help="folder of anchors; members.json comes there")
    pinned.add_argument("--member", action="append", metavar="TW/GOV/xyz", help="this one (default: the own member)")
    text = "all members; co-signatures of others count for nothing there from now on"
    pinned.add_argument("--all", action="store_true", help=text)
    pause = _verb(
        verbs, "maintenance", looking_after.maintenance, "refuse new exchanges for a while and finish running ones"
    )
    pause.add_argument("what", choices=("on", "off", "status"))
    pause.add_argument("--minutes", type=int, default=30, help="how long it will take, told to whoever asks")
    pause.add_argument("--reason", default="", help="why, in words for the other agencies")
    pause.add_argument("--wait", action="store_true", help="on: come back when no exchange runs any more")
    _handing(verbs)
    return parser


def _handing(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "end taking what may happen only once, for good, and write it down for another gateway of this member"
    verb = _verb(verbs, "handover", handing.handover, text)
    verb.add_argument("--to", required=True, metavar="CODE", help="the gateway that takes over")
    verb.add_argument("--file", type=Path, required=True, help="the file to write, encrypted to that gateway")
    text = "take over what another gateway of this member handed over; then sign an offer with --once"
    verb = _verb(verbs, "takeover", handing.takeover, text)
    verb.add_argument("--file", type=Path, required=True, help="the file that it wrote")


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, text: str
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text)
    verb.add_argument("--home", type=Path, required=True, help="the gateway's home folder")
    verb.set_defaults(run=run, say=say)
    return verb


def _systems(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "system", own_systems.system, "the information systems behind this gateway and their secrets")
    verb.add_argument("what", choices=("add", "list"))
    verb.add_argument("system", nargs="?", metavar="NAME")
    text = "add: what it may have the gateway do, in place of what it might"
    verb.add_argument("--may", action="append", choices=sorted(ABILITIES), help=text)
    verb = _verb(verbs, "service", own_systems.service, "where this member's services listen; no restart is needed")
    verb.add_argument("what", choices=("add", "list", "remove"))
    verb.add_argument("service", nargs="?", metavar="SYSTEM/CODE=URL", help="without =URL to remove it")
    verb.add_argument("--json", action="store_true", help="list: for programs")


def _publish(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("service", metavar="SYSTEM/CODE", help="such as household/people.v1")
    verb.add_argument("--document", type=Path, help="its OpenAPI document; without it the one in force stays")
    verb.add_argument("--replace", action="store_true", help="change what is offered under this name already")
    verb.add_argument("--withdraw", action="store_true", help="offer it no more")
    verb.add_argument("--not-personal", action="store_true", help="it is about no persons")
    verb.add_argument("--related", action="append", default=[], metavar="KEY", help="JSON key that may name others")
    verb.add_argument("--visibility", default="own", choices=VISIBILITIES, help="how uses appear to the person")
    verb.add_argument("--delay-days", type=int, help="delayed: days after the use")
    verb.add_argument("--shown-from", metavar="YYYY-MM-DD", help="delayed, sealed: from this day on")
    verb.add_argument("--order", default="", help="sealed: number of the order")
    verb.add_argument("--durability", default="strict", choices=("strict", "soon", "meta"))
    verb.add_argument("--retain-days", type=int, help="how long bodies are kept")
    for name, text in (
        ("--body-bytes", "largest message"),
        ("--seconds", "longest time for an answer"),
        ("--per-minute", "calls of one client a minute"),
        ("--per-day", "calls of one client a day"),
    ):
        verb.add_argument(name, type=int, help=text)


def _right(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("what", choices=("ask", "list", "withdraw", "grant", "refuse", "end"))
    verb.add_argument("id", nargs="?", help="ask: the service; else the request's, or the right's id")
    verb.add_argument("--client", metavar="SYSTEM", help="ask: which of the own systems will call")
    verb.add_argument("--endpoint", action="append", metavar="'POST /x'", help="ask, grant: one of the endpoints")
    verb.add_argument("--field", action="append", metavar="NAME", help="ask, grant: one of the fields")
    verb.add_argument("--basis", default="none", help="ask: code of the law, or consent, subject, none")
    verb.add_argument("--purpose", default="", help="ask: the code that calls will carry")
    verb.add_argument("--explanation", default="", help="ask: why these fields")
    verb.add_argument("--until", metavar="YYYY-MM-DD", help="ask, grant: the last day")
    verb.add_argument("--reason", default="", help="grant, refuse, end: what the other agency reads")
    verb.add_argument("--json", action="store_true", help="list: for programs")


def _init(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--member", required=True, help="TW/GOV/xyz")
    verb.add_argument("--code", default="gw1", help="name of this gateway among those of the member")
    verb.add_argument("--centre", required=True, help="address of the centre, as its page shows it")
    verb.add_argument("--root", required=True, help="fingerprint of the centre's root, as its page shows it")
    verb.add_argument("--name-zh", default="", help="name of the member in Chinese")
    verb.add_argument("--name-en", default="", help="name of the member in English")
    verb.add_argument("--office", default="", help="office that the centre may ring up")
    verb.add_argument("--email", default="", help="its e-mail address")
    verb.add_argument("--phone", default="", help="its telephone number")
    verb.add_argument("--host", default="127.0.0.1", help="where other gateways reach this one")
    verb.add_argument("--port", type=int, default=8443, help="port for other gateways")
    verb.add_argument("--local-port", type=int, default=8480, help="port for the own information systems, on loopback")
    verb.add_argument(
        "--system", action="append", default=[], metavar="NAME", help="an information system that will call"
    )
    verb.add_argument(
        "--service", action="append", default=[], metavar="SYSTEM/CODE=URL", help="a service, and where it is behind"
    )
    verb.add_argument(
        "--timestamps", nargs=2, metavar=("URL", "ROOT"), help="a time-stamping authority and its root, PEM"
    )
    verb.add_argument("--pkcs11", metavar="MODULE", help="library of a hardware module for the message key")
    verb.add_argument("--token", help="label of its token")
    verb.add_argument("--pin-file", type=Path, help="file with its PIN")
    verb.add_argument("--old-home", type=Path, help="home of the gateway whose keys these replace")
    verb.add_argument("--beside", type=Path, help="home of the member's gateway beside which this one is to work")
    verb.add_argument("--rotation", type=Path, help="statement of the root keys that these keys replace lost ones")
    verb.add_argument(
        "--wait", type=float, nargs="?", const=3600.0, default=0.0, metavar="SECONDS", help="wait for the centre"
    )
