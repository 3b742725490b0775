"""The health check that does real work: it stamps, signs, appends, reaches another member, and looks at what ends.

An indicator that only looks whether a port is open has told countries that all is well while nothing worked. Each
finding says what is wrong and what to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import reaching, records, soundness
from smartgov.engines.troad.joining import keeper
from smartgov.engines.troad.reaching import Step
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

DISK_BYTES = 2 * 2**30
"""Less free disk than this is too little."""
_PEERS_TRIED = 3
CONFIGURATION_OLD = timedelta(hours=3)
"""The centre publishes every hour."""


async def check(core: Core) -> list[Step]:
    """Every check in turn; one that fails does not keep the others from being made."""
    checks: tuple[tuple[str, Callable[[Core], Awaitable[Step]]], ...] = (
        ("signing", _signing),
        ("log", _log),
        ("timestamps", _timestamps),
        ("configuration", _configuration),
        ("certificate", _certificate),
        ("offer", _offer),
        ("peer", _peer),
        ("ways", _ways),
        ("once", _once),
        ("disk", _disk),
        ("maintenance", _maintenance),
    )
    steps = []
    for name, one in checks:
        try:
            steps.append(await one(core))
        except Problem as problem:
            steps.append(Step(name, False, f"{problem.what.en} {problem.why.en}".strip(), problem.todo))
    return steps


async def _signing(core: Core) -> Step:
    """A signature of the message key, wherever it lies, verified with the public key that others know."""
    data = keys.b64url(core.now().isoformat().encode()).encode()
    signature = keys.sign(core.message_key, data)
    listed = core.configuration.current().gateways.get(core.home.gateway)
    if listed is None:
        todo = Text("Join first, or ask the centre why it was dropped.", "請先加入，或洽管理中心查詢除名原因。")
        return Step("signing", False, f"{core.home.gateway} is not in the configuration", todo)
    if not keys.verify(listed.message_key, signature, data):
        todo = Text(
            "The key here is not the one that others know: restore the home, or have the new key registered.",
            "此處金鑰與他人所知不同：請還原資料夾，或辦理換鑰。",
        )
        return Step("signing", False, "the signature does not verify with the registered key", todo)
    return Step("signing", True, f"key {listed.message_kid[:12]}")


async def _log(core: Core) -> Step:
    if said := core.restoring.found.words:
        todo = Text(
            "Keep a copy of the home, tell the auditor; the operator's manual says what helps (log-altered).",
            "請保留資料夾副本並通知稽核人員；處理方式見維運手冊（log-altered）。",
        )
        return Step("log", False, f"{soundness.ALARM}: {said}", todo)
    core.restoring.refuse_unready()
    record = {"kind": "health-check", "side": "own", "time": records.moment(core.now())}
    (place,) = await core.store.commit([core.entry(dict(record))])
    return Step("log", True, f"entry {place.index} is on the disk")


async def _timestamps(core: Core) -> Step:
    if core.home.timestamps is None:
        todo = Text("Name one: `smartgov gateway timestamps URL ROOT`.", "請以 `smartgov gateway timestamps` 設定。")
        return Step("timestamps", None, "no time-stamping authority is set up", todo)
    if await core.heads.stamp():
        return Step("timestamps", True, core.home.timestamps.url)
    todo = Text(
        "Tell the authority; exchanges go on until the policy's bound.", "請洽時戳機構；在政策期限內交換不中斷。"
    )
    return Step("timestamps", False, f"{core.home.timestamps.url} gave no usable stamp", todo)


async def _configuration(core: Core) -> Step:
    state = core.configuration.state()
    snapshot = core.configuration.current()
    age = core.now() - snapshot.issued_at
    detail = f"version {state['version']}, {int(age.total_seconds() // 60)} min old, ends {state['expires_at']}"
    todo = Text(
        "The centre is not reached: see its address in gateway.yaml (centre_url) and whether it runs.",
        "無法連上管理中心：請檢查 gateway.yaml 的 centre_url 及中心狀態。",
    )
    fine = age < CONFIGURATION_OLD and not state["in_grace"] and not state["alarms"]
    alarms = state["alarms"]
    if isinstance(alarms, list) and alarms:
        todo = Text(f"Ask the centre about: {', '.join(alarms)}.", f"請向管理中心查詢：{'、'.join(alarms)}。")
    return Step("configuration", fine, detail, Text("", "") if fine else todo)


async def _certificate(core: Core) -> Step:
    certificate, now = homes.certificate(core.home.path), core.now()
    detail = f"ends {certificate.not_valid_after_utc.isoformat()}"
    if now < certificate.not_valid_after_utc and not keeper.is_ending(certificate, now):
        return Step("certificate", True, detail)
    todo = Text(
        "It is renewed by itself while the centre answers; run `smartgov gateway renew` to see why it was not.",
        "管理中心可用時會自動更新；請執行 `smartgov gateway renew` 查明原因。",
    )
    return Step("certificate", False, detail, todo)


async def _offer(core: Core) -> Step:
    end = keeper.offer_end(core)
    if end is None:
        return Step("offer", None, "this member offers nothing")
    if end - core.now() > timedelta(days=3):
        return Step("offer", True, f"ends {end.isoformat()}")
    todo = Text("Run `smartgov gateway offer --sign`.", "請執行 `smartgov gateway offer --sign`。")
    return Step("offer", False, f"ends {end.isoformat()}; then its services are refused", todo)


async def _peer(core: Core) -> Step:
    """The first of a few other members that is reached over mutual TLS and answers."""
    others = [one for one in core.heads.witnesses() if one.member != core.home.member]
    failed = []
    for to in others[:_PEERS_TRIED]:
        steps = await reaching.reach(
            to,
            peers=core.known,
            client=core.peers,
            tls=core.configuration.client_tls,
            state=core.configuration.state(),
            now=core.now,
        )
        bad = next((step for step in steps if step.ok is False), None)
        if bad is None:
            return Step("peer", True, f"{to.id}: {steps[4].detail}")
        failed.append((to.id, bad))
    if not failed:
        return Step("peer", None, "there is no other member")
    return Step(
        "peer", False, "; ".join(f"{name}: {bad.name}: {bad.detail}" for name, bad in failed), failed[0][1].todo
    )


async def _ways(core: Core) -> Step:
    """Whether calls go round a gateway of another member."""
    return core.ways.step()


async def _once(core: Core) -> Step:
    """Which gateway of the member takes what may happen only once."""
    state = core.moving.state()
    if state["state"] in {"ending", "handed-over"}:
        todo = Text(
            "Have the other gateway take over (`takeover`), then sign there: `smartgov gateway offer --sign --once`.",
            "請由另一閘道接手（`takeover`），並於該處執行 `smartgov gateway offer --sign --once`。",
        )
        return Step("once", False, f"handed over to {state['gateway']}; nobody takes keys until it is signed", todo)
    return Step("once", True if state["gateway"] else None, f"{state['gateway'] or 'no gateway'}: {state['state']}")


async def _disk(core: Core) -> Step:
    free = shutil.disk_usage(core.home.path).free
    todo = Text("Free or add disk: a gateway whose log is full stops.", "請釋出或擴充磁碟：日誌寫滿時閘道停止交換。")
    return Step("disk", free >= DISK_BYTES, f"{free // 2**20} MiB free", Text("", "") if free >= DISK_BYTES else todo)


async def _maintenance(core: Core) -> Step:
    window = core.maintenance.window
    if window is None:
        return Step("maintenance", True, "takes exchanges")
    todo = Text("`smartgov gateway maintenance off` ends it.", "以 `smartgov gateway maintenance off` 結束。")
    return Step("maintenance", None, f"until {window.until.isoformat()}: {window.reason}", todo)
