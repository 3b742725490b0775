"""Time stamps within signatures: asked of an authority through whatever way the caller has, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from asn1crypto import cms, tsp
from cryptography import x509
from pyhanko.sign.timestamps import TimeStamper

from smartgov.engines.pki import timestamps

AskForStamp = Callable[[bytes], bytes]
"""Sends a DER time-stamp request and gives the DER answer (RFC 3161); raises what it likes when nobody answers."""


class Stamper(TimeStamper):
    """The stamping authority behind `ask`, for the library that writes signatures."""

    def __init__(self, ask: AskForStamp) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._ask = ask

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """One question."""
        return tsp.TimeStampResp.load(self._ask(req.dump()))


def stamped_at(signer_info: Any, roots: Iterable[x509.Certificate]) -> datetime | None:
    """When an authority under one of `roots` saw this signature; None when it has no stamp.

    ValueError when it has one that nobody trusted gave, or that is over something else.
    """
    token = _token(signer_info)
    if token is None:
        return None
    answer = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
    return timestamps.verify(answer, signer_info["signature"].native, list(roots))


def stamped_by(signer_info: Any) -> str:
    """The name of whoever made the stamp, for the report; empty without one."""
    token = _token(signer_info)
    if token is None:
        return ""
    names = [one.chosen.subject.native.get("common_name", "") for one in token["content"]["certificates"]]
    return str(names[0]) if names else ""


def _token(signer_info: Any) -> cms.ContentInfo | None:
    unsigned = signer_info["unsigned_attrs"]
    for attribute in unsigned if unsigned.native else ():
        if attribute["type"].native == "signature_time_stamp_token":
            return attribute["values"][0]
    return None
