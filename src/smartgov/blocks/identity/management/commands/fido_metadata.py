"""`fido_metadata FILE --root CERTIFICATE`: which models of security keys reach the highest level (FIDO MDS3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartgov.blocks.identity.people import metadata


class Command(BaseCommand):
    """The real file is https://mds3.fidoalliance.org/; its root is GlobalSign Root CA - R3, in every system's store."""

    help = "Check a FIDO metadata file against its root certificate, and put it into use."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, whom to believe, and whether it may be older than the present one."""
        parser.add_argument("file", type=Path, help="the signed file (a JWT)")
        parser.add_argument("--root", required=True, type=Path, help="root certificate, PEM or DER")
        parser.add_argument("--host", default=metadata.HOST, help="whom the signer's certificate names")
        parser.add_argument("--older", action="store_true", help="take it although its number went down")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it, or say what is wrong."""
        try:
            blob, root = options["file"].read_bytes(), _certificate(options["root"].read_bytes())
            found = metadata.take(blob, root, host=options["host"], older=options["older"])
        except (OSError, ValueError) as error:
            raise CommandError(f"A file cannot be read: {error}") from None
        except metadata.MetadataRefusedError as error:
            raise CommandError(f"The file is not believed: {error}.") from None
        self.stdout.write(
            f"Number {found.number} with {found.models} models is in use; the next is due on {found.next_update}."
        )


def _certificate(raw: bytes) -> bytes:
    loaded = x509.load_pem_x509_certificate(raw) if b"-----BEGIN" in raw else x509.load_der_x509_certificate(raw)
    return loaded.public_bytes(Encoding.DER)
