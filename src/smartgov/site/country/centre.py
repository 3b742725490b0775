"""The homes of the centre and of the gateways: keys, addresses, secrets. What is published is the exchange block's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines import trust
from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.authority import Authority as SealAuthority
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.engines.troad import home as gateways
from smartgov.shared import clock, content, homes
from smartgov.simulators.timestamp.authority import Authority
from smartgov.site.country.ports import Ports, agencies

GATEWAY = "gw1"


def create_centre(home: Path) -> None:
    """Make the keys and the root of the configuration, and the authority for agencies' seals."""
    centre = home / "centre"
    centre.mkdir(mode=0o700, parents=True, exist_ok=True)
    trust.Centre.create(centre / "trust", clock.now())
    CertificateAuthority.create(seal_authority(home), "Synthetic Government Certification Authority", "smartgov demo")


def seal_authority(home: Path) -> Path:
    """The folder of the authority that certifies agencies' seals; the authority's process serves it below `/seals`."""
    return home / "centre" / "authority"


def configure(home: Path, *, ports: Ports, second_web: str | None = None) -> None:
    """Make, or bring up to date, every gateway's home; keys and secrets stay.

    `second_web` is the agency whose case system runs in a web process of its own.
    """
    exchange = content.read("exchange.yaml")
    anchor = trust.Centre(home / "centre" / "trust").anchor
    authority = Authority(home / "timestamp")
    for agency in agencies():
        gateways.create(
            home / "gateways" / agency,
            member=homes.member_id(agency),
            code=GATEWAY,
            port=ports.gateway(agency),
            local_port=ports.gateway_local(agency),
            subsystems=_subsystems(exchange, agency, ports, second_web),
            may={entry["subsystem"]: entry["may"] for entry in exchange["web"] if entry["agency"] == agency},
            anchor=anchor,
            timestamps=(f"http://127.0.0.1:{ports.timestamp}/", authority.root()),
        )
        # Certificates come from the centre, for seven days, as those of every member that joins.
        gateways.change(home / "gateways" / agency, centre=f"http://localhost:{ports.web}")


def certify_seals(home: Path, ports: Ports) -> None:
    """Certify each agency's seal key, by all steps of a certificate's life; the key itself activates it."""
    authority = SealAuthority(seal_authority(home), address=f"http://127.0.0.1:{ports.authority}/seals")
    for row in content.read("directory.yaml")["agencies"]:
        gateway = home / "gateways" / row["code"]
        key = gateways.load(gateway).p256("seal")
        record = authority.request(
            _csr(key),
            profile="seal",
            holder=row["code"],
            common_name=row["short"]["en"][:64],
            organisation=row["name"]["zh"],
            by="centre:raising",
        )
        authority.prove(record.id, method="counter", level=3, reference="directory", by="centre:raising")
        record = authority.issue(record.id, by="centre:issuing")
        signature = keys.sign(key, activation_text(record))
        record = authority.activate(record.id, signature, by="centre:raising")
        certificate = certificates.from_pem(record.certificate.encode())
        gateways.set_seal_certificate(gateway, certificate, [authority.certificate])


def _csr(key: ec.EllipticCurvePrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "seal")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def expires_at(home: Path) -> datetime | None:
    """When the published configuration expires; None before the first."""
    return trust.Centre(home / "centre" / "trust").repository.expires_at()


def _subsystems(
    exchange: Mapping[str, Any], agency: str, ports: Ports, second_web: str | None
) -> dict[str, dict[str, Any]]:
    web = f"http://127.0.0.1:{ports.second_web if agency == second_web else ports.web}/troad/{agency}"
    found: dict[str, dict[str, Any]] = {}
    for entry in exchange["registers"]:
        if entry["agency"] == agency:
            url = f"http://127.0.0.1:{ports.register(agency)}"
            found[entry["subsystem"]] = {"services": {entry["service"]: url}}
    for entry in exchange["web"]:
        if entry["agency"] == agency:
            found[entry["subsystem"]] = {"services": {code: f"{web}/{code}" for code in entry["services"]}}
    return found
