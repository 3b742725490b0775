"""A signed-in session: whose it is, in which seat, how it was proven, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, login, logout
from django.contrib.auth.backends import BaseBackend
from django.db import DEFAULT_DB_ALIAS, transaction
from django.http import HttpRequest

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import accounts, domain
from smartgov.blocks.identity.domain import SeatView
from smartgov.blocks.identity.models import Account, Seat, SignIn
from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.people import browsers, live, places
from smartgov.blocks.identity.session_store import SessionStore
from smartgov.blocks.ops.api import Statements
from smartgov.shared import clock, ids
from smartgov.shared.actor import ANYONE, Actor

__all__ = [
    "Account",
    "AccountBackend",
    "Session",
    "actor",
    "current",
    "device",
    "ended_subject",
    "forget",
    "of_key",
    "lay_down",
    "sign_in",
    "sign_out",
    "take_seat",
    "take_up",
]

_KEY = "smartgov"
# The time of the last request is written at most this often, so that reading a page writes no row.
_TOUCH_AFTER = 60.0
BACKEND = "smartgov.blocks.identity.sessions.AccountBackend"


_accounts = Statements(Account)
_OF_A_SESSION = ("id", "subject", "name", "is_active", "signs_in_from", "session_epoch")


class AccountBackend(BaseBackend):
    """Finds the account of a session. It authenticates nobody: the sign-in verbs do, each by its own proof."""

    def get_user(self, user_id: int) -> Account | None:
        """The open account of a session. Sealed columns that no page needs stay sealed until somebody reads them."""
        values = _accounts.values(_OF_A_SESSION, id=user_id, is_active=True)
        return None if values is None else Account.from_db(DEFAULT_DB_ALIAS, _OF_A_SESSION, values)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session; `seat` and `acting` (represented subject, mandate) are None while people act for themselves."""

    account: Account
    seat: SeatView | None
    assurance: int
    method: str
    signed_in_at: datetime
    sid: str
    cooling: bool = False
    """Opened with a means that was made in a recovery which may still be stopped."""
    acting: tuple[str, str] | None = None


@transaction.atomic
def sign_in(request: HttpRequest, account: Account, *, method: str, assurance: int, recovery: str = "") -> None:
    """Open a session of `account` under a new session key; notes it for the person and for the auditor.

    Who signs in again in a live session of their own keeps its `sid`, so that ending it reaches every relying party.
    `recovery` names the recovery in which the means was made, while it still cools.
    """
    if account.signs_in_from is not None and clock.today() < account.signs_in_from:
        raise domain.under_age()
    kept = _sid_to_keep(request, account)
    sid = kept or ids.uuid7()
    before = request.session.session_key
    login(request, account, backend=BACKEND)
    if request.session.session_key in (before, None):
        request.session.cycle_key()
    now = clock.now()
    request.session[_KEY] = {
        "assurance": assurance,
        "method": method,
        "at": now.timestamp(),
        "seen": now.timestamp(),
        "seat": None,
        "sid": sid,
        "recovery": recovery,
    }
    request.session.pop("identity_login", None)
    forget(request)
    kind, place = device(request), places.of(request)
    key = request.session.session_key or ""
    live.opened(
        account,
        sid=sid,
        again=bool(kept),
        key=key,
        method=method,
        assurance=assurance,
        label=kind,
        place=place,
        recovery=recovery,
    )
    SignIn.objects.create(
        account=account,
        method=method,
        assurance=assurance,
        at=now,
        device=kind,
        place=place,
        new_browser=browsers.met(request, account),
    )
    audit.record(
        actor=Actor("citizen", subject=account.subject, assurance=assurance),
        action="session.opened",
        object_type="account",
        object_id=account.subject,
        detail={"method": method},
    )


def sign_out(request: HttpRequest) -> None:
    """End the session, and tell the services that the person signed in to with it."""
    kept = request.session.get(_KEY)
    if kept and "sid" in kept:
        logouts.session_ended(kept["sid"])
        live.over(kept["sid"])
    logout(request)


def _sid_to_keep(request: HttpRequest, account: Account) -> str:
    """The id of this person's live session in this browser; another person's session ends here."""
    session = current(request) if request.session.get(_KEY) else None
    if session is None:
        return ""
    if session.account.pk == account.pk:
        return session.sid
    logouts.session_ended(session.sid)
    live.over(session.sid)
    return ""


def current(request: HttpRequest) -> Session | None:
    """The live session of a request, or None; looked up once for each request."""
    if not hasattr(request, "_smartgov_session"):
        request._smartgov_session = _load(request)  # type: ignore[attr-defined]
    session: Session | None = request._smartgov_session  # type: ignore[attr-defined]
    return session


def forget(request: HttpRequest) -> None:
    """Look the session up anew (after signing in, or after changing the seat)."""
    for kept in ("_smartgov_session", "_smartgov_standing"):
        if hasattr(request, kept):
            delattr(request, kept)


def ended_subject(request: HttpRequest) -> str | None:
    """Whose session this was, if it has just run out; only to bind kept answers to their writer."""
    kept = request.session.get(_KEY)
    user = request.user
    return user.subject if kept and isinstance(user, Account) else None


def take_seat(request: HttpRequest, seat: SeatView | None) -> None:
    """Act in `seat` from now on, or as oneself; the session key changes with the power that it carries."""
    kept = request.session[_KEY]
    request.session.cycle_key()
    request.session[_KEY] = {**kept, "seat": seat.id if seat else None, "acting": None}
    live.moved(kept["sid"], request.session.session_key or "")
    forget(request)


def take_up(request: HttpRequest, *, represented: str, mandate: str) -> None:
    """Act for `represented` from now on; the session key changes with the power that it carries."""
    kept = request.session[_KEY]
    request.session.cycle_key()
    request.session[_KEY] = {**kept, "seat": None, "acting": [represented, mandate]}
    live.moved(kept["sid"], request.session.session_key or "")
    forget(request)


def lay_down(request: HttpRequest) -> None:
    """Act for oneself again; nothing happens when nobody is acted for."""
    kept = request.session.get(_KEY)
    if kept and kept.get("acting"):
        request.session.cycle_key()
        request.session[_KEY] = {**kept, "acting": None}
        live.moved(kept["sid"], request.session.session_key or "")
    forget(request)


def actor(request: HttpRequest) -> Actor:
    """Who acts: an officer in a seat (without a subject, see `person_of_seat`), a citizen, or the public."""
    session = current(request)
    if session is None:
        return ANYONE
    if session.seat:
        return Actor("officer", seat=session.seat.id, agency=session.seat.agency, assurance=session.assurance)
    represented, mandate = session.acting or (None, None)
    return Actor(
        "citizen",
        subject=session.account.subject,
        acting_for=represented,
        mandate=mandate,
        assurance=session.assurance,
    )


def _load(request: HttpRequest) -> Session | None:
    kept = _live(request.session)
    if kept is None:
        return None
    account = request.user
    if not isinstance(account, Account) or not account.is_active:
        return None
    if _idle(kept) > _TOUCH_AFTER:
        request.session[_KEY] = {**kept, "seen": clock.now().timestamp()}
        live.seen(kept["sid"], clock.now())
    return _session_of(account, kept)


def of_key(key: str) -> Session | None:
    """The live session behind a cookie's value, for a door without a Django request.

    None when there is none, and also for whatever a page has to look at: a time of last request to be noted, a seat,
    somebody acted for.
    """
    data = SessionStore(key).load()
    kept = _live(data)
    if kept is None or _idle(kept) > _TOUCH_AFTER or kept["seat"] or kept.get("acting"):
        return None
    account = AccountBackend().get_user(data[SESSION_KEY])
    if account is None or not compare_digest(data.get(HASH_SESSION_KEY, ""), account.get_session_auth_hash()):
        return None
    return _session_of(account, kept)


def _live(data: Any) -> dict[str, Any] | None:
    """What a session's data say of a sign-in that is neither idle nor too old; None when there is none."""
    kept: dict[str, Any] | None = data.get(_KEY)
    if not kept or "sid" not in kept or data.get(BACKEND_SESSION_KEY) != BACKEND:
        return None
    idle, age = _idle(kept), clock.now().timestamp() - kept["at"]
    if idle > domain.IDLE_LIMIT.total_seconds() or age > domain.SESSION_LIMIT.total_seconds():
        return None
    return kept


def _idle(kept: dict[str, Any]) -> float:
    return float(clock.now().timestamp() - kept["seen"])


def _session_of(account: Account, kept: dict[str, Any]) -> Session:
    signed_in_at = datetime.fromtimestamp(kept["at"], clock.TAIPEI)
    return Session(
        account,
        _seat(account, kept["seat"]),
        kept["assurance"],
        kept["method"],
        signed_in_at,
        kept["sid"],
        bool(kept.get("recovery")),
        _acting(kept),
    )


def _acting(kept: dict[str, Any]) -> tuple[str, str] | None:
    found = kept.get("acting")
    return (str(found[0]), str(found[1])) if found else None


def _seat(account: Account, seat_id: str | None) -> SeatView | None:
    """The seat of the session, read anew each time so that an ended seat ends at once."""
    if seat_id is None:
        return None
    row = Seat.objects.filter(id=seat_id, account=account, active=True).select_related("account").first()
    return accounts.view_of(row) if row else None


def device(request: HttpRequest) -> str:
    """The kind of browser, in one or two words."""
    return browsers.label(request)
