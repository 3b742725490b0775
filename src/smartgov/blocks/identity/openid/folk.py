"""What the provider asks about people: facts for relying parties, pseudonyms, and whether somebody is still there."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import representing
from smartgov.blocks.identity.accounts import pairwise
from smartgov.blocks.identity.models import Account, OpenidRelation
from smartgov.blocks.ops.api import Statements
from smartgov.engines.openid.model import Authentication, Client
from smartgov.shared.actor import Actor

_FACTS = ("name", "email", "national_id")  # claims that are columns of the account
_accounts = Statements(Account)


class AccountPeople:
    """Implements `engines.openid.store.People` over the accounts."""

    def claims(self, subject: str, names: frozenset[str], client: Client) -> dict[str, Any]:
        """See `People`. Reading a national id for a relying party is noted."""
        wanted = tuple(name for name in _FACTS if name in names or (name, "email_verified" in names) == ("email", True))
        values = _accounts.values(wanted, subject=subject, is_active=True) if wanted else None
        if values is None:
            return {}
        known = {name: value for name, value in zip(wanted, values, strict=True) if value}
        found: dict[str, Any] = {name: value for name, value in known.items() if name in names}
        if "email_verified" in names and "email" in known:
            found["email_verified"] = False  # nobody has clicked a link in it yet
        if "national_id" in found:
            _note(subject, client)
        return found

    def pseudonym(self, subject: str, sector: str, generation: int) -> str:
        """See `People`."""
        return pairwise(subject, f"openid\n{sector}\n{generation}")

    def still_holds(self, authentication: Authentication) -> bool:
        """See `People`. A mandate that nobody can check does not hold."""
        if authentication.acting_for and not representing.holds(
            subject=authentication.subject,
            represented=authentication.acting_for,
            mandate=authentication.mandate,
        ):
            return False
        return _accounts.values(("subject",), subject=authentication.subject, is_active=True) is not None

    def find(self, client: Client, sub: str) -> str | None:
        """See `People`. Only people who have agreed to this client can be found by it."""
        relations = OpenidRelation.objects.filter(client=client.id, withdrawn_at=None)
        for subject, generation in relations.values_list("subject", "generation"):
            if self.pseudonym(subject, client.pairwise_sector, generation) == sub:
                return subject
        return None


@transaction.atomic
def _note(subject: str, client: Client) -> None:
    audit.record(
        actor=Actor.for_system("portal", "identity"),
        action="identity.national_id_read",
        object_type="account",
        object_id=subject,
        detail={"purpose": "openid", "client": client.id},
    )
