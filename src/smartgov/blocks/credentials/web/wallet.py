"""Public pages about wallets: what may be fetched by signing in, and who may ask for what."""

from __future__ import annotations

from urllib.parse import urlencode

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from smartgov.blocks.credentials import api
from smartgov.blocks.identity.api import public
from smartgov.shared.settings import get


@require_GET
@public("An offer by sign-in gives nothing by itself: its holder signs in and agrees at the provider.")
def kinds(request: HttpRequest) -> HttpResponse:
    """The kinds of certificate that a wallet can fetch."""
    return render(request, "credentials/wallet.html", {"kinds": api.wallet_kinds()})


@require_GET
@public("An offer by sign-in gives nothing by itself: its holder signs in and agrees at the provider.")
def offer(request: HttpRequest, agency: str, template: str) -> HttpResponse:
    """The code to scan for one of them."""
    address = api.offer_by_sign_in(agency, template)
    kind = next(one for one in api.wallet_kinds() if (one.agency, one.template) == (agency, template))
    context = {"kind": kind, "address": address, "code": code_of(address), "demo_wallet": demo_wallet(address)}
    return render(request, "credentials/wallet_offer.html", context)


@require_GET
@public("Everybody may know who may ask for which claims.")
def verifiers(request: HttpRequest) -> HttpResponse:
    """The register of verifiers for people; wallets read the signed one."""
    return render(request, "credentials/verifiers.html", {"verifiers": api.registered()})


def code_of(address: str) -> str:
    """The address as a picture to scan."""
    return str(segno.make(address, error="m").svg_data_uri(scale=4, border=2))


def demo_wallet(address: str) -> str:
    """Where the demo's own wallet takes what a real one would scan; empty where there is none."""
    base = get("SMARTGOV_WALLET_URL")
    return f"{base}/scan?{urlencode({'uri': address})}" if base else ""
