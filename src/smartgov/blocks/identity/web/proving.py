"""Pages of signing in with a certificate: the card in a reader of this machine, and the mobile certificate.

They work without scripts. The card's page posts to a helper on this machine, and the helper's page posts back.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from smartgov.blocks.identity.gate import safe_next
from smartgov.blocks.identity.means import connected, proving, waiting
from smartgov.blocks.identity.web import sign_in
from smartgov.blocks.ops.api import public
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

_BEGUN = "identity_proving"
_LONGEST_ANSWER = 20_000
_WAYS = {"push", "code", "app"}


@require_POST
@public("a stranger begins to sign in here")
def begin(request: HttpRequest, means: str) -> HttpResponse:
    """Open a request: for the card, or at TW FidO for the person whose national id was typed."""
    if means not in connected.ready():
        raise Http404
    secret, following = uuid7(), safe_next(request)
    national_id = request.POST.get("id_num", "").strip().upper()
    way = request.POST.get("way", "")
    if means == connected.TWFIDO and (not national_id or way not in _WAYS):
        return redirect(f"{reverse('identity:sign-in')}?{urlencode({'next': following})}")
    row = proving.begin(means=means, browser=secret, national_id=national_id, way=way)
    request.session[_BEGUN] = {"browser": secret, "next": following}
    return redirect("identity:prove", row.id)


@require_GET
@public("a stranger waits here for the own card or phone; bound to the browser that asked")
def prove(request: HttpRequest, proving_id: str) -> HttpResponse:
    """What to do now, until the answer is there; then open the session."""
    row, following = _begun(request, proving_id)
    if proving.is_over(row):
        return sign_in.over(request, following, status=410)
    try:
        proven = proving.answer(row)
    except proving.PersonWantedError:
        return render(request, "identity/prove_person.html", {"row": row})
    except Problem as refused:
        return sign_in.over(request, following, status=refused.status, refused=refused)
    if proven:
        return _opened(request, proven, following)
    template = f"identity/prove_{row.means}.html"
    return waiting.page(request, template, opened=proving.opened(row), until=row.expires_at, row=row)


@require_GET
@public("the waiting page asks here whether it should look again; bound to the browser that asked")
def state(request: HttpRequest, proving_id: str) -> HttpResponse:
    """Whether the answer is still awaited."""
    row, _ = _begun(request, proving_id)
    return JsonResponse({"waiting": proving.is_waiting(row)})


@csrf_exempt
@require_POST
@public("the helper's page brings the card's answer here; only the page that began it, in its own browser, acts on it")
def delivered(request: HttpRequest, proving_id: str) -> HttpResponse:
    """Keep the answer, and go back to the page that waits for it."""
    brought = request.POST.get("answer", "")
    if brought and len(brought) <= _LONGEST_ANSWER:
        proving.deliver(proving=proving_id, answer=brought)
    response = redirect("identity:prove", proving_id)
    response.status_code = 303
    return response


@require_POST
@public("a stranger whose card was seen for the first time says whose it is; bound to the browser that asked")
def person(request: HttpRequest, proving_id: str) -> HttpResponse:
    """Bind the card to the person after the authority has confirmed it, and open the session."""
    row, following = _begun(request, proving_id)
    national_id = request.POST.get("national_id", "").strip().upper()
    try:
        proven = proving.confirm(row, national_id)
    except Problem as refused:
        return sign_in.over(request, following, status=refused.status, refused=refused)
    return _opened(request, proven, following)


@require_POST
@public("ends a request of this browser; changes nothing else")
def cancel(request: HttpRequest, proving_id: str) -> HttpResponse:
    """End it, and choose anew."""
    row, following = _begun(request, proving_id)
    proving.cancel(row)
    return redirect(f"{reverse('identity:sign-in')}?{urlencode({'next': following})}")


def _begun(request: HttpRequest, proving_id: str) -> tuple[proving.Proving, str]:
    """The request that this browser has begun, and where it leads; 404 for everybody else."""
    begun = request.session.get(_BEGUN)
    found = proving.find(proving=proving_id, browser=begun["browser"]) if begun else None
    if found is None or begun is None:
        raise Http404
    return found, str(begun["next"])


def _opened(request: HttpRequest, proven: proving.Proven, following: str) -> HttpResponse:
    request.session.pop(_BEGUN, None)
    return sign_in.opened(request, proven.account, method=proven.means, following=following, assurance=proven.level)
