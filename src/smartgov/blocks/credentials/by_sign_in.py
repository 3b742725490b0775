"""Wallet credentials by sign-in (OpenID4VCI's code flow): the holder agrees at our own OpenID provider, and the token
that the wallet gets there opens the credential endpoint of the agency that issued her certificates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest

from smartgov.blocks.audit import api as audit
from smartgov.blocks.credentials import facts, services, wallets
from smartgov.blocks.credentials.domain import Status
from smartgov.blocks.credentials.models import Certificate
from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import api as identity
from smartgov.engines.credential import issuing
from smartgov.engines.openid.model import Authentication, DetailType
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

_ROBOT = Actor.for_system("portal", "credentials")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of certificate that an agency puts into wallets."""

    agency: str
    agency_name: Text
    template: str
    title: Text


def kinds() -> list[Kind]:
    """What can be fetched by signing in; nothing where nobody can sign in for others."""
    if not identity.signs_in_for_others():
        return []
    rows = Certificate.objects.order_by("agency", "template").values_list("agency", "template", "title").distinct()
    found = {(agency, template): Text.of(title) for agency, template, title in rows}
    return [Kind(agency, directory.agency(agency).name, template, title) for (agency, template), title in found.items()]


def offer(agency: str, template: str) -> str:
    """The address that a wallet scans to fetch this kind of certificate; it gives nothing by itself. Http404."""
    try:
        return wallets.issuer(agency).offer_by_sign_in(template).uri
    except (KeyError, ValueError):
        raise Http404 from None


def credentials(request: HttpRequest, agency: str, body: Any) -> dict[str, Any]:
    """The batch for a token of the provider's; OAuthError for a token, ProtocolError for a request that does not do."""
    address = f"{facts.issuer_of(agency)}/credential"
    holder = identity.token_holder(request, address)
    granted = {
        name: issuing.Granted(str(detail["credential_configuration_id"]), {"certificate": name})
        for detail in holder.details
        if detail["type"] == issuing.DETAIL and _agency_of(detail) == agency
        for name in _own(holder.subject, agency, str(detail["credential_configuration_id"]))
    }
    token = request.headers.get("Authorization", "").partition(" ")[2]
    return wallets.issuer(agency).credentials_by_sign_in(token, body, granted)


def _check(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return _issuer(given).check_detail(given)


def _describe(given: Mapping[str, Any]) -> Text:
    return _issuer(given).describe_detail(given)


def _fill(given: Mapping[str, Any], event: Authentication) -> Mapping[str, Any]:
    """Which certificates of the kind are hers: the token answer names them by ids that say nothing else."""
    found = _own(event.subject, _agency_of(given), str(given["credential_configuration_id"]))
    if found:
        with transaction.atomic():
            for certificate in found:
                audit.record(
                    actor=_ROBOT, action="credential.offered", object_type="certificate", object_id=certificate
                )
    return {"credential_identifiers": found}


DETAIL = DetailType(issuing.DETAIL, _check, _describe, fill=_fill)
"""The rich authorization request by which a wallet asks for a kind of certificate."""


def _issuer(given: Mapping[str, Any]) -> issuing.Issuer:
    try:
        return wallets.issuer(_agency_of(given))
    except Http404:
        raise ValueError("there is no such issuer") from None


def _agency_of(given: Mapping[str, Any]) -> str:
    """The agency that `locations` names by its address as an issuer; ValueError for anything else."""
    base = f"{settings.ORIGIN}/credentials/issuers/"
    places = given.get("locations")
    if not isinstance(places, list) or len(places) != 1 or not str(places[0]).startswith(base):
        raise ValueError("locations names one issuer of this site")
    return str(places[0]).removeprefix(base)


def _own(subject: str, agency: str, template: str) -> list[str]:
    """The certificates of this kind that are in force and hers, the newest first."""
    national_id = identity.subject_national_id(actor=_ROBOT, subject=subject, purpose="wallet credential")
    rows = Certificate.objects.filter(
        agency=agency, template=template, status=Status.VALID, holder_index=services.holder_index(national_id)
    )
    return list(rows.order_by("-issued_at").values_list("id", flat=True))
