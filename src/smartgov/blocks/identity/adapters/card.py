"""A card in a reader of the person's own machine, reached by way of the browser: our page posts the request to a helper
on loopback, and the helper's page posts the answer back to ours. No service of ours ever sees a PIN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from smartgov.blocks.identity.adapters.moica import folder
from smartgov.blocks.identity.ports import Answer, Asked, Opened, Reason
from smartgov.engines.pki.keys import b64url, from_b64url
from smartgov.shared import canonical
from smartgov.shared.settings import get

_REASONS = frozenset(get_args(Reason))


class CardHelper:
    """The helper at SMARTGOV_CARD_URL, an address on the person's machine and not on ours."""

    pause = 0

    def is_ready(self) -> bool:
        """A card needs nothing here but an authority to trust."""
        return bool(get("SMARTGOV_CARD_URL")) and (folder() / "anchors.pem").exists()

    def open(self, asked: Asked) -> Opened:
        """A form for the helper."""
        request: dict[str, Any] = {
            "origin": asked.origin,
            "nonce": asked.nonce,
            "number": asked.number,
            "text": dict(asked.text),
            "back": asked.back,
        }
        if asked.paper is not None:
            paper = asked.paper
            request["document"] = {"name": paper.name, "digest": paper.digest, "to_sign": b64url(paper.to_sign)}
        form = b64url(canonical.dumps(request))
        return Opened(form_to=f"{get('SMARTGOV_CARD_URL').rstrip('/')}/requests", form_request=form)

    def read(self, kept: Mapping[str, str], delivered: bytes) -> Answer:
        """What the browser brought: a CMS signature, a bare one with its certificate, or why there is none."""
        if not delivered:
            return Answer("waiting")
        try:
            found = json.loads(from_b64url(delivered.decode()))
            if "refused" in found:
                reason = str(found["refused"])
                return Answer("refused", reason if reason in _REASONS else "not-genuine")  # type: ignore[arg-type]
            parts = {name: from_b64url(str(found.get(name, ""))) for name in ("cms", "signature", "certificate")}
        except (ValueError, TypeError, AttributeError):
            return Answer("refused", "not-genuine")
        if not (parts["cms"] or parts["signature"]):
            return Answer("refused", "not-genuine")
        return Answer("given", message=parts["cms"], signature=parts["signature"], certificate=parts["certificate"])
