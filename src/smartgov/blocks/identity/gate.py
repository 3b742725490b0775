"""The gate of the site: who may pass which door, and where everybody else is sent."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from smartgov.blocks.identity import accounts, domain, keeping, representing, sessions
from smartgov.blocks.identity.domain import Person, Role
from smartgov.shared.actor import Actor

# What every signed-in person may do, whatever the role: their own account and the choice of a seat.
EVERYBODY = frozenset({"identity.account"})


class SessionGate:
    """The answer of `identity` to the doors of all blocks."""

    def admit(self, request: HttpRequest, permission: str) -> HttpResponseBase | None:
        """None when the person may pass; else to sign-in (posted answers kept), to the choice of seat, or refused."""
        session = sessions.current(request)
        if session is None:
            return keeping.to_sign_in(request)
        if may(request, permission):
            return None
        if session.acting:
            representing.of_request(request, sessions.actor(request))  # says why, when the mandate is over
            raise domain.not_while_acting()
        if request.method == "GET" and _another_seat_may(session, permission):
            return HttpResponseRedirect(_address("identity:seat", request.get_full_path()))
        raise domain.permission_missing()

    def may(self, request: HttpRequest, permission: str) -> bool:
        """Whether the person of this request may, as they act now."""
        return may(request, permission)

    def actor(self, request: HttpRequest) -> Actor:
        """Who acts in this request."""
        return sessions.actor(request)


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the person of this request may, as they act now; an empty permission is everybody's."""
    if not permission:
        return True
    session = sessions.current(request)
    if session is None:
        return False
    if session.acting:
        return representing.may(request, sessions.actor(request), permission)
    return permission in EVERYBODY or _role(session).allows(permission)


def person(request: HttpRequest) -> Person | None:
    """The signed-in person for the frame of a page: name, seat, and whether there are seats to choose from."""
    session = sessions.current(request)
    if session is None:
        return None
    has_seats = bool(accounts.seats_of(session.account.subject))
    acting = representing.caption(actor=sessions.actor(request)) if session.acting else None
    return Person(session.account.name, session.seat, has_seats, acting)


def safe_next(request: HttpRequest) -> str:
    """Where to go after signing in: a path of this site, never another host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    secure = settings.ORIGIN.startswith("https://")
    allowed = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=secure)
    return wanted if allowed and wanted.startswith("/") else "/"


class SessionAuth(APIKeyCookie):
    """Ninja authentication for our own pages' scripts: a signed-in person; `request.auth` is their Actor."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, permission: str) -> None:
        super().__init__(csrf=True)
        self.smartgov_permission = permission

    def _get_key(self, request: HttpRequest) -> str | None:
        """The session's key. Who is not signed in has nothing that another site could misuse: first 401, then 403."""
        if sessions.current(request) is None:
            return None
        if check_csrf(request) is not None:
            raise domain.token_missing()
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """The actor, None (401) when nobody is signed in, Problem `permission-missing` when it is not allowed."""
        if sessions.current(request) is None:
            return None
        if not may(request, self.smartgov_permission):
            raise domain.permission_missing()
        return sessions.actor(request)


def _role(session: sessions.Session) -> Role:
    if session.cooling:
        return accounts.roles()[domain.RECOVERING]
    return accounts.roles()[session.seat.role if session.seat else domain.CITIZEN]


def _another_seat_may(session: sessions.Session, permission: str) -> bool:
    if session.cooling:
        return False
    roles = [accounts.roles()[seat.role] for seat in accounts.seats_of(session.account.subject)]
    return any(role.allows(permission) for role in [*roles, accounts.roles()[domain.CITIZEN]])


def _address(name: str, following: str) -> str:
    return f"{reverse(name)}?{urlencode({'next': following})}"
