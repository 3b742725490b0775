"""From where a request comes, by network address: what limits count by."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

from django.http import HttpRequest

from smartgov.shared.settings import get


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks: of the connection, or as our own proxy says.

    See SMARTGOV_CLIENT_ADDRESS_HEADER. Of a list, the last entry is the one that the proxy itself has written.
    """
    name = get("SMARTGOV_CLIENT_ADDRESS_HEADER")
    said = request.headers.get(name, "").rsplit(",", 1)[-1].strip() if name else ""
    return said or str(request.META.get("REMOTE_ADDR", ""))


def neighbour_of(request: HttpRequest) -> str:
    """Who counts as one for limits: an IPv4 address, or the 64-bit network of an IPv6 one; empty when unknown."""
    try:
        found = ip_address(address_of(request))
    except ValueError:
        return ""
    return str(found) if isinstance(found, IPv4Address) else str(ip_network((int(found) >> 64 << 64, 64)))
