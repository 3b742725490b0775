"""Our signatures against PyPI's `http-message-signatures`, which knows nothing of us, and its against our reader."""

from __future__ import annotations

from typing import Any

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies, components, wire

library = pytest.importorskip("http_message_signatures", reason="NOT RUN: http-message-signatures is not installed")
KEY = keys.generate_p256()


class Message:
    """A request as that library wants to see it."""

    def __init__(self, head: wire.Head) -> None:
        query = f"?{head.query}" if head.query else ""
        self.method, self.url = head.method, f"https://{head.authority}{head.path}{query}"
        self.headers = dict(head.fields)


class Resolver(library.HTTPSignatureKeyResolver):  # type: ignore[misc]
    """One key."""

    def resolve_public_key(self, key_id: str) -> Any:
        return KEY.public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        return KEY


def a_head() -> wire.Head:
    fields = {
        "content-type": "application/json",
        "x-road-client": "TW/GOV/ris/cases",
        "x-road-id": "01234567",
        "troad-receiver": "TW/GOV/hpa/gw1",
        **bodies.commit(b"{}")[1],
    }
    return wire.Head("POST", "host.example:1", "/r1/a", "x=1", fields)


def test_the_library_accepts_what_we_sign_and_nothing_else() -> None:
    import time

    head = a_head()
    wire.sign_request(head, KEY, created=int(time.time()), nonce=wire.new_nonce())
    verifier = library.HTTPMessageVerifier(
        signature_algorithm=library.algorithms.ECDSA_P256_SHA256, key_resolver=Resolver()
    )
    (result,) = verifier.verify(Message(head))
    assert set(components.REQUIRED) <= {name.strip('"') for name in result.covered_components}
    head.fields["x-road-client"] = "TW/GOV/ris/other"
    with pytest.raises(library.InvalidSignature):
        verifier.verify(Message(head))
