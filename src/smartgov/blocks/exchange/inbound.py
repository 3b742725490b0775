"""The door through which an agency's gateway hands requests to its information systems."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest
from ninja.security.base import AuthBase

from smartgov.blocks.exchange.domain import Inbound
from smartgov.blocks.exchange.refusals import NOT_FROM_GATEWAY, SUBJECT_INVALID
from smartgov.shared import homes
from smartgov.shared.tw import national_id


class TRoadInbound(AuthBase):
    """Ninja authentication: only the agency's gateway, by the secret it shares with `subsystem`.

    The route's `agency` must be one that this process serves (SMARTGOV_ROLES); `request.auth` becomes an Inbound.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, subsystem: str = "cases") -> None:
        super().__init__()
        self.subsystem = subsystem

    def __call__(self, request: HttpRequest) -> Inbound:
        """The verified request; Http404 for an agency that is not here, 401 for anybody but its gateway."""
        assert request.resolver_match is not None
        agency = str(request.resolver_match.kwargs["agency"])
        if not serves(agency):
            raise Http404
        try:
            secret = homes.gateway_secret(agency, self.subsystem)
        except (OSError, ValueError):
            raise Http404 from None
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {secret}".encode()):
            raise NOT_FROM_GATEWAY
        return _read(request, agency)


def serves(agency: str) -> bool:
    """Whether this process plays `agency`."""
    role = "portal" if agency == "portal" else f"agency:{agency}"
    return not settings.ROLES or role in settings.ROLES


def _read(request: HttpRequest, agency: str) -> Inbound:
    head = request.headers
    client = head.get("X-Road-Client", "")
    subject = head.get("X-TRoad-Subject")
    return Inbound(
        agency=agency,
        client_member="/".join(client.split("/")[:3]),
        client_subsystem=client,
        subject=_person(subject) if subject else None,
        exchange_id=head.get("X-Road-Id", ""),
        purpose=head.get("X-TRoad-Purpose", ""),
        basis=head.get("X-TRoad-Basis") or None,
        consent_id=head.get("X-TRoad-Consent-Id") or None,
        case=head.get("X-Road-Issue") or None,
    )


def _person(text: str) -> str:
    try:
        return national_id.from_urn(text)
    except ValueError:
        raise SUBJECT_INVALID from None
