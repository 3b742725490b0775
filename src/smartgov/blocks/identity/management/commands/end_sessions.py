"""`end_sessions --subject ID` or `--all`: sign people out, and let their relying parties hear of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartgov.blocks.identity import devices
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

OPERATOR = Actor.for_system("portal", "end_sessions")


class Command(BaseCommand):
    """For the operator, when an account or the whole site is in danger."""

    help = "End the sessions of one person, or of everybody."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("--subject", default="", help="the person's subject id, as the audit shows it")
        parser.add_argument("--all", action="store_true", help="everybody")

    def handle(self, *args: Any, **options: Any) -> None:
        """End them."""
        if bool(options["subject"]) == options["all"]:
            raise CommandError("Give either --subject or --all.")
        subjects = devices.signed_in() if options["all"] else [options["subject"]]
        for subject in subjects:
            try:
                devices.end_sessions_of(actor=OPERATOR, subject=subject)
            except Problem as problem:
                raise CommandError(problem.what.en) from None
        self.stdout.write(f"The sessions of {len(subjects)} people have ended.")
