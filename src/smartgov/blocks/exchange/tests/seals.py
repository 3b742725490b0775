"""An agency's seal with everybody who vouches for it, in this process; each of them may be away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.authority import Authority, Record
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators.timestamp.authority import Authority as TimeAuthority


class SealHouse:
    """A gateway with a seal (a Transport for sealing), its authority and the time stamps (Vouching)."""

    def __init__(self, folder: Path, name: str = "戶政司", organisation: str = "TW/GOV/ris") -> None:
        self.seals = Authority.create(folder / "seals", "Seal Authority", address="http://127.0.0.1:1/seals")
        self.times = TimeAuthority(folder / "times")
        self.key, self.down, self.stamps_down, self.authority_down = keys.generate_p256(), False, False, False
        self.record = self._certified(name, organisation)

    def seal(self, agency: str, data: bytes) -> bytes:
        """A signature by the seal."""
        if self.down:
            raise Problem("gateway-unreachable", 503, what=Text("down", "停機"))
        return keys.sign_der(self.key, data)

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        """Its certificate and the authority's."""
        return self.record.certificate, [certificates.pem(self.seals.certificate).decode()]

    def time_root(self) -> bytes:
        """The root of time stamps."""
        return self.times.root()

    def stamp(self, request: bytes) -> bytes:
        """One stamp."""
        if self.stamps_down:
            raise ConnectionRefusedError
        return self.times._stamp(request)

    def seal_list(self) -> bytes:
        """The authority's list."""
        if self.authority_down:
            raise ConnectionRefusedError
        return self.seals.crl()

    def seal_answer(self, question: bytes) -> bytes:
        """The authority's answer."""
        if self.authority_down:
            raise ConnectionRefusedError
        return self.seals.answer(question)

    def _certified(self, name: str, organisation: str) -> Record:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, hashes.SHA256())
        record = self.seals.request(
            asked.public_bytes(serialization.Encoding.DER),
            profile="seal",
            holder="ris",
            common_name=name,
            organisation=organisation,
            by="centre:1",
        )
        self.seals.prove(record.id, method="counter", level=3, by="centre:1")
        record = self.seals.issue(record.id, by="centre:2")
        return self.seals.activate(record.id, keys.sign(self.key, activation_text(record)), by="centre:1")
