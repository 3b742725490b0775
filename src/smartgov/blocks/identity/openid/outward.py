"""Asking an address that a relying party chose. It must not lead into this platform's own network.

In earnest only hosts are asked whose every address is a public one, by https, without redirects, and at the very
addresses that were looked at: a name that answers otherwise a moment later (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings

from smartgov.engines.openid import params


class Fetch(Protocol):
    """What asks the network: status and body, OSError when nobody answers. `to`: at these addresses of the host."""

    def __call__(
        self, method: str, url: str, headers: dict[str, str], body: bytes = b"", *, to: Sequence[str] = ()
    ) -> tuple[int, bytes]: ...


_fetch: list[Fetch] = []


def register_fetch(fetch: Fetch) -> None:
    """Set what asks the network."""
    _fetch[:] = [fetch]


def ask(method: str, address: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes]:
    """Status and body; OSError when nobody answers, or when the address is none that may be asked."""
    loopback = not settings.ORIGIN.startswith("https://")
    if not _fetch or not params.is_web_address(address, loopback=loopback):
        raise ConnectionError("this is no address to ask")
    to = () if loopback else _public(address)
    return _fetch[0](method, address, dict(headers), body, to=to)


def _public(address: str) -> tuple[str, ...]:
    """The addresses of its host, when all of them are public; OSError otherwise."""
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(urlsplit(address).hostname, None)]
    except UnicodeError:
        found = []
    if not found or not all(ipaddress.ip_address(each).is_global for each in found):
        raise ConnectionError("the address leads into an inner network, or nowhere")
    return tuple(dict.fromkeys(found))
