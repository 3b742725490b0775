"""Ending sessions: what a relying party may ask for (RP-initiated), and what it is told (back-channel)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smartgov.engines.openid import params
from smartgov.engines.openid.asking import id_token_hint
from smartgov.engines.openid.claims import sign
from smartgov.engines.openid.client import LOGOUT_EVENT
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError
from smartgov.engines.openid.model import Client
from smartgov.engines.openid.provider import Provider, seconds
from smartgov.shared.ids import uuid7

LIFE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A checked logout request: who asks (perhaps nobody), which session it means, and where to go afterwards."""

    client: Client | None
    sid: str = ""
    back_to: str = ""


def read(provider: Provider, query: str | bytes) -> Leaving:
    """The logout request of a browser (OpenID Connect RP-Initiated Logout 1.0).

    An ID token of ours says who asks. Without one the person is asked, and nobody is sent anywhere afterwards.
    """
    try:
        given = params.form(query)
        hint = id_token_hint(provider, given["id_token_hint"]) if "id_token_hint" in given else {}
    except OAuthError as error:
        raise NotAnsweredToClientError("request", error.description) from None
    named = str(hint.get("aud") or given.get("client_id", ""))
    client = provider.store.client(named) if named else None
    if named and (client is None or given.get("client_id", named) != named):
        raise NotAnsweredToClientError("client", "the logout request names no client, or two")
    wanted = given.get("post_logout_redirect_uri", "")
    if wanted and (client is None or wanted not in client.post_logout_redirect_uris):
        raise NotAnsweredToClientError("redirect", "post_logout_redirect_uri is not one that the client registered")
    state = given.get("state", "")
    if wanted and state:
        wanted = f"{wanted}{'&' if '?' in wanted else '?'}state={params.quoted(state)}"
    return Leaving(client, str(hint.get("sid", "")), wanted)


def logout_token(provider: Provider, client: Client, *, sub: str, sid: str) -> str:
    """The token that tells `client` that a session has ended (OpenID Connect Back-Channel Logout 1.0)."""
    now = provider.now()
    members = {
        "iss": provider.issuer,
        "aud": client.id,
        "iat": seconds(now),
        "exp": seconds(now + LIFE),
        "jti": uuid7(),
        "sub": sub,
        "sid": sid,
        "events": {LOGOUT_EVENT: {}},
    }
    return sign(provider, members, "logout+jwt")
