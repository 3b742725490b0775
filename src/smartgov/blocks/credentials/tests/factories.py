"""A recorded gateway that seals with a real key, and certificates for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smartgov.blocks.credentials import api
from smartgov.blocks.exchange import transport
from smartgov.blocks.identity import api as identity
from smartgov.engines.pki import certificates, keys
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

HOLDER = national_id.make(301, 2)
ROBOT = Actor.for_system("ris", "cases")


class SealingGateway:
    """Seals as an agency's gateway does; `down` makes it silent."""

    def __init__(self, home: Path) -> None:
        self.authority = certificates.CertificateAuthority.create(home / "ca", "Test Authority")
        self.key = keys.generate_p256()
        self.certificate = self.authority.issue(
            self.key.public_key(), common_name="內政部戶政司", organisation="TW/GOV/ris", usage="seal"
        )
        self.down = False

    def seal(self, agency: str, data: bytes) -> bytes:
        """A signature over `data`."""
        if self.down:
            raise Problem("gateway-unreachable", 503, what=Text("It does not answer.", "沒有回應。"))
        return keys.sign_der(self.key, data)

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        """Certificate and chain in PEM."""
        authority = certificates.pem(self.authority.certificate).decode()
        return certificates.pem(self.certificate).decode(), [authority]


@contextmanager
def gateway(home: Path) -> Iterator[SealingGateway]:
    """A sealing gateway in force."""
    sealing = SealingGateway(home)
    with transport.replaced(sealing):  # type: ignore[arg-type]
        yield sealing


def issued(case: str | None = None, **changes: Any) -> api.Credential:
    """A certificate of birth registration."""
    data = {
        "number": "RIS-115-ABCDEFG",
        "child_name": "林安安",
        "child_id": national_id.make(302, 2),
        "sex": "female",
        "birth_date": "2026-11-12",
        "birth_place": "臺北市立聯合醫院",
        "mother_name": "陳美玲",
        "father_name": "林志明",
        "residence": "平安里1鄰和平路1號",
        "township": "臺北市文山區",
        "registered_on": "2026-11-22",
    }
    return api.issue(
        actor=ROBOT,
        agency="ris",
        template="birth_certificate",
        title=Text("Certificate of birth registration", "出生登記證明書"),
        subject_national_id=HOLDER,
        holder_name="陳美玲",
        data={**data, **changes},
        case=case or uuid7(),
    )


def officer(agency: str = "ris", role: str = "credential_manager") -> Actor:
    """Somebody in a seat."""
    subject = identity.enrol(actor=ROBOT, national_id=national_id.make(303, 2), name="承辦人")
    seat = identity.add_seat(actor=ROBOT, subject=subject, agency=agency, role=role)
    return Actor("officer", subject=subject, seat=seat, agency=agency, assurance=2)
