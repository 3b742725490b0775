"""Verbs over a person's authenticator app: the secret sealed at rest, each step's code good for one sign-in."""

from __future__ import annotations

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity.models import Account, AuthenticatorApp
from smartgov.blocks.identity.people import telling, totp
from smartgov.shared import clock
from smartgov.shared.actor import Actor


def of(account: Account) -> AuthenticatorApp | None:
    """The app that this person has set up, if any."""
    return AuthenticatorApp.objects.filter(account=account).exclude(confirmed_at=None).first()


@transaction.atomic
def begin(account: Account) -> AuthenticatorApp:
    """A secret that waits for its first code; the one that waits already is offered again, a confirmed one stays."""
    waiting, _ = AuthenticatorApp.objects.get_or_create(
        account=account, confirmed_at=None, defaults={"secret": totp.new_secret()}
    )
    return waiting


@transaction.atomic
def confirm(*, actor: Actor, account: Account, typed: str) -> bool:
    """Take the waiting secret into use when its first code is right; an earlier app is replaced by it."""
    waiting = AuthenticatorApp.objects.select_for_update().filter(account=account, confirmed_at=None).first()
    step = totp.step_at(clock.now())
    if waiting is None or not totp.is_right(waiting.secret, typed, step):
        return False
    AuthenticatorApp.objects.filter(account=account).exclude(id=waiting.id).delete()
    AuthenticatorApp.objects.filter(id=waiting.id).update(confirmed_at=clock.now(), last_step=step)
    _note(actor, account, "authenticator_app.added")
    telling.tell(account, "means_added")
    return True


def take(account: Account, typed: str) -> bool:
    """Whether `typed` is the app's present code and has not been used: the step is spent in the same stroke."""
    app, step = of(account), totp.step_at(clock.now())
    if app is None or not totp.is_right(app.secret, typed, step):
        return False
    return AuthenticatorApp.objects.filter(id=app.id, last_step__lt=step).update(last_step=step) == 1


@transaction.atomic
def remove(*, actor: Actor, account: Account) -> None:
    """Remove the app. A password goes with it: alone it would open nothing."""
    if AuthenticatorApp.objects.filter(account=account).delete()[0]:
        account.passwords.all().delete()
        _note(actor, account, "authenticator_app.removed")
        telling.tell(account, "means_removed")


def _note(actor: Actor, account: Account, action: str) -> None:
    audit.record(actor=actor, action=action, object_type="account", object_id=account.subject)
