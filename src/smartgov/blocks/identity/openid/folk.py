"""What the provider asks about people: facts for relying parties, pseudonyms, and whether somebody is still there."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import representing
from smartgov.blocks.identity.accounts import pairwise
from smartgov.blocks.identity.models import Account, OpenidRelation
from smartgov.engines.openid.model import Authentication, Client
from smartgov.shared.actor import Actor

_COLUMNS = {"name": "name", "email": "email", "national_id": "national_id"}


class AccountPeople:
    """Implements `engines.openid.store.People` over the accounts."""

    def claims(self, subject: str, names: frozenset[str], client: Client) -> dict[str, Any]:
        """See `People`. Reading a national id for a relying party is noted."""
        account = _account(subject, names) if names else None
        if account is None:
            return {}
        found: dict[str, Any] = {name: getattr(account, column) for name, column in _COLUMNS.items() if name in names}
        found = {name: value for name, value in found.items() if value}
        if "email_verified" in names and account.email:
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
        return Account.objects.filter(subject=authentication.subject, is_active=True).exists()

    def find(self, client: Client, sub: str) -> str | None:
        """See `People`. Only people who have agreed to this client can be found by it."""
        relations = OpenidRelation.objects.filter(client=client.id, withdrawn_at=None)
        for subject, generation in relations.values_list("subject", "generation"):
            if self.pseudonym(subject, client.pairwise_sector, generation) == sub:
                return subject
        return None


def _account(subject: str, names: frozenset[str]) -> Account | None:
    columns = {column for name, column in _COLUMNS.items() if name in names} | {"subject"}
    columns |= {"email"} if "email_verified" in names else set()
    return Account.objects.only(*columns).filter(subject=subject, is_active=True).first()


@transaction.atomic
def _note(subject: str, client: Client) -> None:
    audit.record(
        actor=Actor.for_system("portal", "identity"),
        action="identity.national_id_read",
        object_type="account",
        object_id=subject,
        detail={"purpose": "openid", "client": client.id},
    )
