"""The time-stamping authority and the seals' authority of this country, on loopback."""

from __future__ import annotations

from smartgov.engines.httpd import sync
from smartgov.engines.pki import timestamps
from smartgov.shared import homes
from smartgov.shared.settings import get

_TIMEOUT = 10.0
_SEALS = "/seals"


class HomeVouching:
    """Set up where the country's folder holds a time-stamping authority's root."""

    def time_root(self) -> bytes | None:
        """The root of time stamps (PEM), as this country was given it."""
        try:
            return (homes.home() / "timestamp" / "root.pem").read_bytes()
        except OSError:
            return None

    def stamp(self, request: bytes) -> bytes:
        """One stamp."""
        headers = {"content-type": timestamps.CONTENT_TYPE}
        answer = sync.request("POST", get("SMARTGOV_TIMESTAMP_URL") + "/", headers, request, _TIMEOUT)
        if answer.status != 200:
            raise ConnectionError("the time-stamping authority refused")
        return answer.body

    def seal_list(self) -> bytes | None:
        """The list in force of the seals' authority (DER)."""
        answer = sync.request("GET", f"{get('SMARTGOV_AUTHORITY_URL')}{_SEALS}/crl", {}, b"", _TIMEOUT)
        return answer.body if answer.status == 200 else None

    def seal_answer(self, question: bytes) -> bytes | None:
        """Its answer about one certificate (DER)."""
        answer = sync.request("POST", f"{get('SMARTGOV_AUTHORITY_URL')}{_SEALS}/ocsp", {}, question, _TIMEOUT)
        return answer.body if answer.status == 200 else None
