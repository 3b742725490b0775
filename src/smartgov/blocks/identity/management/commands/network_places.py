"""`network_places FILE ...`: which country a network address belongs to, from the regional registries' own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartgov.blocks.identity.people import places


class Command(BaseCommand):
    """Replaces the whole table; give the files of all five registries."""

    help = "Pack the registries' files (delegated-<registry>-extended-latest) into the table of places."

    def add_arguments(self, parser: CommandParser) -> None:
        """The files."""
        parser.add_argument("files", nargs="+", type=Path, help="files of APNIC, ARIN, RIPE NCC, LACNIC, AFRINIC")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read them all, or change nothing."""
        found: list[tuple[int, int, str]] = []
        for path in options["files"]:
            try:
                with Path(path).open(encoding="utf-8") as lines:
                    found += places.rows(lines)
            except (OSError, ValueError) as error:
                raise CommandError(f"{path} cannot be read: {error}") from None
        if not found:
            raise CommandError("No blocks were found in these files; the table stays as it was.")
        self.stdout.write(f"{places.write(found, places.table_path())} blocks of addresses have a country now.")
