"""When a session ends here: what came of it ends too, and every relying party concerned is told until it has heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlencode

import structlog
from django.db import transaction

from smartgov.blocks.identity.models import OpenidAuthorization, OpenidLogout, RelyingParty
from smartgov.blocks.identity.openid import outward, parties
from smartgov.blocks.ops.api import EmittedEvent, emit
from smartgov.engines.openid.provider import Provider
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text

EVENTS = {"openid_session_ended": ("logout",)}
_SYSTEM = Actor.for_system("portal", "identity")
_LIVE = ("granted", "redeemed")
GIVE_UP = timedelta(days=1)
logger = structlog.get_logger()


def session_ended(session: str) -> None:
    """One session has ended: by signing out, or because it was killed from elsewhere."""
    _ended(OpenidAuthorization.objects.filter(session=session, state__in=_LIVE))


def subject_left(subject: str) -> None:
    """A person has signed out everywhere."""
    _ended(OpenidAuthorization.objects.filter(subject=subject, state__in=_LIVE))


def withdrawn(subject: str, client: str) -> None:
    """A person has taken back what a relying party was allowed: its offline access ends as well."""
    with transaction.atomic():
        found = OpenidAuthorization.objects.filter(subject=subject, client=client, state__in=_LIVE)
        _ended(found)
        found.update(state="revoked", ended="withdrawn")


@transaction.atomic
def _ended(found: object) -> None:
    rows: list[OpenidAuthorization] = list(found.select_for_update())  # type: ignore[attr-defined]
    if not rows:
        return
    # OpenID Connect Core 11: what was granted for offline access outlives the session, everything else ends with it.
    ending = [row.id for row in rows if "offline_access" not in (row.granted or {}).get("scopes", ())]
    OpenidAuthorization.objects.filter(id__in=ending).update(state="revoked", ended="session-ended")
    listening = {
        party.id: party
        for party in RelyingParty.objects.filter(id__in={row.client for row in rows}, state=parties.ACTIVE)
        if party.registration.get("backchannel_logout_uri")
    }
    told = set()
    for row in rows:
        if row.client in listening and row.granted and (row.client, row.session) not in told:
            told.add((row.client, row.session))
            _tell_later(row)


def _tell_later(row: OpenidAuthorization) -> None:
    assert row.granted is not None
    assert row.session is not None
    sid = _provider().sid(row.session, row.client)
    logout = OpenidLogout.objects.create(client=row.client, sub=row.granted["sub"], sid=sid)
    emit("openid_session_ended", aggregate=row.client, payload={"logout": logout.id}, actor=_SYSTEM)


def _provider() -> Provider:
    from smartgov.blocks.identity.openid.service import provider  # the service knows sessions, and sessions know us

    return provider()


def tell(event: EmittedEvent) -> None:
    """Deliver one logout token (listener of the outbox, which tries again); a party that is gone is not told."""
    from smartgov.engines.openid.logout import logout_token

    logout = OpenidLogout.objects.filter(id=event.payload["logout"], arrived_at=None).first()
    party = RelyingParty.objects.filter(id=logout.client, state=parties.ACTIVE).first() if logout else None
    if logout is None or party is None:
        return
    if clock.now() - logout.created_at > GIVE_UP:
        logger.warning("logout_not_heard", client=logout.client, logout=logout.id)
        return  # sessions there have long ended by themselves
    client = parties.client_of(party)
    token = logout_token(_provider(), client, sub=logout.sub, sid=logout.sid)
    _posts[-1](client.backchannel_logout_uri, urlencode({"logout_token": token}).encode())
    OpenidLogout.objects.filter(id=logout.id).update(arrived_at=clock.now())


def _post(address: str, body: bytes) -> None:
    """A logout token goes to the registered address and nowhere else."""
    try:
        status, _ = outward.ask("POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, body)
    except OSError:
        raise _unheard(503) from None
    if status >= 300:
        raise _unheard(status if 400 <= status < 500 else 502)


_posts: list[Callable[[str, bytes], None]] = [_post]


@contextmanager
def post_replaced(post: Callable[[str, bytes], None]) -> Iterator[None]:
    """Send by `post` within a block of a test."""
    _posts.append(post)
    try:
        yield
    finally:
        _posts.remove(post)


def _unheard(status: int) -> Problem:
    return Problem(
        "logout-not-heard",
        status,
        what=Text("A service did not hear that a session has ended.", "服務尚未收到登出通知。"),
        why=Text("It did not answer, or refused the notice.", "對方沒有回應，或拒絕該通知。"),
        todo=TRY_AGAIN,
    )
