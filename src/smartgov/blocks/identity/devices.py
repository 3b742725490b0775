"""What a person sees and does about their own devices, sign-ins and sessions."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import Account, CitizenCertificate, MobileKey, Passkey
from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.people import authenticator_app, browsers, codes, live, passwords, recovery, telling
from smartgov.shared import ids
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

SIGN_INS_SHOWN = 20


def of(account: Account) -> dict[str, Any]:
    """Passkeys, phones and the latest sign-ins of a person."""
    return {
        "passkeys": list(account.passkeys.order_by("created_at")),
        "phones": list(account.mobile_keys.order_by("created_at")),
        "certificates": list(account.citizen_certificates.order_by("created_at")),
        "sign_ins": list(account.sign_ins.order_by("-at")[:SIGN_INS_SHOWN]),
        "app": authenticator_app.of(account),
        "codes_left": codes.left(account),
        "password": passwords.of(account),
        "may_have_password": passwords.may_have(account),
        "browsers": browsers.of(account),
        "sessions": live.of(account),
        "recoveries": recovery.open_of(account),
    }


@transaction.atomic
def remove_passkey(*, actor: Actor, account: Account, passkey: str) -> None:
    """Remove a passkey of this account; another's is not found, and the last way to sign in stays."""
    _remove(actor, account, account.passkeys.filter(id=passkey).first(), "passkey.removed")
    telling.tell(account, "means_removed")


@transaction.atomic
def remove_mobile_key(*, actor: Actor, account: Account, key: str) -> None:
    """Remove a phone of this account; another's is not found, and the last way to sign in stays."""
    _remove(actor, account, account.mobile_keys.filter(id=key).first(), "mobile_key.removed")
    telling.tell(account, "means_removed")


@transaction.atomic
def remove_certificate(*, actor: Actor, account: Account, certificate: str) -> None:
    """Forget a certificate of this account; another's is not found, and the last way to sign in stays."""
    _remove(actor, account, account.citizen_certificates.filter(id=certificate).first(), "certificate.removed")


def _remove(
    actor: Actor, account: Account, found: Passkey | MobileKey | CitizenCertificate | None, action: str
) -> None:
    if found is None:
        raise domain.person_unknown()
    _keep_one_way(account)
    number = found.id
    found.delete()
    _note(actor, account, action, number)


@transaction.atomic
def end_sessions(*, actor: Actor, account: Account) -> None:
    """End every session of a person."""
    account.session_epoch = ids.uuid7()
    account.save(update_fields=["session_epoch"])
    logouts.subject_left(account.subject)
    live.forget_all(account)
    _note(actor, account, "sessions.ended", account.subject)


def end_sessions_of(*, actor: Actor, subject: str) -> None:
    """End every session of a person who asked for it at a counter, or whom an operator must sign out."""
    account = Account.objects.filter(subject=subject, is_active=True).first()
    if account is None:
        raise domain.person_unknown()
    end_sessions(actor=actor, account=account)


def signed_in() -> list[str]:
    """The subjects of everybody who has an open session."""
    found = Account.objects.filter(is_active=True, live_sessions__isnull=False).distinct()
    return list(found.values_list("subject", flat=True))


def _keep_one_way(account: Account) -> None:
    usable = sum(means.filter(suspended_at=None).count() for means in (account.passkeys, account.mobile_keys))
    if usable + account.citizen_certificates.count() > 1:
        return
    raise Problem(
        "last-way-to-sign-in",
        409,
        what=Text("This is your only way to sign in.", "這是您唯一的登入方式。"),
        why=Text("Without it you could not come back.", "移除後您將無法再登入。"),
        todo=Text("Add another way first.", "請先新增另一種登入方式。"),
    )


def _note(actor: Actor, account: Account, action: str, device: str) -> None:
    audit.record(
        actor=actor, action=action, object_type="account", object_id=account.subject, detail={"device": device}
    )
