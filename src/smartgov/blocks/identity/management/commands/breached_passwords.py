"""`breached_passwords FILE`: the passwords that nobody may choose, from a list of breaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartgov.blocks.identity.people import breached

_SHA1 = re.compile(r"([0-9A-Fa-f]{40})(:\d+)?")


class Command(BaseCommand):
    """Each line is a SHA-1 in hex, with or without `:count` (as Have I Been Pwned gives them), or a plain password."""

    help = "Pack a list of breached passwords for the check of new ones."

    def add_arguments(self, parser: CommandParser) -> None:
        """The list."""
        parser.add_argument("file", type=Path, help="one SHA-1 or password a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace the table."""
        try:
            with Path(options["file"]).open(encoding="utf-8", errors="replace") as lines:
                written = breached.write(_digests(lines), breached.table_path())
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from None
        self.stdout.write(f"{written} passwords are refused now.")


def _digests(lines: Any) -> Iterator[bytes]:
    for line in lines:
        if word := line.rstrip("\n"):
            found = _SHA1.fullmatch(word)
            yield bytes.fromhex(found.group(1)) if found else breached.digest(word)
