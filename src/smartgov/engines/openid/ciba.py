"""Back-channel sign-in (OpenID CIBA Core 1.0, poll mode): a counter asks, the phone of the person answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import asking, client_auth, jose, levels, params
from smartgov.engines.openid.errors import OAuthError, invalid
from smartgov.engines.openid.issuing import NO_STORE
from smartgov.engines.openid.model import Asked, Authorization, Client, Mark
from smartgov.engines.openid.provider import Provider, digits, new_secret, seconds
from smartgov.shared.ids import uuid7

CIBA = "urn:openid:params:grant-type:ciba"
LIFE = timedelta(seconds=120)
INTERVAL = 5
MAX_MESSAGE = 60
_HINTS = ("login_hint", "id_token_hint", "login_hint_token")


def ask(provider: Provider, request: Request) -> Response:
    """Take a request for a person whom the client already knows by pseudonym.

    The answer's `binding_number` is ours: the client shows it, and the person chooses it on the phone.
    """
    given = params.form(request.body)
    client, marks = client_auth.authenticate(provider, request, given)
    client_auth.use_up(provider, marks)
    if CIBA not in client.grants:
        raise OAuthError("unauthorized_client", "the client is not registered for back-channel sign-in")
    asked, subject = _asked(provider, client, given)
    secret, now, life = new_secret(), provider.now(), _life(given)
    number = digits(new_secret())
    provider.store.add(
        Authorization(
            id=uuid7(),
            client=client.id,
            state="pushed",
            asked=asked,
            way="ciba",
            created_at=now,
            expires_at=now + life,
            request_key=jose.digest(secret),
            number=number,
            subject=subject,
        )
    )
    body = {"auth_req_id": secret, "expires_in": int(life.total_seconds()), "interval": INTERVAL}
    return Response.json({**body, "binding_number": number}, headers=NO_STORE)


def _life(given: dict[str, str]) -> timedelta:
    """How long the person has: as long as the client wishes, and no longer than we allow (CIBA 7.1)."""
    if "requested_expiry" not in given:
        return LIFE
    wanted = params.number(given["requested_expiry"], "requested_expiry")
    if not wanted:
        raise invalid("requested_expiry is a number of seconds, from one")
    return min(LIFE, timedelta(seconds=wanted))


def _asked(provider: Provider, client: Client, given: dict[str, str]) -> tuple[Asked, str]:
    hints = [name for name in _HINTS if name in given]
    if len(hints) != 1 or hints == ["login_hint_token"]:
        raise invalid("exactly one of login_hint and id_token_hint names the person")
    if "request" in given:
        raise OAuthError("request_not_supported", "send the parameters themselves")
    message = given.get("binding_message", "")
    if len(message) > MAX_MESSAGE or not message.isprintable():
        raise OAuthError("invalid_binding_message", "the message has at most 60 printable characters")
    form = {"response_type": "code", "code_challenge": "a" * 43, "code_challenge_method": "S256"}
    form |= {name: given[name] for name in ("scope", "acr_values", "authorization_details") if name in given}
    lenient = replace(client, grants=client.grants | {"authorization_code"})
    asked = replace(asking.read(provider, lenient, form, redirect_uri=""), challenge="", binding_message=message)
    if any(provider.details[each["type"]].needs_phishing_resistant for each in asked.details):
        raise OAuthError("access_denied", "this cannot be agreed to from another device", 403)
    if asked.acr and set(asked.acr) <= {levels.PHR, levels.PHRH, levels.AAL3}:
        raise OAuthError("access_denied", "a back-channel sign-in is never resistant to phishing", 403)
    return asked, _person(provider, client, given)


def _person(provider: Provider, client: Client, given: dict[str, str]) -> str:
    sub = given.get("login_hint", "")
    if "id_token_hint" in given:
        sub = str(asking.id_token_hint(provider, given["id_token_hint"], client.id).get("sub", ""))
    found = provider.people.find(client, sub)
    if found is None:
        raise OAuthError("unknown_user_id", "the client knows no such person")
    return found


def answered(provider: Provider, client: Client, auth_req_id: str) -> Authorization:
    """The authorization that the person has granted; else the error that says how it stands (CIBA 11)."""
    found = provider.store.by_request(jose.digest(auth_req_id))
    if found is None or found.client != client.id or found.way != "ciba":
        raise OAuthError("invalid_grant", "auth_req_id is not known for this client")
    if found.state == "refused":
        raise OAuthError("access_denied", "the person refused")
    if found.state == "pushed":
        raise _not_yet(provider, found)
    if found.state != "granted" or (found.code_expires_at or provider.now()) <= provider.now():
        raise OAuthError("invalid_grant", "auth_req_id was used before or has expired")
    return found


def _not_yet(provider: Provider, found: Authorization) -> OAuthError:
    if found.expires_at <= provider.now():
        return OAuthError("expired_token", "the person has not answered in time")
    window = seconds(provider.now()) // INTERVAL
    mark = Mark("poll", jose.digest(f"{found.id}\n{window}"), provider.now() + timedelta(seconds=2 * INTERVAL))
    if provider.store.seen_before(mark):
        return OAuthError("slow_down", "the client asks more often than every five seconds")
    return OAuthError("authorization_pending", "the person has not answered yet")
