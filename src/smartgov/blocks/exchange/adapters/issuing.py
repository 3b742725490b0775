"""The authority in force: its key lies in `centre/gateway-authority`, beside the trust that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from smartgov.engines import trust
from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.shared import homes

_NAME = "T-Road Gateway Certification Authority"


class HomeIssuing:
    """Issues from the centre's folder. Keys are read for each certificate and kept nowhere."""

    def certify(self, gateway: str, tls_key: Mapping[str, Any], host: str, ends: datetime) -> str:
        """A certificate for server and client, for the host by which the gateway is reached."""
        address: list[str] = []
        with suppress(ValueError):
            address = [str(ip_address(host))]
        certificate = authority().issue(
            keys.from_jwk(dict(tls_key)),
            common_name=gateway[:64],
            organisation=gateway.rsplit("/", 1)[0][:64],
            usage="tls",
            san_dns=() if address else (host,),
            san_ip=address,
            not_after=ends,
        )
        return certificates.pem(certificate).decode()

    def root(self) -> bytes:
        """The first root."""
        return trust.Centre(_trust()).anchor

    def bundle(self) -> bytes:
        """All metadata of the published state."""
        return trust.Repository(_trust() / "repository").bundle()

    def proven_by_root(self, rotation: Mapping[str, Any]) -> bool:
        """Judged by the newest root."""
        root = trust.Repository(_trust() / "repository").root().signed
        try:
            return trust.Rotation.of(rotation).by_root(root)
        except (KeyError, ValueError, TypeError):
            return False


def authority() -> CertificateAuthority:
    """The authority for gateways, made when it is first needed."""
    folder = homes.home() / "centre" / "gateway-authority"
    if not (folder / "ca.crt").exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return CertificateAuthority.create(folder, _NAME, "smartgov")
    return CertificateAuthority.load(folder)


def _trust() -> Path:
    return homes.home() / "centre" / "trust"
