"""The worked examples of RFC 9421 (signatures) and RFC 9530 (digests), read from the RFC Editor's own text files."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from smartgov.engines.pki import keys
from smartgov.engines.troad import wire
from smartgov.shared.problems import Problem

Suite = Callable[[str], str]


def section(text: str, number: str) -> str:
    """The section of that number, without the table of contents, whose lines are indented."""
    found = re.search(rf"^{re.escape(number)}\.  .*?(?=^[A-Z](?:\.\d+)+\.  |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {number}"
    return found[0]


@pytest.mark.parametrize(("key", "example"), [("B.1.3", "B.2.4"), ("B.1.4", "B.2.6")])
def test_we_accept_the_signature_of_rfc_9421_and_no_other(suite: Suite, key: str, example: str) -> None:
    text = suite("rfc9421.txt")
    pem = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", section(text, key), re.DOTALL)
    base = re.search(r'(?:^"[^\n]*\n)+^"@signature-params": [^\n]*', section(text, example), re.MULTILINE)
    made = re.search(r"^Signature: sig-b\d+=:([^:]+):", section(text, example), re.MULTILINE)
    assert pem
    assert base
    assert made
    public = load_pem_public_key(pem[0].encode())
    signature = base64.b64decode(made[1])
    assert keys.verify(public, signature, base[0].encode())  # type: ignore[arg-type]
    assert not keys.verify(public, signature, base[0].replace("application/json", "text/html").encode())  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b'{"hello": "world"}\n', b""])
def test_we_hold_a_body_to_the_digest_of_rfc_9530(suite: Suite, body: bytes) -> None:
    _, ours = wire.commit(body)
    assert ours["content-digest"] in suite("rfc9530.txt")
    wire.check_digest(ours, body, "body-changed")
    with pytest.raises(Problem):
        wire.check_digest(ours, body + b" ", "body-changed")
