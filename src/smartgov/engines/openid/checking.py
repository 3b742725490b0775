"""The profile checker: says in words what is wrong with a client's registration or with one of its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from smartgov.engines.openid import asking, jose, levels, params
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError
from smartgov.engines.openid.model import Client
from smartgov.engines.openid.provider import SCOPE_CLAIMS, Provider
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared.text import Text

GRANTS = ("authorization_code", "refresh_token", CIBA, EXCHANGE)
METHODS = ("private_key_jwt", "self_signed_tls_client_auth", "tls_client_auth", "client_secret_basic", "none")
LONGEST_SUNSET = timedelta(days=730)
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "scopes", "grants", "details", "default_acr", "certificates")
KNOWN = frozenset(
    {*_LISTS, "jwks", "profile", "sunset", "auth_method", "sender", "sector", "backchannel_logout_uri", "exchange_to"}
    | {"id_token_encrypted", "mandates", "tls_san_dns", "default_max_age"}
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong. `must` stops the registration or the request; `should` is advice."""

    field: str
    kind: Literal["must", "should"]
    what: Text
    todo: Text


def registration(given: Mapping[str, Any], *, loopback: bool = False) -> list[Complaint]:
    """What is wrong with a registration (the JSON form of `Client`, without name and purpose); `must` first."""
    shape = list(_shape(given))
    found = shape or [complaint for check in _CHECKS for complaint in check(given, loopback)]
    return sorted(found, key=lambda complaint: complaint.kind)


def _shape(given: Mapping[str, Any]) -> Iterator[Complaint]:
    for name in sorted(set(given) - KNOWN):
        yield _must(
            name,
            Text("There is no such setting.", "沒有這個設定項目。"),
            Text("Leave it out, or check its spelling.", "請刪除，或檢查拼字。"),
        )
    for name in _LISTS:
        if not isinstance(given.get(name, []), list) or not all(isinstance(each, str) for each in given.get(name, [])):
            yield _must(
                name,
                Text("This is not a list of texts.", "這不是文字清單。"),
                Text("Write a JSON array of strings.", "請寫成字串的 JSON 陣列。"),
            )
    keys = given.get("jwks", [])
    if not isinstance(keys, list) or not all(isinstance(each, dict) for each in keys):
        yield _must(
            "jwks",
            Text("The keys are not a list of JWKs.", "金鑰不是 JWK 清單。"),
            Text('Paste what stands in "keys" of your JWK set.', "請貼上 JWK Set 中 keys 的內容。"),
        )


def _redirects(given: Mapping[str, Any], loopback: bool) -> Iterator[Complaint]:
    addresses = given.get("redirect_uris", [])
    if not addresses:
        yield _must(
            "redirect_uris",
            Text("There is no address to come back to.", "沒有回傳網址。"),
            Text("Register at least one https address.", "請至少登錄一個 https 網址。"),
        )
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for address in given.get(name, []):
            yield from _address(name, address, loopback)
    logout = given.get("backchannel_logout_uri", "")
    if logout:
        yield from _address("backchannel_logout_uri", logout, loopback)
    else:
        yield _should(
            "backchannel_logout_uri",
            Text("You will not hear when a person signs out here.", "民眾在此登出時，您的服務不會收到通知。"),
            Text("Register an address that takes logout tokens.", "請登錄接收登出權杖的網址。"),
        )
    hosts = {urlsplit(address).hostname for address in addresses}
    if len(hosts) > 1 and not given.get("sector"):
        yield _must(
            "sector",
            Text("The redirect addresses lie on several hosts.", "回傳網址分屬多個主機。"),
            Text("Name the sector for which people get one pseudonym.", "請指定共用同一代號的 sector。"),
        )


def _address(name: str, address: str, loopback: bool) -> Iterator[Complaint]:
    if params.is_web_address(address, loopback=loopback):
        return
    scheme = address.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        what = Text("An address has a scheme of its own.", "網址使用自訂的 scheme。")
        todo = Text("Use an https address that your app claims.", "請改用由您的 App 宣告的 https 網址。")
    elif scheme == "http":
        what = Text("An address is not encrypted.", "網址未加密。")
        todo = Text("Use https.", "請使用 https。")
    else:
        what = Text(
            "An address has a fragment, a user, a wildcard or a stray character.",
            "網址含片段、帳號、萬用字元或多餘字元。",
        )
        todo = Text("Write the one exact address.", "請寫出唯一且完整的網址。")
    yield _must(name, what, todo)


def _authentication(given: Mapping[str, Any], _: bool) -> Iterator[Complaint]:
    method, plain = given.get("auth_method", "private_key_jwt"), given.get("profile", "fapi2") == "plain"
    if method not in METHODS:
        yield _must(
            "auth_method",
            Text("This way to authenticate does not exist here.", "不支援這種用戶端驗證方式。"),
            Text("Use private_key_jwt.", "請使用 private_key_jwt。"),
        )
    elif method in {"client_secret_basic", "none"} and not plain:
        yield _must(
            "auth_method",
            Text("FAPI 2.0 knows no shared secrets and no public clients.", "FAPI 2.0 不允許共用密鑰或公開用戶端。"),
            Text("Make a key pair and use private_key_jwt.", "請產生金鑰對，並使用 private_key_jwt。"),
        )
    if method == "self_signed_tls_client_auth" and not given.get("certificates"):
        yield _must(
            "certificates",
            Text("The certificate is missing.", "缺少憑證。"),
            Text("Register its SHA-256 thumbprint in base64url.", "請登錄憑證的 SHA-256 指紋（base64url）。"),
        )
    if method == "tls_client_auth" and not given.get("tls_san_dns"):
        yield _must(
            "tls_san_dns",
            Text("The name in the certificate is missing.", "缺少憑證中的名稱。"),
            Text("Register the DNS name that it carries.", "請登錄憑證所載的 DNS 名稱。"),
        )
    if given.get("sender", "dpop") == "none" and not plain:
        yield _must(
            "sender",
            Text("FAPI 2.0 binds tokens to a key.", "FAPI 2.0 的權杖必須綁定金鑰。"),
            Text("Use dpop, or mtls with a certificate.", "請使用 dpop，或以憑證使用 mtls。"),
        )


def _keys(given: Mapping[str, Any], _: bool) -> Iterator[Complaint]:
    usable = 0
    for key in given.get("jwks", []):
        if key.get("use") == "enc":
            continue
        try:
            jose.imported(key)
            usable += 1
        except jose.BadTokenError as error:
            private = "not public" in str(error)
            yield _must(
                "jwks",
                Text("A key is a private one; it is now known to others.", "貼上的是私鑰，這把金鑰已外洩。")
                if private
                else Text("A key is of a kind that is not accepted, or too weak.", "金鑰種類不被接受，或強度不足。"),
                Text("Throw it away, make another, and send the public half only.", "請作廢並重新產生，只提供公鑰。")
                if private
                else Text(
                    "Use P-256 (ES256), Ed25519, or RSA of 2048 bits (PS256).",
                    "請使用 P-256（ES256）、Ed25519 或 RSA 2048 以上（PS256）。",
                ),
            )
    if given.get("auth_method", "private_key_jwt") == "private_key_jwt" and not usable:
        yield _must(
            "jwks",
            Text("There is no public key with which your assertions can be checked.", "沒有可驗證您聲明的公鑰。"),
            Text("Register a JWK on P-256.", "請登錄一把 P-256 的 JWK。"),
        )
    elif usable == 1:
        yield _should(
            "jwks",
            Text("There is one key only.", "只有一把金鑰。"),
            Text(
                "Register the next one ahead, so that you can change keys without a gap.",
                "請預先登錄下一把，以便無縫輪替。",
            ),
        )
    if given.get("id_token_encrypted") and not any(key.get("use") == "enc" for key in given.get("jwks", [])):
        yield _must(
            "jwks",
            Text("There is no key to encrypt ID tokens to.", "沒有用於加密 ID 權杖的金鑰。"),
            Text('Register a P-256 JWK with "use": "enc".', "請登錄 use 為 enc 的 P-256 JWK。"),
        )


def _asks(given: Mapping[str, Any], _: bool) -> Iterator[Complaint]:
    scopes = given.get("scopes", ["openid"])
    if "openid" not in scopes or set(scopes) - set(SCOPE_CLAIMS):
        yield _must(
            "scopes",
            Text("The scopes lack openid, or one does not exist.", "scope 缺少 openid，或含不存在的項目。"),
            Text("Use some of: {known}.", "可用項目：{known}。").format(known=", ".join(SCOPE_CLAIMS)),
        )
    if set(given.get("grants", [])) - set(GRANTS):
        yield _must(
            "grants",
            Text(
                "A grant type does not exist here; implicit and password never did.",
                "不支援其中的 grant type，例如 implicit 或 password。",
            ),
            Text("Use authorization_code.", "請使用 authorization_code。"),
        )
    if set(given.get("default_acr", [])) - set(levels.SUPPORTED):
        yield _must(
            "default_acr",
            Text("A level does not exist here.", "不支援其中的保證等級。"),
            Text("Use some of: {known}.", "可用項目：{known}。").format(known=", ".join(levels.SUPPORTED)),
        )
    if "national_id" in scopes:
        yield _should(
            "scopes",
            Text("National ids are given only with a legal basis.", "身分證統一編號須有法律依據始得提供。"),
            Text("Say which in the purpose; the approver looks for it.", "請於用途載明法規；審核時會查核。"),
        )


def _sunset(given: Mapping[str, Any], _: bool) -> Iterator[Complaint]:
    if given.get("profile", "fapi2") not in {"fapi2", "plain"}:
        yield _must(
            "profile", Text("There is no such profile.", "沒有這個設定檔。"), Text("Use fapi2.", "請使用 fapi2。")
        )
    if given.get("profile") != "plain":
        return
    try:
        last = date.fromisoformat(str(given.get("sunset", "")))
    except ValueError:
        last = None
    if last is None:
        yield _must(
            "sunset",
            Text("The plain profile needs a last day.", "相容設定檔必須有截止日。"),
            Text("Say until when you need it (YYYY-MM-DD).", "請填寫使用期限（YYYY-MM-DD）。"),
        )
    yield _should(
        "profile",
        Text(
            "The plain profile ends at its last day; stolen tokens can be used by anybody until then.",
            "相容設定檔屆期即停用；在此之前，遭竊的權杖任何人都能使用。",
        ),
        Text("Plan the move to FAPI 2.0.", "請規劃改用 FAPI 2.0。"),
    )


_CHECKS: tuple[Callable[[Mapping[str, Any], bool], Iterator[Complaint]], ...] = (
    _redirects,
    _authentication,
    _keys,
    _asks,
    _sunset,
)


# One look at each part of a request, so that all faults are told at once and not one after the other.
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
        return [_must("request", Text("The form cannot be read.", "無法讀取表單。"), Text.of(error.description))]
    found = []
    try:
        asking.require_redirect(client, given)
    except NotAnsweredToClientError as error:
        what = Text(
            "redirect_uri is not one of yours, character by character.", "redirect_uri 與登錄的網址不完全相同。"
        )
        found.append(_must("redirect_uri", what, Text.of(error.description)))
    lenient = replace(client, grants=client.grants | {"authorization_code"})
    for part, (names, what) in _PARTS.items():
        tried = {**_GOOD, **{name: given[name] for name in names if name in given}}
        tried = {name: value for name, value in tried.items() if name in given or name not in names}
        try:
            asking.read(provider, lenient, tried, redirect_uri="")
        except OAuthError as error:
            found.append(_must(part, what, Text.of(f"{error.code}: {error.description}")))
    if "state" not in given:
        found.append(
            _should(
                "state",
                Text("There is no state.", "沒有 state。"),
                Text(
                    "Send a fresh random one, and compare it when the person comes back.",
                    "請每次送出新的隨機值，並於返回時核對。",
                ),
            )
        )
    return found


def _must(field: str, what: Text, todo: Text) -> Complaint:
    return Complaint(field, "must", what, todo)


def _should(field: str, what: Text, todo: Text) -> Complaint:
    return Complaint(field, "should", what, todo)
