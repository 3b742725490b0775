"""`upgrade_check`: says what stands between this database and this release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smartgov.blocks.ops import health


class Command(BaseCommand):
    """Refuses to go on with unapplied migrations or a database of a newer release; else notes the release."""

    help = "Check that this database fits this release."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with an error that lists every problem, or note the release."""
        if problems := health.upgrade_problems():
            raise CommandError("\n".join(problems))
        health.note_release()
        self.stdout.write("The database fits this release.")
