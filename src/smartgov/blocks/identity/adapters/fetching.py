"""One request to a service outside, by HTTPS, or by plain HTTP where the service is on this machine or signs itself."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

_SECONDS = 8
_LARGEST = 16 * 2**20


class _NoRedirects(HTTPRedirectHandler):
    """What is sent goes to the configured address and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def fetch(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
    """Status and body; OSError when nobody answers. Certificates of HTTPS are checked against the system's."""
    if not url.startswith(("https://", "http://")):
        raise ConnectionError("only http and https are spoken")
    asked = Request(url, body or None, headers, method=method)
    try:
        with build_opener(_NoRedirects).open(asked, timeout=_SECONDS) as answer:
            return int(answer.status), bytes(answer.read(_LARGEST))
    except HTTPError as error:
        return error.code, b""
