"""Before somebody's means and sessions are touched: a sign-in of the last fifteen minutes, with a means that counts."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from smartgov.blocks.identity import domain, sessions
from smartgov.shared import clock


def session_of(request: HttpRequest) -> sessions.Session:
    """The session of a request that the gate has let in."""
    session = sessions.current(request)
    if session is None:
        raise domain.permission_missing()
    return session


def unless_settled(request: HttpRequest, back: str = "identity:account") -> HttpResponse | None:
    """None when the person may go on; else to a new sign-in that leads to the page `back`.

    Problem `recovery-cooling` for a session that a recovery has opened.
    """
    session = session_of(request)
    if session.cooling:
        raise domain.still_cooling()
    if clock.now() - session.signed_in_at <= domain.FRESH:
        return None
    return HttpResponseRedirect(f"{reverse('identity:sign-in')}?{urlencode({'next': reverse(back)})}")
