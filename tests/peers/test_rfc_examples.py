"""The worked examples of RFC 9421 (signatures) and RFC 9530 (digests), read from the RFC Editor's own XML files."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies, components, wire
from smartgov.shared.problems import Problem
from tests.peers import rfc
from tests.peers.rfc import Message

Suite = Callable[[str], str]
P256, ED25519 = "appendix.b.1.3", "appendix.b.1.4"
PLAIN = ["b.2.1", "b.2.3", "b.2.4", "b.2.5", "b.2.6", "b.3", "b.4"]
"""The examples whose components have no parameters of their own: B.2.2 covers one query parameter; we never do."""


def based(found: list[str]) -> str:
    """The signature base of an example."""
    for block in found:
        if '"@signature-params": ' in block:
            return block.removesuffix("\n")
    raise AssertionError("no signature base")


def signature(text: str) -> bytes:
    made = re.search(r"^Signature: [\w-]+=:([^:]+):", text, re.MULTILINE)
    assert made
    return base64.b64decode(made[1])


def our_base(message: Message, params: str) -> bytes:
    """The signature base that we make of a message for these parameters."""
    names = tuple(re.findall(r'"([^"]+)"', params[: params.index(")")]))
    if message.first.startswith("HTTP/"):
        status = int(message.first.split()[1])
        # Our own answers always cover parts of their request as well; the form of the names alone is the RFC's.
        form = components.form(names, ("@status",))
        values = (status, *form.take(message.fields))
        return (form.text % (*(form.order(values) if form.order else values), params)).encode("latin-1")
    method, target, _ = message.first.split()
    path, _, query = target.partition("?")
    head = wire.Head(method, message.fields["host"], path, query, message.fields)
    return wire._request_base(names, head, params)[0]


def signed_messages(xml: str, part: str) -> Iterator[Message]:
    """The messages that an example signs: its own, else those that all of B.2 are over."""
    own = list(rfc.messages(rfc.blocks(xml, f"appendix.{part}")))
    yield from own or rfc.messages(rfc.blocks(xml, "appendix.b.2")[:2])


@pytest.mark.parametrize("part", PLAIN)
def test_our_signature_bases_are_those_of_rfc_9421(suite: Suite, part: str) -> None:
    xml = suite("rfc9421.xml")
    expected = based(rfc.blocks(xml, f"appendix.{part}"))
    params = expected.rpartition('"@signature-params": ')[2]
    wanted = expected.encode("latin-1")
    made = []
    for message in signed_messages(xml, part):
        try:
            made.append(our_base(message, params))
        except KeyError:
            continue  # this message has not what is covered: an answer has no method
    assert wanted in made


@pytest.mark.parametrize(("key", "part"), [(P256, "b.2.4"), (ED25519, "b.2.6"), (P256, "b.3"), (ED25519, "b.4")])
def test_we_accept_the_signature_of_rfc_9421_and_no_other(suite: Suite, key: str, part: str) -> None:
    xml = suite("rfc9421.xml")
    found = rfc.blocks(xml, f"appendix.{part}")
    public, base = load_pem_public_key(rfc.key(xml, key)), based(found).encode()
    made = signature("\n".join(found))
    assert keys.verify(public, made, base)  # type: ignore[arg-type]
    assert not keys.verify(public, made, base.replace(b"1618884473", b"1618884474"))  # type: ignore[arg-type]
    assert not keys.verify(public, made[:-1] + bytes([made[-1] ^ 1]), base)  # type: ignore[arg-type]


def test_a_message_may_be_transformed_as_appendix_b_4_says_and_not_otherwise(suite: Suite) -> None:
    xml = suite("rfc9421.xml")
    public = load_pem_public_key(rfc.key(xml, ED25519))
    holds = []
    for message in rfc.messages(rfc.blocks(xml, "appendix.b.4")):
        params = message.fields["signature-input"].partition("=")[2]
        made = base64.b64decode(message.fields["signature"].partition("=")[2].strip(":"))
        holds.append(keys.verify(public, made, our_base(message, params)))  # type: ignore[arg-type]
    assert holds == [True, True, True, True, False, False]


def contents(message: Message) -> set[bytes]:
    """What a printed body can be: with its last line feed or without."""
    text = message.text.encode()
    return {text, text.removesuffix(b"\n")}


def test_we_hold_every_content_of_rfc_9530_to_its_digest(suite: Suite) -> None:
    shown = [
        message
        for message in rfc.messages(rfc.blocks(suite("rfc9530.xml"), "appendix.b"))
        if "sha-256" in message.fields.get("content-digest", "")
    ]
    assert len(shown) == 3, "whole, none, and a part of one"
    for message in shown:
        fits = []
        for content in contents(message):
            try:
                bodies.check_digest(message.fields, content, "body-changed")
            except Problem:
                continue
            fits.append(content)
        assert len(fits) == 1
        with pytest.raises(Problem):
            bodies.check_digest(message.fields, fits[0] + b" ", "body-changed")


def test_our_digest_is_that_of_appendix_d(suite: Suite) -> None:
    (samples,) = rfc.blocks(suite("rfc9530.xml"), "appendix.d")
    value = re.search(r"^sha-256 - +(:[^:]+:)", samples, re.MULTILINE)
    assert value
    assert bodies.commit(b'{"hello": "world"}')[1]["content-digest"] == f"sha-256={value[1]}"
