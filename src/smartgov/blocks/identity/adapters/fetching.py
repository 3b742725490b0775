"""One request to a service outside, by HTTPS, or by plain HTTP where the service is on this machine or signs itself."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

_SECONDS = 8
_LARGEST = 16 * 2**20


class _NoRedirects(HTTPRedirectHandler):
    """What is sent goes to the configured address and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class _Connection(http.client.HTTPSConnection):
    """Goes to given addresses; the name is still what the certificate must bear."""

    def __init__(self, host: str, *, to: Sequence[str], **more: Any) -> None:
        super().__init__(host, **more)
        self.to = to

    def connect(self) -> None:
        """The first address that answers."""
        failed: OSError = ConnectionError("there is no address")
        for one in self.to:
            try:
                plain = socket.create_connection((one, self.port), self.timeout)
                break
            except OSError as error:
                failed = error
        else:
            raise failed
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


class _Pinned(HTTPSHandler):
    def __init__(self, to: Sequence[str]) -> None:
        super().__init__()
        self._to = to

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        """The same, over such a connection."""
        return self.do_open(partial(_Connection, to=self._to), req)


def fetch(
    method: str, url: str, headers: dict[str, str], body: bytes = b"", *, to: Sequence[str] = ()
) -> tuple[int, bytes]:
    """Status and body; OSError when nobody answers. Certificates of HTTPS are checked against the system's.

    `to`: connect to these addresses, one after the other, whatever the name may resolve to now, and past any proxy.
    """
    if not url.startswith(("https://", "http://")) or (to and not url.startswith("https://")):
        raise ConnectionError("only http and https are spoken, and only https to a given address")
    asked = Request(url, body or None, headers, method=method)
    handlers: list[Any] = [_NoRedirects, *((ProxyHandler({}), _Pinned(to)) if to else ())]
    try:
        with build_opener(*handlers).open(asked, timeout=_SECONDS) as answer:
            return int(answer.status), bytes(answer.read(_LARGEST))
    except HTTPError as error:
        return error.code, b""
