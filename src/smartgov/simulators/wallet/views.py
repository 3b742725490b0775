"""The wallet's pages, for a phone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from smartgov.engines.credential.sdjwt import Path
from smartgov.engines.credential.wallet import Held, Question
from smartgov.engines.httpd import Response
from smartgov.shared.text import Text
from smartgov.simulators import pages
from smartgov.simulators.pages import both
from smartgov.simulators.wallet.dealing import Scanned, issuer_of, words
from smartgov.simulators.wallet.home import Owner

REFUSED = Text("Refused. Nothing was fetched or shown.", "已拒絕，未領取或出示任何資料。")
SHOWN = Text("Shown. You may go back to the other screen.", "已出示，請回到原畫面。")
_WALLETS = Text("Wallets of the demo's persons", "展示人物的數位錢包")
_EMPTY = Text(
    "Nothing here yet. Open an offer on a page of the platform, and choose this wallet.",
    "尚無憑證。請在平臺頁面開啟領取條碼，並選擇此錢包。",
)
_HIDDEN = frozenset({"iss", "vct", "iat", "exp", "nbf", "cnf", "status", "_sd_alg"})


def index(owners: Iterable[Owner]) -> Response:
    """Everybody's wallets: this program plays them all."""
    rows = [f'<li class="card"><a href="/wallets/{escape(one.id)}">{escape(one.name)}</a></li>' for one in owners]
    return pages.page(_WALLETS, f'<ul class="plain">{"".join(rows)}</ul>', phone=True)


def wallet(owner: Owner) -> Response:
    """What a person holds: a card for each certificate, how many copies are left, and what it says."""
    cards = [_card(owner, group) for group in _groups(owner.held)]
    body = "".join(cards) or f'<p class="card">{both(_EMPTY)}</p>'
    return pages.page(_title(owner), body, phone=True)


def whose(owners: Iterable[Owner], address: str, token: str) -> Response:
    """Who scans: the program plays everybody's wallet."""
    hidden = _hidden(token) + f'<input type="hidden" name="uri" value="{escape(address)}">'
    rows = "".join(
        f'<li><form method="post" action="/scan" class="wide">{hidden}'
        f'<button name="owner" value="{escape(one.id)}">{escape(one.name)}</button></form></li>'
        for one in owners
    )
    ask = Text("Whose wallet scans this code?", "由誰的錢包掃描此條碼？")
    return pages.page(ask, f'<ul class="plain">{rows}</ul>', phone=True)


def offer(owner: Owner, scanned: Scanned, path: str, token: str) -> Response:
    """What is offered, and by which way it comes."""
    assert scanned.offer is not None
    assert scanned.metadata is not None
    kind = scanned.metadata["credential_configurations_supported"][scanned.offer.kind]
    shown = pages.facts(
        [
            (Text("Certificate", "證明書"), _said(words(kind.get("credential_metadata", {}).get("display", ())))),
            (Text("Offered by", "提供者"), _said(words(scanned.metadata.get("display", ())))),
        ]
    )
    if scanned.offer.code:
        label = Text("The six digits on the page that offered it", "提供頁面上的六位數字")
        field = (
            f'<p><label for="tx_code">{both(label)}</label></p><p><input id="tx_code" name="tx_code" '
            'inputmode="numeric" autocomplete="off" required pattern="[0-9]{6}" maxlength="6"></p>'
        )
        way = _form(path, token, field, Text("Put it into my wallet", "放入我的錢包"))
    else:
        sign_in = Text("Sign in and put it into my wallet", "登入並放入我的錢包")
        way = f'<p><a class="button" href="{escape(path)}/sign-in">{both(sign_in)}</a></p>'
    body = f'<div class="card">{shown}</div>{way}{_refuse(path, token)}'
    return pages.page(Text("Put it into this wallet?", "要放入此錢包嗎？"), body, phone=True)


def question(owner: Owner, asked: Question, path: str, token: str) -> Response:
    """Who asks for what, why, and what exactly would be shown."""
    rows = [
        (Text("Who asks", "查驗者"), both(asked.verifier.name)),
        (Text("What for", "用途"), both(asked.verifier.purpose)),
    ]
    card = f'<div class="card">{pages.facts(rows)}</div>'
    types = {vct for vct, _ in asked.claims}
    have = {vct: next((one for one in owner.held if one.vct == vct and not one.used), None) for vct in types}
    if any(one is None for one in have.values()):
        lacking = Text(
            "You have no unused copy of what is asked for. Fetch new ones from its issuer.",
            "您沒有尚未使用的此類憑證，請先向核發機關領取。",
        )
        return pages.page(_ASKED, f'{card}<p class="card">{both(lacking)}</p>{_home(owner)}', phone=True)
    shown = [
        (Text.of(_claim(owner, vct, path[0])), escape(_words(_value(have[vct], path)))) for vct, path in asked.claims
    ]
    only = Text("Only this is shown, and nothing else of the certificate:", "僅出示下列資料，不含證明書的其他內容：")
    body = f'{card}<p>{both(only)}</p><div class="card">{pages.facts(shown)}</div>'
    agree = _form(path, token, "", Text("Show this", "同意出示"))
    return pages.page(_ASKED, f"{body}{agree}{_refuse(path, token)}", phone=True)


def _value(one: Held | None, path: Path) -> Any:
    found: Any = one.claims if one else {}
    for step in path:
        found = found.get(step, "—") if isinstance(found, dict) else "—"
    return found


_ASKED = Text("You are asked to show this", "有人請您出示")


def outcome(owner: Owner, what: Text) -> Response:
    """What became of it."""
    body = f'<p class="card status" role="status">{both(what)}</p>{_home(owner)}'
    return pages.page(_title(owner), body, phone=True)


def taken(count: int) -> Text:
    """What is said after fetching."""
    if not count:
        return Text("The agency has no such certificate of yours.", "該機關沒有您的此類證明書。")
    return Text(f"{count} copies are in the wallet; each is shown once.", f"已放入 {count} 份，每份僅出示一次。")


def _groups(held: Iterable[Held]) -> list[list[Held]]:
    """Copies of one certificate together: they say the same, and were asked for at the same issuer."""
    found: dict[str, list[Held]] = {}
    for one in held:
        said = {name: value for name, value in one.claims.items() if name not in _HIDDEN}
        found.setdefault(json.dumps([one.vct, said], sort_keys=True, ensure_ascii=False), []).append(one)
    return list(found.values())


def _card(owner: Owner, copies: list[Held]) -> str:
    first, unused = copies[0], sum(not one.used for one in copies)
    order = list(_kind(owner, first.vct)["claims"])  # as the issuer names them; what it has no words for comes last
    said = sorted(
        ((name, value) for name, value in first.claims.items() if name not in _HIDDEN),
        key=lambda one: order.index(one[0]) if one[0] in order else len(order),
    )
    rows = [(Text.of(_claim(owner, first.vct, name)), escape(_words(value))) for name, value in said]
    left = Text(f"{unused} of {len(copies)} copies unused", f"尚有 {unused} 份未使用，共 {len(copies)} 份")
    issuer = f'<p class="note">{escape(issuer_of(first.credential))}</p>'
    what = both(Text("What it says", "內容"))
    return (
        f'<div class="card"><h2>{_said(_kind(owner, first.vct)["name"])}</h2>{issuer}<p>{both(left)}</p>'
        f"<details><summary>{what}</summary>{pages.facts(rows)}</details></div>"
    )


def _words(value: Any) -> str:
    """A claim's value; of an object its members' values."""
    return "，".join(_words(one) for one in value.values()) if isinstance(value, dict) else str(value)


def _kind(owner: Owner, vct: str) -> dict[str, Any]:
    found: dict[str, Any] = owner.titles.get(vct) or {"name": {"zh": vct, "en": vct}, "claims": {}}
    return found


def _claim(owner: Owner, vct: str, name: Any) -> dict[str, str]:
    found: dict[str, str] = _kind(owner, vct)["claims"].get(name) or {"zh": str(name), "en": str(name)}
    return found


def _said(name: Mapping[str, str]) -> str:
    return both(Text(name["en"], name["zh"]))


def _form(path: str, token: str, fields: str, label: Text) -> str:
    return (
        f'<form method="post" action="{escape(path)}" class="wide">{_hidden(token)}{fields}'
        f"<button>{both(label)}</button></form>"
    )


def _refuse(path: str, token: str) -> str:
    label = both(Text("Refuse", "拒絕"))
    return (
        f'<form method="post" action="{escape(path)}" class="wide">{_hidden(token)}'
        f'<button class="quiet" name="refuse" value="1">{label}</button></form>'
    )


def _hidden(token: str) -> str:
    return f'<input type="hidden" name="token" value="{token}">'


def _home(owner: Owner) -> str:
    return f'<p><a href="/wallets/{escape(owner.id)}">{both(Text("Back to this wallet", "回到錢包"))}</a></p>'


def _title(owner: Owner) -> Text:
    return Text(f"{owner.name}: wallet", f"{owner.name}的數位錢包")
