"""Getting back in after every means was lost: proven anew in person, then new means that cool before they count.

Begun by anybody, told over every channel, stopped by one press of whoever holds an old means or got the mail. An
officer at a counter sees the person and their document (the same proof as at enrolment). From then on new means may be
made; until they have cooled they open a weak session: level 1, no signing, no mandates, no change of means, no seat.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import accounts, domain, throttle
from smartgov.blocks.identity.models import Account, LiveSession, MobileKey, Passkey, Recovery
from smartgov.blocks.identity.people import codes, live, telling
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.sealed import blind_index
from smartgov.shared.settings import get
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id as nid

OPEN_FOR = timedelta(days=7)
WITH_CODE = 3
"""A recovery code as a second piece of evidence divides the waiting period by this."""
BEGUN_A_DAY = 3
_REFERENCE_SIGNS = 8
_OPEN = ("begun", "proven")
logger = structlog.get_logger()
__all__ = [
    "Recovery",
    "begin",
    "by_stop_word",
    "cooling_time",
    "find",
    "is_over",
    "made_in",
    "open_of",
    "prove",
    "require_proven",
    "settle",
    "stop",
    "stop_word",
]


def cooling_time(*, with_code: bool) -> timedelta:
    """How long new means cool (SMARTGOV_RECOVERY_HOURS)."""
    whole = timedelta(hours=float(get("SMARTGOV_RECOVERY_HOURS")))
    return whole / WITH_CODE if with_code else whole


@transaction.atomic
def begin(*, browser: str, national_id: str, code: str = "") -> Recovery:
    """Begin for whoever has this national id; for an unknown one the same page is shown, and leads nowhere."""
    throttle.count("recovery", national_id, limit=BEGUN_A_DAY, window=timedelta(days=1))
    subject = accounts.account_by_national_id(national_id) if nid.is_valid(national_id) else None
    account = Account.objects.filter(subject=subject).first() if subject else None
    made = Recovery.objects.create(
        account=account,
        browser=_digest(browser),
        reference="".join(secrets.choice(codes.ALPHABET) for _ in range(_REFERENCE_SIGNS)),
        with_code=bool(account and code and codes.take(account, code)),
    )
    if account:
        _note(Actor("public"), made, "recovery.begun")
        telling.tell(account, "recovery_begun", recovery=made.id)
    return made


def find(browser: str) -> Recovery | None:
    """The recovery that this browser has begun, while it is open."""
    found = Recovery.objects.filter(browser=_digest(browser)).select_related("account").first()
    return found if found and not is_over(found) else None


def is_over(row: Recovery) -> bool:
    """Whether nothing more can come of it."""
    if row.state == "proven":
        return row.cooled_at is None or row.cooled_at <= clock.now()
    return row.state != "begun" or row.begun_at + OPEN_FOR <= clock.now()


def open_of(account: Account) -> list[Recovery]:
    """The recoveries of a person that may still be stopped."""
    return [row for row in account.recoveries.filter(state__in=_OPEN).order_by("begun_at") if not is_over(row)]


def prove(*, actor: Actor, reference: str, national_id: str, suspend: bool) -> Recovery:
    """An officer has seen the person and their document; with `suspend` the lost means open nothing from now on."""
    assert actor.seat is not None
    throttle.count("counter", actor.seat, limit=30)  # in a transaction of its own, so that what fails counts
    return _proven(actor, actor.seat, reference, national_id, suspend=suspend)


@transaction.atomic
def _proven(actor: Actor, seat: str, reference: str, national_id: str, *, suspend: bool) -> Recovery:
    row = Recovery.objects.select_for_update().filter(reference=codes.cleaned(reference), state="begun").first()
    subject = accounts.account_by_national_id(national_id)
    if row is None or row.account is None or is_over(row) or row.account.subject != subject:
        raise _unknown()
    if accounts.person_of_seat(seat) == subject:
        raise domain.permission_missing()
    now = clock.now()
    row.state, row.proven_by, row.proven_at = "proven", seat, now
    row.cooled_at = now + cooling_time(with_code=row.with_code)
    row.save(update_fields=["state", "proven_by", "proven_at", "cooled_at"])
    if suspend:
        _suspend(row.account, now)
    _note(actor, row, "recovery.proven")
    telling.tell(row.account, "recovery_proven", recovery=row.id)
    return row


def _suspend(account: Account, now: datetime) -> None:
    """Suspend what there is; the moment says by which recovery, so that another one's end does not bring it back."""
    for means in (account.passkeys, account.mobile_keys):
        means.filter(suspended_at=None, recovery="").update(suspended_at=now)
    live.end_where(LiveSession.objects.filter(account=account))


def require_proven(row: Recovery | None) -> Account:
    """The person for whom this recovery may make new means; Problem `recovery-unknown` otherwise."""
    if row is None or row.state != "proven" or row.account is None or is_over(row):
        raise _unknown()
    return row.account


def made_in(row: Recovery) -> dict[str, list[str]]:
    """The new means of a recovery, by kind, as the person knows them."""
    return {
        "passkeys": list(Passkey.objects.filter(recovery=row.id).values_list("name", flat=True)),
        "phones": list(MobileKey.objects.filter(recovery=row.id).values_list("id", flat=True)),
    }


def stop_word(recovery: str) -> str:
    """What the mail's link carries: it can stop this recovery and do nothing else."""
    return f"{recovery}.{blind_index(recovery, 'identity.recovery.stop')}"


def by_stop_word(word: str) -> Recovery | None:
    """The open recovery that this word stops."""
    name, _, given = word.partition(".")
    if not hmac.compare_digest(given.encode(), blind_index(name, "identity.recovery.stop").encode()):
        return None
    return Recovery.objects.filter(id=name, state__in=_OPEN).select_related("account").first()


@transaction.atomic
def stop(*, actor: Actor, row: Recovery) -> None:
    """It was not the person: its means and sessions are gone, and what was suspended counts again."""
    found = Recovery.objects.select_for_update().filter(id=row.id, state__in=_OPEN).first()
    if found is None or found.account is None:
        raise _unknown()
    Recovery.objects.filter(id=found.id).update(state="stopped", ended_at=clock.now())
    live.end_where(LiveSession.objects.filter(account=found.account, recovery=found.id))
    for model in (Passkey, MobileKey):
        model.objects.filter(recovery=found.id).delete()
        _bring_back(found, model.objects.filter(account=found.account))
    _note(actor, found, "recovery.stopped")
    telling.tell(found.account, "recovery_stopped", recovery=found.id)


def settle() -> None:
    """Periodic: what has cooled counts in full, and what had been suspended for it is removed."""
    for row in _cooled():
        _settle(row)


def _cooled() -> QuerySet[Recovery]:
    return Recovery.objects.filter(state="proven", cooled_at__lte=clock.now())


@transaction.atomic
def _settle(row: Recovery) -> None:
    found = _cooled().select_for_update().filter(id=row.id).first()
    if found is None or found.account is None:
        return
    kept = [model.objects.filter(recovery=found.id) for model in (Passkey, MobileKey)]
    if any(means.exists() for means in kept):
        for means in kept:
            means.update(recovery="", cools_until=None)
        for old in (found.account.passkeys, found.account.mobile_keys):
            old.exclude(suspended_at=None).delete()
    else:  # nothing new was made, so the old means are all there is
        for old in (found.account.passkeys, found.account.mobile_keys):
            _bring_back(found, old.all())
    Recovery.objects.filter(id=found.id).update(state="done", ended_at=clock.now())
    _note(Actor.for_system("portal", "identity"), found, "recovery.done")
    telling.tell(found.account, "recovery_done", recovery=found.id)


def _bring_back(row: Recovery, means: QuerySet[Passkey] | QuerySet[MobileKey]) -> None:
    """Let count again what this recovery has suspended; not what another one has, nor a key that was copied."""
    if row.proven_at is not None:
        means.filter(suspended_at=row.proven_at).update(suspended_at=None)


def _unknown() -> Problem:
    return Problem(
        "recovery-unknown",
        404,
        what=Text("This recovery was not found.", "查無此復原申請。"),
        why=Text(
            "Number and id do not belong together, or it was stopped, finished or too old.",
            "申請編號與身分證統一編號不相符，或申請已停止、完成或逾期。",
        ),
        todo=Text("Check both, or begin again.", "請核對後重試，或重新申請。"),
    )


def _digest(browser: str) -> str:
    return blind_index(browser, "identity.recovery.browser")


def _note(actor: Actor, row: Recovery, action: str) -> None:
    assert row.account is not None
    detail = {"recovery": row.id}
    audit.record(actor=actor, action=action, object_type="account", object_id=row.account.subject, detail=detail)
