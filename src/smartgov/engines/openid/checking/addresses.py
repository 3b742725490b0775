"""Addresses of a registration: where people come back to, where logouts are told, and the sector of a pseudonym."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from smartgov.engines.openid import params
from smartgov.engines.openid.checking.complaints import Complaint, must, should
from smartgov.shared.text import Text

_MANY = ("redirect_uris", "post_logout_redirect_uris")


def complaints(given: Mapping[str, Any], loopback: bool) -> Iterator[Complaint]:
    """What is wrong with any address; `loopback` allows http on this machine, for development."""
    if not given.get("redirect_uris"):
        yield must(
            "redirect_uris",
            Text("There is no address to come back to.", "沒有回傳網址。"),
            Text("Register at least one https address.", "請至少登錄一個 https 網址。"),
        )
    for name in _MANY:
        for address, count in Counter(given.get(name, [])).items():
            yield from of_address(name, address, loopback)
            if count > 1:
                yield must(
                    name,
                    Text("An address stands there twice.", "同一網址重複。"),
                    Text("Keep one.", "請保留一個。"),
                    address,
                )
    yield from _logout(given, loopback)
    yield from _sector(given)


def _logout(given: Mapping[str, Any], loopback: bool) -> Iterator[Complaint]:
    name, logout = "backchannel_logout_uri", given.get("backchannel_logout_uri", "")
    if not logout:
        yield should(
            name,
            Text("You will not hear when a person signs out here.", "民眾在此登出時，您的服務不會收到通知。"),
            Text("Register an address that takes logout tokens.", "請登錄接收登出權杖的網址。"),
        )
        return
    yield from of_address(name, logout, loopback)
    for field, addresses in ((name, [logout]), (_MANY[1], given.get(_MANY[1], []))):
        for address in addresses:
            if _host(address) not in _hosts(given):
                yield should(
                    field,
                    Text(
                        "An address lies on another host than those people come back to.", "網址的主機與回傳網址不同。"
                    ),
                    Text("Check that it is yours; the approver will ask.", "請確認為貴機關所有；審核時會查問。"),
                    address,
                )


def _sector(given: Mapping[str, Any]) -> Iterator[Complaint]:
    hosts, sector = _hosts(given), given.get("sector", "")
    if len(hosts) > 1 and not sector:
        yield must(
            "sector",
            Text("The redirect addresses lie on several hosts.", "回傳網址分屬多個主機。"),
            Text("Name the sector for which people get one pseudonym.", "請指定共用同一代號的 sector。"),
            ", ".join(sorted(hosts)),
        )
    elif sector and sector not in hosts:
        # Whoever could name a sector freely would learn the pseudonyms of another service.
        yield must(
            "sector",
            Text("The sector is not the host of one of your redirect addresses.", "sector 不是您任一回傳網址的主機。"),
            Text("Name one of: {hosts}.", "請填寫其中之一：{hosts}。").format(hosts=", ".join(sorted(hosts)) or "-"),
            sector,
        )


def of_address(name: str, address: str, loopback: bool) -> Iterator[Complaint]:
    """What is wrong with one address; the first thing, because the others follow from it."""
    found = _wrong(address, loopback)
    if found is not None:
        yield must(name, *found, address)


def _wrong(address: str, loopback: bool) -> tuple[Text, Text] | None:
    parts = _split(address)
    scheme = address.partition(":")[0].lower()
    local = parts is not None and _is_local(parts)
    if parts is None or scheme not in {"http", "https"}:
        return (
            Text("An address has a scheme of its own.", "網址使用自訂的 scheme。"),
            Text("Use an https address that your app claims.", "請改用由您的 App 宣告的 https 網址。"),
        )
    if "*" in address:
        return (
            Text("An address has a wildcard.", "網址含萬用字元。"),
            Text("Write each exact address on a line of its own.", "請逐行寫出每個完整網址。"),
        )
    if "#" in address:
        return (
            Text("An address has a fragment.", "網址含片段（#）。"),
            Text("Leave out what follows #; answers come in the query.", "請刪除 # 之後的部分；回覆會放在查詢字串。"),
        )
    if local and not loopback:
        return (
            Text("An address is on the person's own machine (localhost).", "網址指向本機（localhost）。"),
            Text("Register the service's public https address.", "請登錄服務的公開 https 網址。"),
        )
    if scheme == "http" and not local:
        return Text("An address is not encrypted.", "網址未加密。"), Text("Use https.", "請使用 https。")
    if not params.is_web_address(address, loopback=loopback):
        return (
            Text("An address has a user name, a stray character, or no host.", "網址含帳號、多餘字元，或缺少主機。"),
            Text("Write the one exact address.", "請寫出唯一且完整的網址。"),
        )
    return None


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _is_local(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    return host in params.LOOPBACK or f"[{host}]" in params.LOOPBACK or host.endswith(".localhost")


def _host(address: str) -> str:
    parts = _split(address)
    return (parts.hostname or "") if parts else ""


def _hosts(given: Mapping[str, Any]) -> set[str]:
    return {_host(address) for address in given.get("redirect_uris", [])}
