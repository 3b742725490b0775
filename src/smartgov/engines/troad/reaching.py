"""The connection test: reach another member's gateway step by step, and say at which step it fails and what to do."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smartgov.engines.httpd import Client
from smartgov.engines.httpd.failures import ConnectionFailedError, PeerMismatchError
from smartgov.engines.troad.peers import Peers
from smartgov.engines.troad.snapshot import Gateway
from smartgov.engines.troad.status_door import PATH
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

SKEW_SECONDS = 30
"""Half of what a message may be old: two clocks further apart lose messages soon."""
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a test: `ok` None means that it was not reached or does not count against the connection."""

    name: str
    ok: bool | None
    detail: str = ""
    todo: Text = field(default_factory=lambda: Text("", ""))

    def as_json(self) -> dict[str, Any]:
        """The form that programs read."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "todo": self.todo.as_dict()}


async def reach(
    to: Gateway,
    *,
    peers: Peers,
    client: Client,
    tls: ssl.SSLContext,
    state: dict[str, Any],
    now: Callable[[], datetime],
) -> list[Step]:
    """The steps `name`, `connection`, `tls`, `certificate`, `answer`, `clock`, `configuration`, `at-work`."""
    steps: list[Step] = []
    try:
        steps.append(await _name(to))
        steps.append(await _connection(to))
        steps += await _tls(to, tls, peers)
        asked = now()
        said = await _answer(to, client)
        steps.append(Step("answer", True, f"{said['gateway']} {(now() - asked).total_seconds() * 1000:.0f} ms"))
        middle = asked + (now() - asked) / 2
        steps.append(_clock(datetime.fromisoformat(said["now"]), middle))
        steps.append(_configuration(said["configuration"], state))
        steps.append(_at_work(said["maintenance"]))
    except _Failed as failed:
        steps.append(failed.step)
    return steps


class _Failed(Exception):
    def __init__(self, step: Step) -> None:
        super().__init__(step.name)
        self.step = step


async def _name(to: Gateway) -> Step:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    except OSError as error:
        todo = Text(
            "See whether this machine's name server knows the host; tell the other agency if it moved.",
            "請確認本機名稱伺服器能解析此主機；若已遷移請洽對方機關。",
        )
        raise _Failed(Step("name", False, f"{to.host}: {error.strerror or error}", todo)) from None
    return Step("name", True, ", ".join(sorted({str(entry[4][0]) for entry in found})))


async def _connection(to: Gateway) -> Step:
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(to.host, to.port)
        writer.close()
    except (OSError, TimeoutError) as error:
        todo = Text(
            "Nothing listens, or a firewall drops it: ask the other agency whether its gateway runs and lets you in.",
            "對方未監聽或遭防火牆阻擋：請洽對方確認閘道運作並放行。",
        )
        raise _Failed(Step("connection", False, f"{to.authority}: {type(error).__name__}", todo)) from None
    return Step("connection", True, to.authority)


async def _tls(to: Gateway, tls: ssl.SSLContext, peers: Peers) -> list[Step]:
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(to.host, to.port, ssl=tls, server_hostname=to.host)
        session = writer.get_extra_info("ssl_object")
        der, version = session.getpeercert(True), session.version()
        writer.close()
    except (OSError, TimeoutError, ssl.SSLError) as error:
        todo = Text(
            "One side's certificate has ended or is not of this configuration: run `smartgov gateway check` on both.",
            "一方的憑證已過期或不在設定中：請雙方執行 `smartgov gateway check`。",
        )
        raise _Failed(
            Step("tls", False, f"{type(error).__name__}: {getattr(error, 'reason', '') or error}", todo)
        ) from None
    return [Step("tls", True, str(version)), _certificate(to, der, peers)]


def _certificate(to: Gateway, der: bytes, peers: Peers) -> Step:
    try:
        shown = peers.of(der).id
    except Problem as problem:
        raise _Failed(Step("certificate", False, problem.what.en, problem.todo)) from None
    if shown != to.id:
        todo = Text("Its address in the configuration is wrong.", "設定中的位址有誤。")
        raise _Failed(Step("certificate", False, f"it belongs to {shown}", todo))
    return Step("certificate", True, shown)


async def _answer(to: Gateway, client: Client) -> dict[str, Any]:
    todo = Text("Ask the other agency's operator to look at its gateway's log.", "請對方機關維運人員檢視閘道紀錄。")
    try:
        answer = await client.request(
            "GET", f"https://{to.authority}{PATH}", timeout=_TIMEOUT, expect_peer=to.tls_fingerprint
        )
    except PeerMismatchError:
        raise _Failed(Step("answer", False, "another certificate than a moment ago", todo)) from None
    except (ConnectionFailedError, TimeoutError) as error:
        # With TLS 1.3 a server refuses the client's certificate only after the handshake has ended for the client.
        mine = Text(
            "It hangs up: it does not know this gateway's certificate. Its configuration may be older than yours.",
            "對方切斷連線：它不認得本閘道的憑證，其設定可能較舊。",
        )
        raise _Failed(Step("answer", False, type(error).__name__, mine)) from None
    try:
        said: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            raise _Failed(Step("answer", False, str(said.get("title", answer.status)), todo))
        return {name: said[name] for name in ("gateway", "now", "configuration", "maintenance")}
    except (ValueError, KeyError, TypeError):
        raise _Failed(Step("answer", False, f"status {answer.status}", todo)) from None


def _clock(theirs: datetime, ours: datetime) -> Step:
    skew = (theirs - ours).total_seconds()
    todo = Text("Messages are refused from 60 s on: set the clocks by NTP.", "相差 60 秒即拒收訊息：請以 NTP 校時。")
    return Step(
        "clock", abs(skew) <= SKEW_SECONDS, f"{skew:+.1f} s", todo if abs(skew) > SKEW_SECONDS else Text("", "")
    )


def _configuration(theirs: dict[str, Any], ours: dict[str, Any]) -> Step:
    detail = f"{theirs.get('version')} there, {ours.get('version')} here"
    if theirs.get("digest") == ours.get("digest"):
        return Step("configuration", True, detail)
    todo = Text(
        "They differ, which is fine for a minute; if it stays, one side does not reach the centre.",
        "雙方版本不同，短暫屬正常；若持續，表示一方無法連上管理中心。",
    )
    return Step("configuration", None, detail, todo)


def _at_work(window: dict[str, str] | None) -> Step:
    if window is None:
        return Step("at-work", True, "takes exchanges")
    todo = Text("It takes exchanges again when it is done.", "維護結束後即恢復。")
    return Step("at-work", None, f"maintenance until {window.get('until')}: {window.get('reason')}", todo)
