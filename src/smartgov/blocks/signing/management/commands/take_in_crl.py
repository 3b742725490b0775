"""`take_in_crl`: take in the revocation list of an authority elsewhere, for instance a government's twice a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartgov.blocks.signing import api
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem


class Command(BaseCommand):
    """Files in, rows out; the digest is what the publisher announced by another way."""

    help = "Take in an outside authority's revocation list (DER or PEM)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which files."""
        parser.add_argument("--authority", type=Path, required=True, help="the authority's certificate (PEM)")
        parser.add_argument("--list", type=Path, required=True, help="its list (DER or PEM)")
        parser.add_argument("--digest", default=None, help="SHA-256 (hex) of the list, as published")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many rows there are, or why the list is refused."""
        actor = Actor.for_system("centre", "operator")
        try:
            count = api.take_in(
                actor=actor,
                authority=options["authority"].read_bytes(),
                crl=options["list"].read_bytes(),
                digest=options["digest"],
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except Problem as problem:
            raise CommandError(f"{problem.what.en} {problem.why.en}") from problem
        self.stdout.write(f"{count} revoked certificates are known of this authority.")
