"""Reading an authorization request: everything a relying party may ask for, checked before anybody acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from smartgov.engines.openid import jose, params
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError, invalid
from smartgov.engines.openid.model import Asked, Client
from smartgov.engines.openid.params import LOOPBACK, only_one
from smartgov.engines.openid.provider import SCOPE_CLAIMS, Provider

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
MAX_DETAILS = 10
_TOO_NEW = {
    "request": ("request_not_supported", "send the parameters themselves to the PAR endpoint"),
    "registration": ("registration_not_supported", "clients are registered beforehand"),
}


def require_redirect(client: Client, given: Mapping[str, str]) -> str:
    """The redirect_uri, when it is one of the client's, character by character (RFC 9700 section 4.1).

    Only a plain client on a person's own machine may choose the port of its loopback address (RFC 8252 7.3).
    """
    wanted = given.get("redirect_uri", "")
    if not wanted:
        raise NotAnsweredToClientError("redirect", "redirect_uri is missing")
    if wanted in client.redirect_uris or _other_port(client, wanted):
        return wanted
    raise NotAnsweredToClientError("redirect", "redirect_uri is not one that the client registered")


def _other_port(client: Client, wanted: str) -> bool:
    if client.profile != "plain" or client.auth_method != "none" or not params.is_web_address(wanted, loopback=True):
        return False
    parts = urlsplit(wanted)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK - {"localhost"}:
        return False
    same = [urlsplit(known) for known in client.redirect_uris]
    return any(
        (parts.scheme, parts.hostname, parts.path, parts.query) == (k.scheme, k.hostname, k.path, k.query) for k in same
    )


def read(provider: Provider, client: Client, given: dict[str, str], *, redirect_uri: str, pushed: bool = True) -> Asked:
    """The request as a checked value; OAuthError with the code that the specifications give to each fault."""
    _refuse_foreign(client, given)
    scopes = _scopes(client, given)
    claims = _claims(client, given, scopes)
    acr, essential = _acr(client, given, claims)
    hint = _hinted(provider, client, given)
    return Asked(
        scopes=scopes,
        redirect_uri=redirect_uri,
        state=params.visible(given.get("state", ""), "state"),
        nonce=params.visible(given.get("nonce", ""), "nonce", 500),
        challenge=_challenge(given),
        jkt=given.get("dpop_jkt", ""),
        acr=acr,
        acr_essential=essential,
        max_age=params.number(given["max_age"], "max_age") if "max_age" in given else client.default_max_age,
        prompt=_prompt(given),
        claims=claims,
        details=details(provider, client, given, pushed=pushed),
        login_hint=given.get("login_hint", "")[:200],
        hint_sub=hint,
        ui_locales=params.words(given.get("ui_locales", ""), "ui_locales"),
        response_mode=given.get("response_mode", "query"),
    )


def _refuse_foreign(client: Client, given: dict[str, str]) -> None:
    for name, (code, description) in _TOO_NEW.items():
        if name in given:
            raise OAuthError(code, description)
    if only_one(given, "response_type") != "code":
        raise OAuthError("unsupported_response_type", "only the code flow is offered")
    if given.get("response_mode", "query") != "query":
        raise invalid("only response_mode query is offered")
    if "authorization_code" not in client.grants:
        raise OAuthError("unauthorized_client", "the client is not registered for the code flow")


def _challenge(given: dict[str, str]) -> str:
    if given.get("code_challenge_method", "plain") != "S256" or "code_challenge" not in given:
        raise invalid("a code_challenge with the method S256 is required")
    return params.challenge(given["code_challenge"])


def _scopes(client: Client, given: dict[str, str]) -> tuple[str, ...]:
    wanted = params.scope(only_one(given, "scope"))
    if "openid" not in wanted:
        raise OAuthError("invalid_scope", "openid is not among the scopes")
    if unknown := [name for name in wanted if name not in client.scopes or name not in SCOPE_CLAIMS]:
        raise OAuthError("invalid_scope", f"the client is not registered for {len(unknown)} of these scopes")
    # OpenID Connect Core 11: without a renewed consent offline access is not given, and not an error either.
    if "refresh_token" not in client.grants:
        wanted = tuple(name for name in wanted if name != "offline_access")
    return wanted


def _prompt(given: dict[str, str]) -> frozenset[str]:
    wanted = frozenset(params.words(given.get("prompt", ""), "prompt"))
    if wanted - PROMPTS:
        raise invalid("prompt holds a value that is not offered")
    if "none" in wanted and len(wanted) > 1:
        raise invalid("prompt none stands alone")
    return wanted


def _claims(client: Client, given: dict[str, str], scopes: tuple[str, ...]) -> Mapping[str, Any]:
    if "claims" not in given:
        return {}
    asked = params.json_object(given["claims"], "claims")
    allowed = {name for scope in client.scopes for name in SCOPE_CLAIMS.get(scope, ())} | {"acr", "auth_time", "sub"}
    found: dict[str, dict[str, Any]] = {}
    for place in ("userinfo", "id_token"):
        wanted = asked.get(place) or {}
        if not isinstance(wanted, dict) or not all(each is None or isinstance(each, dict) for each in wanted.values()):
            raise invalid("claims is not of the form of OpenID Connect Core 5.5")
        # An unknown or forbidden claim is left out, as 5.5 says: the answer then simply lacks it.
        found[place] = {name: each or {} for name, each in wanted.items() if name in allowed}
    return found


def _acr(client: Client, given: dict[str, str], claims: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    asked = claims.get("id_token", {}).get("acr")
    if asked is not None:
        values = asked.get("values", [asked["value"]] if "value" in asked else [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise invalid("the values of acr are not text")
        if values:
            return tuple(dict.fromkeys(values)), asked.get("essential") is True
    if "acr_values" in given:
        return params.words(given["acr_values"], "acr_values"), False
    return client.default_acr, False


def details(
    provider: Provider, client: Client, given: dict[str, str], *, pushed: bool
) -> tuple[Mapping[str, Any], ...]:
    """The authorization_details (RFC 9396), each checked by its own type; `invalid_authorization_details` otherwise."""
    if "authorization_details" not in given:
        return ()
    if not pushed:
        raise _bad_details("rich requests come by the PAR endpoint, so that nobody can change them on the way")
    wanted = params.json_value(given["authorization_details"], "authorization_details")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_DETAILS:
        raise _bad_details("authorization_details is not an array of one to ten objects")
    return tuple(_detail(provider, client, each) for each in wanted)


def _detail(provider: Provider, client: Client, each: object) -> Mapping[str, Any]:
    name = each.get("type") if isinstance(each, dict) else None
    kind = provider.details.get(name) if isinstance(name, str) else None
    if kind is None or kind.name not in client.details:
        raise _bad_details("a type is unknown, or the client is not registered for it")
    assert isinstance(each, dict)
    try:
        return {"type": kind.name, **kind.check({name: value for name, value in each.items() if name != "type"})}
    except (ValueError, TypeError, KeyError) as error:
        raise _bad_details(f"{kind.name}: {error}" if isinstance(error, ValueError) else kind.name) from None


def _bad_details(description: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", description)


def _hinted(provider: Provider, client: Client, given: dict[str, str]) -> str:
    if "id_token_hint" not in given:
        return ""
    return str(id_token_hint(provider, given["id_token_hint"], client.id).get("sub", ""))


def id_token_hint(provider: Provider, text: str, client: str = "") -> dict[str, Any]:
    """The claims of an ID token of ours, expired or not; for `client` when one is named."""
    try:
        token = jose.read(text)
        jose.verify(token, [plan.jwk for plan in provider.signer.plans()])
    except jose.BadTokenError:
        raise invalid("id_token_hint is not an ID token of this issuer") from None
    claims, audience = token.claims, token.claims.get("aud")
    if claims.get("iss") != provider.issuer or (client and audience != client) or token.header.get("typ") != "JWT":
        raise invalid("id_token_hint is not an ID token for this client")
    return claims
