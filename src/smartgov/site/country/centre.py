"""The centre: it holds the configuration key, signs members, services and rights, and hands them to the gateways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.engines.troad import home as gateways
from smartgov.engines.troad import snapshot
from smartgov.shared import clock, content, homes
from smartgov.site.country import rights
from smartgov.site.country.ports import Ports, agencies

LIFETIME = timedelta(hours=24)
"""How long a published configuration is in force; it is signed anew every hour."""
GATEWAY = "gw1"


def create_centre(home: Path) -> None:
    """Make the configuration key and the authority for agencies' seals."""
    centre = home / "centre"
    centre.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.save_private(centre / "configuration.key", keys.generate_p256())
    CertificateAuthority.create(centre / "authority", "Synthetic Government Certification Authority", "smartgov demo")


def configure(home: Path, *, ports: Ports, second_web: str | None = None) -> None:
    """Make, or bring up to date, every gateway's home; keys and secrets stay. Then publish.

    `second_web` is the agency whose case system runs in a web process of its own.
    """
    exchange = content.read("exchange.yaml")
    anchor = keys.load_private(home / "centre" / "configuration.key").public_key()
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
        )
    publish(home)


def certify_seals(home: Path) -> None:
    """Issue a certificate to each agency's seal key."""
    authority = CertificateAuthority.load(home / "centre" / "authority")
    for row in content.read("directory.yaml")["agencies"]:
        gateway = home / "gateways" / row["code"]
        certificate = authority.issue(
            gateways.load(gateway).p256("seal").public_key(),
            common_name=row["short"]["en"][:64],
            organisation=row["name"]["zh"],
            usage="seal",
        )
        gateways.set_seal_certificate(gateway, certificate, [authority.certificate])


def publish(home: Path, *, revoked: Iterable[str] | None = None) -> datetime:
    """Sign the configuration anew and put it into every gateway's home; returns when it expires.

    `revoked` are the ids of revoked consents; None keeps those that were published last.
    """
    data = configuration(home, revoked=_revoked(home, revoked))
    token = snapshot.sign(data, keys.load_private(home / "centre" / "configuration.key"))
    keys.write_secret(home / "centre" / "snapshot.jws", token.encode())
    for agency in agencies():
        gateways.set_snapshot(home / "gateways" / agency, token)
    return datetime.fromisoformat(data["expires_at"])


def configuration(home: Path, *, revoked: Iterable[str] = ()) -> dict[str, Any]:
    """What is published: members with their gateways' public keys, subsystems, services, rights."""
    exchange, now = content.read("exchange.yaml"), clock.now()
    described = {agency: gateways.describe(home / "gateways" / agency) for agency in agencies()}
    names = {row["code"]: row["name"] for row in content.read("directory.yaml")["agencies"]}
    authority = CertificateAuthority.load(home / "centre" / "authority")
    return {
        "version": int(now.timestamp() * 1000),
        "issued_at": now.isoformat(),
        "expires_at": (now + LIFETIME).isoformat(),
        "instance": homes.INSTANCE,
        "members": [_member(agency, names[agency], entry) for agency, entry in described.items()],
        "subsystems": [name for entry in described.values() for name in entry["subsystems"]],
        "services": rights.services(exchange),
        "rights": rights.rights(exchange),
        "consent_issuers": _issuers(exchange, described, "consent"),
        "token_issuers": _issuers(exchange, described, "token"),
        "revoked_consents": sorted(revoked),
        "seal_authority": certificates.pem(authority.certificate).decode(),
    }


def expires_at(home: Path) -> datetime | None:
    """When the published configuration expires; None before the first."""
    file = home / "centre" / "snapshot.jws"
    if not file.exists():
        return None
    payload = json.loads(keys.from_b64url(file.read_text().split(".")[1]))
    return datetime.fromisoformat(payload["expires_at"])


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


def _member(agency: str, name: Mapping[str, str], described: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": homes.member_id(agency), "name": dict(name), "gateways": [described["gateway"]]}


def _issuers(exchange: Mapping[str, Any], described: Mapping[str, Any], ability: str) -> list[dict[str, Any]]:
    able = [entry["agency"] for entry in exchange["web"] if ability in entry["may"]]
    return [{"member": homes.member_id(agency), "key": described[agency][f"{ability}_key"]} for agency in able]


def _revoked(home: Path, revoked: Iterable[str] | None) -> list[str]:
    file = home / "centre" / "revoked-consents.json"
    if revoked is not None:
        keys.write_secret(file, json.dumps(sorted(revoked)).encode())
    return list(json.loads(file.read_text())) if file.exists() else []
