"""Registering a country at its centre: the content and the gateways' public words, given to the verbs of `exchange`.

Runs within Django, in the process that prepares the centre's database; again whenever content or addresses changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from smartgov.blocks.exchange import api as exchange
from smartgov.engines.pki import certificates
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.engines.troad import home as gateways
from smartgov.shared import content, homes
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text
from smartgov.site.country import rights
from smartgov.site.country.ports import agencies

ORIGIN = "content"
"""What the rights of the content folder follow from; a right that was asked for by itself has another origin."""
REGISTRAR = Actor.for_system("portal", "country")


def register(home: Path) -> None:
    """Register what `home` and the content folder say, and publish it; what is registered so already stays."""
    described = {agency: gateways.describe(home / "gateways" / agency) for agency in agencies()}
    with transaction.atomic():
        _members(described)
        _offers(home, content.read("exchange.yaml"), described)
    exchange.publish(actor=REGISTRAR)


def _members(described: Mapping[str, Mapping[str, Any]]) -> None:
    names = {row["code"]: Text.of(row["name"]) for row in content.read("directory.yaml")["agencies"]}
    for agency, entry in described.items():
        member = homes.member_id(agency)
        exchange.register_member(actor=REGISTRAR, member=member, name=names[agency])
        exchange.register_gateway(actor=REGISTRAR, member=member, described=entry["gateway"])
        for subsystem in entry["subsystems"]:
            exchange.register_subsystem(actor=REGISTRAR, subsystem=subsystem)


def _offers(home: Path, said: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> None:
    for entry in said["web"]:
        for ability in {"consent", "token"}.intersection(entry["may"]):
            key, member = described[entry["agency"]][f"{ability}_key"], homes.member_id(entry["agency"])
            exchange.register_issuer(actor=REGISTRAR, member=member, ability=ability, key=key)
    for service in rights.services(said):
        exchange.follow_service(
            actor=REGISTRAR,
            service=service["id"],
            personal=service["personal"],
            related=service["related"],
            endpoints=service["paths"],
            document=service.get("document"),
        )
    terms = [_terms(right) for right in rights.rights(said)]
    exchange.follow(actor=REGISTRAR, origin=ORIGIN, terms=terms, days=int(said["right_days"]))
    authority = CertificateAuthority.load(home / "centre" / "authority")
    pem = certificates.pem(authority.certificate).decode()
    exchange.register_seal_authority(actor=REGISTRAR, certificate=pem)


def _terms(right: Mapping[str, Any]) -> exchange.Terms:
    basis, fields = right["basis"], right["fields"]
    return exchange.Terms(
        client=right["client"],
        service=right["service"],
        endpoints=tuple(right["endpoints"]),
        basis=exchange.Basis(basis["kind"]),
        basis_code=basis.get("code", ""),
        citation=basis.get("citation", ""),
        fields=None if fields is None else tuple(fields),
        purpose=right["purpose"],
    )
