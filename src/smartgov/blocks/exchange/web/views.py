"""Pages for operators and auditors: who is a member, what is offered, who may call what, and is it well."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from smartgov.blocks.exchange import api
from smartgov.blocks.identity.api import permit


@permit("exchange.view")
def members(request: HttpRequest) -> HttpResponse:
    """Members with the health of their gateways, and the services they offer."""
    offered = api.services()
    rows = [
        {"health": row, "services": [s for s in offered if s.member.endswith("/" + row.agency)]} for row in api.health()
    ]
    return render(request, "exchange/members.html", {"rows": rows})


@permit("exchange.view")
def rights(request: HttpRequest) -> HttpResponse:
    """Every right in force: client, service, endpoints, legal ground, fields."""
    return render(request, "exchange/rights.html", {"rights": api.rights()})
