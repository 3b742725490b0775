"""`smartgov gateway right`: a member asks for rights, and reviews those asked of its services, by letter."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from smartgov.engines.httpd import Client
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import centre_door
from smartgov.engines.troad.joining.offering import SIGN, deed
from smartgov.engines.troad.joining.request import COMMAND, refused
from smartgov.shared.text import Text

RIGHT = "right"
_KINDS = frozenset({"consent", "subject", "none"})


async def right(options: argparse.Namespace) -> int:
    """Ask, list, withdraw, grant, refuse or end."""
    at, client = homes.load(options.home), Client()
    if options.what != "list" and not options.id:
        raise refused("Name the service, the request or the right.", "請指明服務、申請或權限。", COMMAND)
    if options.what == "ask" and (options.client or "") not in at.subsystems:
        names = ", ".join(sorted(at.subsystems))
        raise refused(
            f"--client names one of the own systems ({names}); a new one: smartgov gateway system add.",
            f"--client 須為本機關資訊系統（{names}）；新增請執行 smartgov gateway system add。",
            COMMAND,
        )
    try:
        told = await deed(centre_door.of(at, client), at, RIGHT, centre_door.RIGHTS, _content(options, at.member))
    finally:
        await client.close()
    if options.what == "list":
        _show(told, as_json=options.json)
        return 0
    options.say(Text(f"{told['id']}: {told['state']}", f"{told['id']}：{_STATES.get(told['state'], told['state'])}"))
    if options.what in {"grant", "end"}:
        options.say(SIGN)
    return 0


def _content(options: argparse.Namespace, member: str) -> dict[str, Any]:
    content: dict[str, Any] = {"do": options.what, "id": options.id or ""}
    if options.what == "ask":
        kind = options.basis if options.basis in _KINDS else "statute"
        content |= {
            "client": f"{member}/{options.client or ''}",
            "basis": kind,
            "basis_code": options.basis if kind == "statute" else "",
            "purpose": options.purpose,
            "explanation": options.explanation,
        }
    return {
        **content,
        "endpoints": options.endpoint,
        "fields": options.field,
        "until": options.until,
        "reason": options.reason,
    }


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        return
    for name, title in (("requests", Text("Requests", "申請")), ("rights", Text("Rights", "權限"))):
        sys.stdout.write(f"{title.zh}  {title.en}\n")
        for one in told[name]:
            fields = ", ".join(one["fields"]) if one["fields"] is not None else "*"
            sys.stdout.write(
                f"  {one['id']}  {one['state']}  {one['client']} -> {one['service']}  {', '.join(one['endpoints'])}"
                f"  [{fields}]  {one['basis']}  {one['purpose']}  {one['until'] or '-'}\n"
            )


_STATES = {"asked": "已申請", "withdrawn": "已撤回", "granted": "已核准", "refused": "已駁回", "revoked": "已廢止"}
