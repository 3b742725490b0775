"""The open sessions of a person: seen, and ended from elsewhere so that relying parties hear of it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import QuerySet

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import Account, LiveSession
from smartgov.blocks.identity.openid import logouts
from smartgov.shared import clock
from smartgov.shared.actor import Actor

MOST = 10
"""Open sessions of one person; a further one ends the oldest (ASVS 7.1.2)."""


def opened(
    account: Account,
    *,
    sid: str,
    again: bool,
    key: str,
    method: str,
    assurance: int,
    label: str,
    place: str,
    recovery: str = "",
) -> None:
    """Note a session that was opened, or proven `again` under the same `sid`."""
    known = {
        "account": account,
        "key": key,
        "method": method,
        "assurance": assurance,
        "label": label,
        "place": place,
        "recovery": recovery,
        "seen_at": clock.now(),
    }
    if again and LiveSession.objects.filter(sid=sid).update(**known):
        return
    LiveSession.objects.create(sid=sid, **known)
    for surplus in list(LiveSession.objects.filter(account=account).order_by("-seen_at", "-sid")[MOST:]):
        _end(surplus)


def moved(sid: str, key: str) -> None:
    """The session goes on under another key."""
    LiveSession.objects.filter(sid=sid).update(key=key)


def seen(sid: str, at: datetime) -> None:
    """The session was used; called once a minute at most."""
    LiveSession.objects.filter(sid=sid).update(seen_at=at)


def of(account: Account) -> list[LiveSession]:
    """The sessions of a person that have not run out, the latest first."""
    now = clock.now()
    used = LiveSession.objects.filter(account=account, seen_at__gt=now - domain.IDLE_LIMIT)
    return list(used.filter(opened_at__gt=now - domain.SESSION_LIMIT).order_by("-seen_at"))


@transaction.atomic
def kill(*, actor: Actor, account: Account, sid: str) -> None:
    """End one session of this person; another's is not found."""
    found = LiveSession.objects.filter(account=account, sid=sid).first()
    if found is None:
        raise domain.person_unknown()
    _end(found)
    _note(actor, account, "session.killed", sid)


@transaction.atomic
def kill_others(*, actor: Actor, account: Account, sid: str) -> int:
    """End every session of this person but one; how many there were."""
    others = list(LiveSession.objects.filter(account=account).exclude(sid=sid))
    for other in others:
        _end(other)
    _note(actor, account, "sessions.others_ended", account.subject)
    return len(others)


def end_where(found: QuerySet[LiveSession]) -> None:
    """End these sessions, within the transaction of what ends them."""
    for row in list(found):
        _end(row)


def over(sid: str) -> None:
    """The session has ended by itself or by signing out."""
    LiveSession.objects.filter(sid=sid).delete()


def forget_all(account: Account) -> None:
    """Every session of this person has ended in another way (a new epoch)."""
    LiveSession.objects.filter(account=account).delete()


def _end(row: LiveSession) -> None:
    SessionStore(row.key).delete()
    logouts.session_ended(row.sid)
    row.delete()


def _note(actor: Actor, account: Account, action: str, what: str) -> None:
    detail = {"session": what}
    audit.record(actor=actor, action=action, object_type="account", object_id=account.subject, detail=detail)
