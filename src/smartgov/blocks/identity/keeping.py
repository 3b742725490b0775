"""Nothing written is lost when a session ends: the form that was posted is kept, encrypted, for its writer.

It is bound to this browser (a sealed cookie set at sign-in) and to the person whose session it was, lives 30 minutes,
is offered after the next sign-in and is gone once it was sent. Without knowing the person, nothing is kept.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from smartgov.blocks.identity import domain, sessions
from smartgov.blocks.identity.models import KeptPost
from smartgov.shared import clock, sealed
from smartgov.shared.problems import Problem

COOKIE = f"{settings.SESSION_COOKIE_NAME}_browser"
_CONTEXT = "identity.browser"
_COOKIE_AGE = 24 * 3600
_NOT_ANSWERS = frozenset({"csrfmiddlewaretoken"})


def mark_browser(request: HttpRequest, response: HttpResponse, subject: str) -> None:
    """Remember, sealed, whose session this browser had; it opens nothing. The same person keeps the same mark."""
    if _marked(request) == subject:
        return
    token = sealed.seal(subject, _CONTEXT)
    response.set_cookie(
        COOKIE, token, max_age=_COOKIE_AGE, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def unmark_browser(response: HttpResponse) -> None:
    """Forget it, when the person signs out on purpose."""
    response.delete_cookie(COOKIE, samesite="Lax")


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a stranger to sign in; what a known person had posted is kept and offered afterwards."""
    following = request.get_full_path()
    if request.method == "POST":
        kept = _keep(request)
        following = reverse("identity:kept", args=[kept]) if kept else "/"
    return HttpResponseRedirect(f"{reverse('identity:sign-in')}?{urlencode({'next': following})}")


def _keep(request: HttpRequest) -> str | None:
    subject, browser = _writer(request)
    answers = json.dumps({key: values for key, values in request.POST.lists() if key not in _NOT_ANSWERS})
    if subject is None or browser is None or len(answers) > domain.KEPT_BYTES:
        return None
    kept = KeptPost.objects.create(
        browser=browser,
        subject=subject,
        path=request.path,
        answers=answers,
        expires_at=clock.now() + domain.KEPT_FOR,
    )
    return kept.id


def _writer(request: HttpRequest) -> tuple[str | None, str | None]:
    subject, known = _marked(request), sessions.ended_subject(request)
    if subject is None or (known is not None and known != subject):
        return None, None
    return subject, _browser(request)


def _marked(request: HttpRequest) -> str | None:
    token = request.COOKIES.get(COOKIE, "")
    try:
        return sealed.unseal(token, _CONTEXT) if token else None
    except (Problem, ValueError):
        return None


def _browser(request: HttpRequest) -> str:
    return sealed.blind_index(request.COOKIES.get(COOKIE, ""), _CONTEXT)


def kept_post(request: HttpRequest, kept_id: str, subject: str) -> tuple[str, list[tuple[str, str]]] | None:
    """Path and answers of what `subject` wrote in this browser; None when there is nothing of theirs."""
    mine = KeptPost.objects.filter(subject=subject, browser=_browser(request), expires_at__gt=clock.now())
    found = mine.filter(id=kept_id).first()
    if found is None:
        return None
    answers = json.loads(found.answers)
    return found.path, [(key, value) for key, values in answers.items() for value in values]


@transaction.atomic
def discard(kept_id: str, subject: str) -> bool:
    """Erase what was kept, once it is on its way or not wanted; False when there is nothing of theirs."""
    return KeptPost.objects.filter(id=kept_id, subject=subject).delete()[0] > 0
