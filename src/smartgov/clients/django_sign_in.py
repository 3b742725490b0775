"""Sign people in to a Django site of another house: four addresses and one function.

    # settings.py
    SMARTGOV_SIGN_IN = {"issuer": ..., "client_id": ..., "key_file": ..., "redirect_uri": ".../sign-in/callback"}
    # urls.py
    path("sign-in/", include("smartgov.clients.django_sign_in"))
    # anywhere
    person = django_sign_in.person(request)  # None, or the claims: sub, acr, name ...

The profile is FAPI 2.0: pushed requests, PKCE, private_key_jwt, DPoP. Sessions that have ended at the platform are
remembered in the site's own session store, so all its processes know, and no table is needed.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.sessions.backends.base import CreateError
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from smartgov.engines.openid import jose
from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.engines.pki import keys

app_name = "smartgov_sign_in"
_BEGUN, _PERSON = "smartgov_sign_in_begun", "smartgov_sign_in"


@lru_cache(maxsize=1)
def party() -> RelyingParty:
    """The site as a relying party, from the setting SMARTGOV_SIGN_IN."""
    given: dict[str, Any] = dict(getattr(settings, "SMARTGOV_SIGN_IN", {}))
    if not given:
        raise ImproperlyConfigured("SMARTGOV_SIGN_IN is missing: issuer, client_id, key_file and redirect_uri")
    key = keys.load_p256(given.pop("key_file"))
    return RelyingParty(given.pop("issuer"), given.pop("client_id"), key, given.pop("redirect_uri"), **given)


def person(request: HttpRequest) -> dict[str, Any] | None:
    """The claims of whoever is signed in; None for strangers, and once the platform has said that the session ended."""
    found: dict[str, Any] | None = request.session.get(_PERSON)
    if found is None or _store(_ended(found["sid"])).exists(_ended(found["sid"])):
        return None
    return found


@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """Send the person to the platform; `next` says where to go afterwards, `acr_values` how sure to be."""
    wanted = {name: request.GET[name] for name in ("acr_values", "max_age", "prompt") if name in request.GET}
    try:
        address, kept = party().begin(**wanted)
    except (SignInError, OSError) as error:
        return _refused(error)
    request.session[_BEGUN] = {**kept, "next": _next(request)}
    return HttpResponseRedirect(address)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """The person comes back: the answer is checked, and the session gets a new key and the claims."""
    begun = request.session.pop(_BEGUN, {})
    try:
        done = party().finish(request.META.get("QUERY_STRING", ""), begun)
        facts = party().userinfo(done.access_token)
    except (SignInError, OSError) as error:
        return _refused(error)
    request.session.cycle_key()
    request.session[_PERSON] = {**facts, **done.claims, "id_token": done.id_token}
    return HttpResponseRedirect(begun["next"])


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave here, and let the platform ask whether to leave there as well."""
    found = request.session.get(_PERSON)
    request.session.flush()
    if found is None:
        return HttpResponseRedirect("/")
    query = urlencode({"id_token_hint": found["id_token"]})
    return HttpResponseRedirect(f"{party().metadata['end_session_endpoint']}?{query}")


@csrf_exempt
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """The platform's word that a session has ended there (OpenID Connect Back-Channel Logout 1.0)."""
    try:
        claims = party().logout_token(request.POST.get("logout_token", ""))
    except (SignInError, OSError):
        return HttpResponseBadRequest(headers={"cache-control": "no-store"})
    if "sid" not in claims:
        return HttpResponseBadRequest(headers={"cache-control": "no-store"})
    with suppress(CreateError):  # heard before
        _store(_ended(claims["sid"])).save(must_create=True)
    return HttpResponse(headers={"cache-control": "no-store"})


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
    return wanted if own and wanted.startswith("/") else "/"


def _ended(sid: str) -> str:
    return f"ended{jose.digest(sid)[:32]}".lower()


def _store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(session_key=key)


def _refused(error: Exception) -> HttpResponse:
    """The word for it, for a page of the site to explain; set `SMARTGOV_SIGN_IN_FAILED` to its address."""
    code = error.code if isinstance(error, SignInError) else "unreachable"
    page = getattr(settings, "SMARTGOV_SIGN_IN_FAILED", "")
    if page:
        return HttpResponseRedirect(f"{page}?{urlencode({'error': code})}")
    return HttpResponseBadRequest(f"sign-in: {code}", content_type="text/plain")


urlpatterns = [
    path("", sign_in, name="sign-in"),
    path("callback", callback, name="callback"),
    path("out", sign_out, name="sign-out"),
    path("logout", logout, name="logout"),
]
