"""The authority of natural persons' certificates: its list and its answers as RFC 5280 and RFC 6960 have them, and the
confirmation service.

How the Ministry's own confirmation service is spoken to is told to agencies under contract; what stands here is the
simulator's form of it (docs/manuals/agency/connecting-means.md says what to change).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from smartgov.blocks.identity.adapters import fetching
from smartgov.blocks.identity.means import refusals
from smartgov.shared import homes
from smartgov.shared.settings import get


class Moica:
    """The authority at SMARTGOV_MOICA_URL; who is trusted lies in HOME/means/anchors.pem."""

    def anchors(self) -> Sequence[x509.Certificate]:
        """The trusted certificates, read anew so that a new one counts without a restart."""
        try:
            return x509.load_pem_x509_certificates((folder() / "anchors.pem").read_bytes())
        except (OSError, ValueError):
            return []

    def ocsp(self, question: bytes) -> bytes:
        """The answer to a DER question."""
        return self._fetched("POST", "/ocsp", question, "application/ocsp-request")

    def crl(self) -> bytes:
        """The list in force."""
        return self._fetched("GET", "/crl", b"", "")

    def confirms(self, number: str, national_id: str) -> bool:
        """Whether they are one person."""
        try:
            secret = (folder() / "confirm").read_text().strip()
            body = json.dumps({"number": number, "national_id": national_id}).encode()
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            status, answer = fetching.fetch("POST", f"{_url()}/confirm", headers, body)
            return status == 200 and json.loads(answer)["same"] is True
        except (OSError, ValueError, KeyError, TypeError):
            raise refusals.unreachable() from None

    def _fetched(self, method: str, path: str, body: bytes, kind: str) -> bytes:
        headers = {"Content-Type": kind} if kind else {}
        status, answer = fetching.fetch(method, _url() + path, headers, body)
        if status != 200:
            raise ConnectionError(f"the authority answered {status}")
        return answer


def folder() -> Path:
    """Where what connects this platform to the means lies."""
    return homes.home() / "means"


def _url() -> str:
    return get("SMARTGOV_MOICA_URL").rstrip("/")
