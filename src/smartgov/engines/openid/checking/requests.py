"""What is wrong with a request, each part looked at by itself, so that all faults are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smartgov.engines.openid import asking, params
from smartgov.engines.openid.checking.complaints import Complaint, must, should
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError
from smartgov.engines.openid.model import Client
from smartgov.engines.openid.provider import Provider
from smartgov.shared.text import Text

_PARTS: Mapping[str, tuple[tuple[str, ...], Text]] = {
    "response_type": (
        ("response_type", "response_mode", "request"),
        Text("Only the code flow is offered.", "僅提供 code 流程。"),
    ),
    "code_challenge": (
        ("code_challenge", "code_challenge_method"),
        Text("PKCE with S256 is required.", "必須使用 S256 的 PKCE。"),
    ),
    "scope": (("scope",), Text("The scope is not one that you are registered for.", "scope 超出登錄範圍。")),
    "prompt": (("prompt",), Text("The prompt is not one that is offered.", "不支援這個 prompt。")),
    "max_age": (("max_age",), Text("max_age is not a whole number of seconds.", "max_age 不是整數秒數。")),
    "claims": (
        ("claims",),
        Text("claims has not the form of OpenID Connect Core 5.5.", "claims 的格式不符 OpenID Connect Core 5.5。"),
    ),
    "authorization_details": (
        ("authorization_details",),
        Text(
            "A rich request is of an unknown kind, or has the wrong members.",
            "authorization_details 的種類或欄位有誤。",
        ),
    ),
    "id_token_hint": (
        ("id_token_hint",),
        Text("id_token_hint is not an ID token of ours for you.", "id_token_hint 不是核發給您的 ID 權杖。"),
    ),
    "state": (
        ("state", "nonce"),
        Text("state or nonce holds a character that it may not.", "state 或 nonce 含不允許的字元。"),
    ),
}
_GOOD = {
    "response_type": "code",
    "code_challenge": "a" * 43,
    "code_challenge_method": "S256",
    "scope": "openid",
}


def request(provider: Provider, client: Client, raw: str) -> list[Complaint]:
    """What is wrong with a request (the form that would be pushed), each part looked at by itself."""
    try:
        given = params.form(raw)
    except OAuthError as error:
        return [must("request", Text("The form cannot be read.", "無法讀取表單。"), Text.of(error.description))]
    found = []
    try:
        asking.require_redirect(client, given)
    except NotAnsweredToClientError as error:
        what = Text(
            "redirect_uri is not one of yours, character by character.", "redirect_uri 與登錄的網址不完全相同。"
        )
        found.append(must("redirect_uri", what, Text.of(error.description)))
    lenient = replace(client, grants=client.grants | {"authorization_code"})
    for part, (names, what) in _PARTS.items():
        tried = {**_GOOD, **{name: given[name] for name in names if name in given}}
        tried = {name: value for name, value in tried.items() if name in given or name not in names}
        try:
            asking.read(provider, lenient, tried, redirect_uri="")
        except OAuthError as error:
            found.append(must(part, what, Text.of(f"{error.code}: {error.description}")))
    if "state" not in given:
        found.append(
            should(
                "state",
                Text("There is no state.", "沒有 state。"),
                Text(
                    "Send a fresh random one, and compare it when the person comes back.",
                    "請每次送出新的隨機值，並於返回時核對。",
                ),
            )
        )
    return found
