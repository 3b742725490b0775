"""The door for pushed authorization requests (RFC 9126), and how the plain profile comes in without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import asking, client_auth, dpop, jose, params
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError, invalid
from smartgov.engines.openid.model import REQUEST_LIFE, Asked, Authorization, Client, Mark
from smartgov.engines.openid.provider import Provider, new_secret
from smartgov.shared.ids import uuid7

PREFIX = "urn:ietf:params:oauth:request_uri:"


def push(provider: Provider, request: Request) -> Response:
    """Take a request from an authenticated client; the answer names it by a request_uri for one use."""
    given = params.form(request.body)
    client, marks = client_auth.authenticate(provider, request, given)
    if "request_uri" in given:
        raise invalid("request_uri does not belong into a pushed request")
    try:
        redirect_uri = asking.require_redirect(client, given)
    except NotAnsweredToClientError as error:
        raise invalid(error.description) from None
    asked = asking.read(provider, client, given, redirect_uri=redirect_uri)
    proof: tuple[Mark, ...] = ()
    if "dpop" in request.headers:
        jkt, mark = dpop.proof(provider, request, "pushed_authorization_request_endpoint")
        asked, proof = _bound(asked, jkt), (mark,)
    client_auth.use_up(provider, marks, proof)
    secret = new_secret()
    provider.store.add(_new(provider, client, asked, "par", request_key=jose.digest(secret)))
    body = {"request_uri": PREFIX + secret, "expires_in": int(REQUEST_LIFE.total_seconds())}
    return Response.json(body, 201)


def _bound(asked: Asked, jkt: str) -> Asked:
    if asked.jkt and not jose.same(asked.jkt, jkt):
        raise OAuthError("invalid_dpop_proof", "dpop_jkt is not the key of the proof")
    return replace(asked, jkt=jkt)


def _new(provider: Provider, client: Client, asked: Asked, way: str, *, request_key: str = "") -> Authorization:
    now = provider.now()
    return Authorization(
        id=uuid7(),
        client=client.id,
        state="pushed",
        asked=asked,
        way="par" if way == "par" else "plain",
        created_at=now,
        expires_at=now + REQUEST_LIFE,
        request_key=request_key,
    )


def arrive(provider: Provider, given: Mapping[str, str], browser: str = "") -> tuple[Authorization, Client]:
    """The authorization that a browser brings to the authorization endpoint, and its client.

    A request_uri is used up by the answer, not by its arrival (FAPI 2.0 section 5.3.2.2): the `browser` that brought
    it may load the page anew.
    Raises NotAnsweredToClientError when the client or the request cannot be believed, RedirectedError when the
    client may be told.
    """
    client = provider.store.client(given.get("client_id", ""))
    if client is None or not client.active:
        raise NotAnsweredToClientError("client", "client_id names no active client")
    try:
        client_auth.require_in_force(provider, client)
    except OAuthError as error:
        raise NotAnsweredToClientError("client", error.description) from None
    if "request_uri" in given:
        return _pushed(provider, client, given["request_uri"], browser), client
    if client.profile == "fapi2":
        raise NotAnsweredToClientError("request", "this client sends its requests to the PAR endpoint first")
    return _plain(provider, client, dict(given)), client


def _pushed(provider: Provider, client: Client, request_uri: str, browser: str) -> Authorization:
    secret = request_uri.removeprefix(PREFIX)
    found = provider.store.by_request(jose.digest(secret)) if secret != request_uri else None
    if found is None or found.client != client.id or found.way != "par":
        raise NotAnsweredToClientError("request", "request_uri is not known for this client")
    again = found.state == "opened" and jose.same(found.browser, jose.digest(browser))
    if not (found.state == "pushed" or again) or found.expires_at <= provider.now():
        raise NotAnsweredToClientError("request", "request_uri was used before or has expired")
    return found


class RedirectedError(Exception):
    """A refusal that travels back to the client through the browser."""

    def __init__(self, error: OAuthError, redirect_uri: str, state: str) -> None:
        super().__init__(error.code)
        self.error, self.redirect_uri, self.state = error, redirect_uri, state


def _plain(provider: Provider, client: Client, given: dict[str, str]) -> Authorization:
    redirect_uri = asking.require_redirect(client, given)
    try:
        asked = asking.read(provider, client, given, redirect_uri=redirect_uri, pushed=False)
    except OAuthError as error:
        raise RedirectedError(error, redirect_uri, _safe_state(given)) from None
    made = _new(provider, client, asked, "plain")
    provider.store.add(made)
    return made


def _safe_state(given: dict[str, str]) -> str:
    state = given.get("state", "")
    return state if len(state) <= 1000 and state.isprintable() else ""
