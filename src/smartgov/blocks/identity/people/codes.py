"""Recovery codes: ten secrets of 120 bits, shown once, kept as keyed digests, each good for one use.

They are long enough that a fast keyed digest protects them (ASVS 6.5.2 draws the line at 112 bits), so that trying ten
of them costs nothing.
"""

from __future__ import annotations

import secrets

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity.models import Account, RecoveryCode
from smartgov.blocks.identity.people import telling
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.sealed import blind_index

COUNT = 10
# Without letters and digits that are read for one another; 32 of them, so that a sign is five bits.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _SIGNS = 6, 4


def new_code() -> str:
    """One code as it is printed: six groups of four signs."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(_SIGNS)) for _ in range(_GROUPS))


def cleaned(typed: str) -> str:
    """The signs of a code, however it was typed."""
    return "".join(sign for sign in typed.upper() if sign in ALPHABET)


def digest(typed: str, context: str = "identity.recovery_code") -> str:
    """The keyed digest under which a code is kept."""
    return blind_index(cleaned(typed), context)


@transaction.atomic
def make(*, actor: Actor, account: Account) -> list[str]:
    """New codes, to be shown now and never again; the earlier ones are void."""
    made = [new_code() for _ in range(COUNT)]
    RecoveryCode.objects.filter(account=account).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(account=account, digest=digest(code)) for code in made)
    audit.record(actor=actor, action="recovery_codes.made", object_type="account", object_id=account.subject)
    telling.tell(account, "codes_made")
    return made


def left(account: Account) -> int:
    """How many codes are still good."""
    return RecoveryCode.objects.filter(account=account, used_at=None).count()


def take(account: Account, typed: str) -> bool:
    """Use a code up; False when it is none of this person's, or was used."""
    unused = RecoveryCode.objects.filter(account=account, digest=digest(typed), used_at=None)
    if len(cleaned(typed)) != _GROUPS * _SIGNS or not unused.update(used_at=clock.now()):
        return False
    telling.tell(account, "code_used")
    return True
