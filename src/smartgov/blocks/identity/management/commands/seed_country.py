"""`seed_country`: enrols the made-up people of a country, with their seats and phones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from smartgov.blocks.identity import accounts
from smartgov.blocks.identity.openid import registering
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

SEEDER = Actor.for_system("portal", "seed_country")


class Command(BaseCommand):
    """Reads `personas.json`; running it again brings the same accounts up to date."""

    help = "Enrol the people of DIR/personas.json (made-up persons only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the country lies."""
        parser.add_argument("--home", required=True, type=Path, help="the country's folder")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Enrol everybody, or nobody when an entry is wrong."""
        path = options["home"] / "personas.json"
        try:
            personas = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from None
        for persona in personas:
            _enrol(persona)
        parties = options["home"] / "parties.json"
        for party in json.loads(parties.read_text(encoding="utf-8")) if parties.exists() else ():
            registering.install(actor=SEEDER, **party)
        self.stdout.write(f"{len(personas)} people enrolled.")


def _enrol(persona: dict[str, Any]) -> None:
    if not national_id.is_synthetic(persona["national_id"]):
        raise CommandError(f"{persona['key']} has a national id that is not marked as made up")
    subject = accounts.enrol(
        actor=SEEDER, national_id=persona["national_id"], name=persona["name"], email=persona.get("email", "")
    )
    for seat in persona.get("seats", ()):
        accounts.add_seat(actor=SEEDER, subject=subject, agency=seat["agency"], role=seat["role"])
    if phone := persona.get("phone"):
        accounts.add_mobile_key(actor=SEEDER, subject=subject, jwk=phone["public_jwk"])
