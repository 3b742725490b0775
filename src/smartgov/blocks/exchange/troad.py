"""The register's own API on T-Road (`exchange.v1`): a member's information system acts for its member.

Which of the operations a system may call is in its right, endpoint by endpoint; its gateway signs and logs each call.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest
from ninja.security.base import AuthBase

from smartgov.blocks.exchange import operations
from smartgov.blocks.exchange.domain import Offered
from smartgov.blocks.exchange.inbound import TRoadInbound
from smartgov.shared import homes
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

OFFERED = Offered(title=Text("Register of T-Road", "T-Road 登記簿"), personal=False)
_INBOUND = TRoadInbound("portal")


class MemberSystem(AuthBase):
    """Ninja authentication: an information system of a member, as the centre's own gateway hands it in."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.smartgov_permission = permission

    def __call__(self, request: HttpRequest) -> Actor:
        """The system as an actor of its agency; Http404 for a member that is no agency of this country's government."""
        inbound = _INBOUND(request)
        agency = inbound.client_member.rsplit("/", 1)[-1]
        if not agency or inbound.client_member != homes.member_id(agency):
            raise Http404
        return Actor.for_system(agency, inbound.client_subsystem)


router = operations.router(MemberSystem)
