"""Tells people of what happens to their account, over every channel that they have: an event, which `notify` hears.

The event holds ids only; the words are content (`content/tw/notices/account_*.yaml`).
"""

from __future__ import annotations

from typing import Literal

from smartgov.blocks.identity.models import Account
from smartgov.blocks.ops.api import emit
from smartgov.shared.actor import Actor

EVENTS = {"account_touched": ("subject", "what", "recovery")}
What = Literal[
    "new_browser",
    "refused_tries",
    "means_added",
    "means_removed",
    "password_set",
    "codes_made",
    "code_used",
    "key_copied",
    "recovery_begun",
    "recovery_proven",
    "recovery_stopped",
    "recovery_done",
]
_SYSTEM = Actor.for_system("portal", "identity")


def tell(account: Account, what: What, *, recovery: str = "") -> None:
    """Have the person told; in the transaction of what happened."""
    payload = {"subject": account.subject, "what": what, "recovery": recovery}
    emit("account_touched", aggregate=account.subject, payload=payload, actor=_SYSTEM)
