"""The doors for programs: one function from a request to an answer, for any web framework to mount."""

from __future__ import annotations

from collections.abc import Callable

from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import ciba, claims, describing, dpop, keyring, metadata, pushing, tokens
from smartgov.engines.openid.errors import OAuthError, invalid
from smartgov.engines.openid.issuing import NO_STORE
from smartgov.engines.openid.provider import PATHS, Provider
from smartgov.shared.problems import Problem

Door = Callable[[Provider, Request], Response]
DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
RESOURCE = "/.well-known/oauth-protected-resource/openid/userinfo"


def answer(provider: Provider, request: Request) -> Response:
    """What the door at this path says; refusals in the protocol's own form, each with the nonce for the next proof."""
    doors = _DOORS.get(request.path)
    if doors is None:
        return Response.json({"error": "not_found"}, 404)
    door = doors.get(request.method)
    if door is None:
        return Response.json({"error": "invalid_request"}, 405, {"allow": ", ".join(doors)})
    try:
        _require_form(request)
        response = door(provider, request)
    except OAuthError as error:
        response = Response.json(error.body(), error.status, {**NO_STORE, **error.headers})
    except Problem as problem:
        response = refused(problem)
    if request.path in _WITH_NONCE:
        response.headers["dpop-nonce"] = dpop.nonce(provider)
    return response


def refused(problem: Problem) -> Response:
    """A problem in the protocol's own form: also for what the site around the doors refuses before they are asked."""
    code = _OF_SERVERS.get(problem.status, "invalid_request" if problem.status < 500 else "server_error")
    return Response.json(OAuthError(code, problem.what.en).body(), problem.status, NO_STORE)


def _require_form(request: Request) -> None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.method == "POST" and request.body and kind != "application/x-www-form-urlencoded":
        raise invalid("the body is not a form")
    # RFC 6750 section 5.3, RFC 9700 4.3.2: what is secret does not travel in addresses.
    if request.query and request.path in _WITH_NONCE:
        raise invalid("parameters belong into the body")


def _metadata(provider: Provider, _: Request) -> Response:
    return Response.json(metadata.document(provider), headers=_CACHED)


def _resource(provider: Provider, _: Request) -> Response:
    return Response.json(metadata.protected_resource(provider), headers=_CACHED)


def _keys(provider: Provider, _: Request) -> Response:
    return Response.json(keyring.published(provider.signer.plans(), provider.now()), headers=_CACHED)


def _document(provider: Provider, _: Request) -> Response:
    return Response.json(describing.document(provider), headers=_CACHED)


_OF_SERVERS = {429: "temporarily_unavailable", 503: "temporarily_unavailable"}
_CACHED = {"cache-control": f"public, max-age={int(keyring.MAX_AGE.total_seconds())}"}
_DOORS: dict[str, dict[str, Door]] = {
    **{path: {"GET": _metadata} for path in DISCOVERY},
    RESOURCE: {"GET": _resource},
    describing.PATH: {"GET": _document},
    PATHS["jwks_uri"]: {"GET": _keys},
    PATHS["pushed_authorization_request_endpoint"]: {"POST": pushing.push},
    PATHS["token_endpoint"]: {"POST": tokens.token},
    PATHS["userinfo_endpoint"]: {"GET": claims.userinfo, "POST": claims.userinfo},
    PATHS["backchannel_authentication_endpoint"]: {"POST": ciba.ask},
    PATHS["introspection_endpoint"]: {"POST": tokens.introspect},
    PATHS["revocation_endpoint"]: {"POST": tokens.revoke},
}
_WITH_NONCE = frozenset(
    PATHS[name]
    for name in (
        "pushed_authorization_request_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "backchannel_authentication_endpoint",
    )
)
PATHS_SERVED = frozenset(_DOORS)
# Doors that use something up and give something, for a caller who wants both in one transaction. The facts of a person
# are only read: using up the proof is one statement, which is whole by itself.
WRITES = _WITH_NONCE - {PATHS["userinfo_endpoint"]}
