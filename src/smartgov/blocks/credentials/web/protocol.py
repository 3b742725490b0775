"""The doors that wallets knock at: OpenID4VCI at each agency, status lists, the register, OpenID4VP."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.credentials import api
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.api import public
from smartgov.blocks.ops.api import refusing
from smartgov.engines.credential.issuing import ProtocolError
from smartgov.engines.openid.errors import OAuthError
from smartgov.shared.problems import Problem

_WHY = "Wallets speak OpenID4VCI and OpenID4VP here; what they may is in the code, token or request that they bring."
View = Callable[..., HttpResponse]


def _wallet(view: View) -> View:
    """Errors in the form that wallets understand, and nothing in a cache."""

    @refusing(_refused)
    @wraps(view)
    def spoken(request: HttpRequest, **kwargs: str) -> HttpResponse:
        try:
            response = _asked(view, request, kwargs)
        except ProtocolError as error:
            response = JsonResponse(error.as_dict(), status=error.status)
        except OAuthError as error:
            headers = {**error.headers, "DPoP-Nonce": identity.proof_nonce()}
            response = JsonResponse(error.body(), status=error.status, headers=headers)
        except Problem as problem:
            response = _refused(problem)
        except Http404:
            response = JsonResponse({"error": "not_found"}, status=404)
        except (SuspiciousOperation, BadRequest, MultiPartParserError):  # Django's parsers of forms
            body = {"error": "invalid_request", "error_description": "the form cannot be read"}
            response = JsonResponse(body, status=400)
        if response.status_code == 401:
            response.headers.setdefault("WWW-Authenticate", 'Bearer error="invalid_token"')
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return spoken


def _refused(problem: Problem) -> JsonResponse:
    """A problem of ours for a wallet; the site says what it refuses before the door in this form too."""
    code = "server_error" if problem.status == 500 else "invalid_request"
    body = {"error": code, "error_description": problem.what.en, "type": problem.type}
    return JsonResponse(body, status=problem.status, headers={"Cache-Control": "no-store"})


def _asked(view: View, request: HttpRequest, kwargs: dict[str, str]) -> HttpResponse:
    """The view's answer; a method that it does not take is refused in the same form as everything else."""
    response = view(request, **kwargs)
    if not isinstance(response, HttpResponseNotAllowed):
        return response
    refused = {"error": "invalid_request", "error_description": "the method is not taken here"}
    return JsonResponse(refused, status=405, headers={"Allow": response.headers["Allow"]})


@public(_WHY)
@_wallet
@require_GET
def issuer_metadata(request: HttpRequest, agency: str) -> HttpResponse:
    """`/.well-known/openid-credential-issuer` of an agency."""
    return JsonResponse(api.issuer(agency).metadata())


@public(_WHY)
@_wallet
@require_GET
def server_metadata(request: HttpRequest, agency: str) -> HttpResponse:
    """`/.well-known/oauth-authorization-server` of an agency's own token endpoint."""
    return JsonResponse(api.issuer(agency).server_metadata())


@public(_WHY)
@_wallet
@require_POST
def token(request: HttpRequest, agency: str) -> HttpResponse:
    """A token for a pre-authorised code and the number that the holder typed."""
    return JsonResponse(api.issuer(agency).token({name: str(value) for name, value in request.POST.items()}))


@public(_WHY)
@_wallet
@require_POST
def nonce(request: HttpRequest, agency: str) -> HttpResponse:
    """A nonce for one batch of proofs."""
    return JsonResponse(api.issuer(agency).nonce())


@public(_WHY)
@_wallet
@require_POST
def credential(request: HttpRequest, agency: str) -> HttpResponse:
    """The batch: for a bearer token of the issuer's own, or for a token of the provider's with a proof of its key."""
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if kind.lower() == "dpop" and identity.signs_in_for_others():
        return JsonResponse(api.credentials_by_sign_in(request, agency, body))
    if kind.lower() != "bearer":
        raise ProtocolError("invalid_token", "a token is needed", 401)
    return JsonResponse(api.issuer(agency).credentials(shown, body))


@gzip_page  # the same bytes for everybody, and nothing secret in them
@public("Whoever checks a credential fetches the list for all of them, and so tells nobody which.")
@_wallet
@require_GET
def status_list(request: HttpRequest, agency: str, number: str) -> HttpResponse:
    """A signed status list."""
    place = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0
    text = api.status_list(agency=agency, number=place)
    return HttpResponse(text, content_type="application/statuslist+jwt", headers={"Cache-Control": "max-age=900"})


@public("Everybody may know who may ask for which claims.")
@_wallet
@require_GET
def verifiers(request: HttpRequest) -> HttpResponse:
    """The signed register of verifiers."""
    return HttpResponse(api.signed_register(), content_type="application/jwt")


@public(_WHY)
@_wallet
@require_http_methods(["GET", "POST"])
def request_object(request: HttpRequest, asked: str) -> HttpResponse:
    """The signed request behind a code that was scanned."""
    return HttpResponse(api.request_object(asked), content_type="application/oauth-authz-req+jwt")


@public(_WHY)
@_wallet
@require_POST
def answer(request: HttpRequest, asked: str) -> HttpResponse:
    """A wallet's encrypted answer."""
    api.answer(asked, str(request.POST.get("response", "")))
    return JsonResponse({})
