"""The published test vectors, read by a verifier written from the protocol document alone: no code of ours in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

FOLDER = Path(__file__).parents[5] / "docs" / "protocols" / "vectors"


def vector(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(unb64(jwk[part]), "big") for part in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def holds(jwk: dict[str, str], signature: bytes, data: bytes) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public(jwk).verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return len(signature) == 64


def base_of(message: dict[str, Any], request: dict[str, Any] | None = None) -> str:
    """RFC 9421 section 2.5 over what `signature-input` lists."""
    params = message["fields"]["signature-input"].removeprefix("troad=")
    lines = []
    for name, of_request in re.findall(r'"([^"]+)"(;req)?', params[: params.index(")")]):
        source = request if of_request else message
        assert source is not None
        derived = {f"@{part}": str(source.get(part, "")) for part in ("method", "authority", "path", "status")}
        derived["@query"] = f"?{source.get('query', '')}"
        lines.append(f'"{name}"{of_request}: {derived.get(name) or source["fields"][name]}')
    return "\n".join([*lines, f'"@signature-params": {params}'])


def root(hashed: list[str], depth: int) -> str:
    """The root of a set of exchanges, by section 7 of the evidence protocol."""
    if len(hashed) <= 200:
        return hashlib.sha256(bytes.fromhex("00" + "".join(sorted(hashed)))).hexdigest()
    parts = [[one for one in hashed if one[depth] == digit] for digit in "0123456789abcdef"]
    return hashlib.sha256(bytes.fromhex("01" + "".join(root(part, depth + 1) for part in parts))).hexdigest()


def test_sets_of_exchanges() -> None:
    for told in vector("exchanged"):
        hashed = [hashlib.sha256(f"exchange-{number}".encode()).hexdigest() for number in range(told["ids"])]
        under = [one for one in hashed if one.startswith(told["prefix"])]
        assert (len(under), root(under, len(told["prefix"]))) == (told["count"], told["root"])


def sound(message: dict[str, Any], jwk: dict[str, str], request: dict[str, Any] | None = None) -> bool:
    fields = message["fields"]
    salt = base64.b64decode(fields["troad-salt"].strip(":"))
    body = base64.b64decode(message["body"])
    committed = base64.b64encode(hmac.new(salt, body, hashlib.sha256).digest()).decode()
    kid = hashlib.sha256(public(jwk).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    named = re.search(r'keyid="([^"]+)"', fields["signature-input"])
    return (
        fields["troad-body"] == f"hmac-sha-256=:{committed}:"
        and named is not None
        and unb64(named[1]) == kid
        and fields["signature-input"].endswith('tag="troad-v2"')
        and holds(jwk, base64.b64decode(fields["signature"][7:-1]), base_of(message, request).encode())
    )


def test_the_request() -> None:
    message, jwk = vector("request"), vector("keys")["client"]
    assert base_of(message) == message["signature_base"]
    assert sound(message, jwk)
    assert '"x-station": 46692' in message["signature_base"]
    assert '"idempotency-key": case-1' in message["signature_base"]


def test_the_answer_belongs_to_its_request() -> None:
    answer, request, jwk = vector("answer"), vector("request"), vector("keys")["provider"]
    assert base_of(answer, request) == answer["signature_base"]
    assert sound(answer, jwk, request)
    other = json.loads(json.dumps(request))
    other["fields"]["signature-input"] = other["fields"]["signature-input"].replace("AAAA", "CCCC")
    assert not sound(answer, jwk, other)


@pytest.mark.parametrize("change", ["method", "authority", "path", "query", "troad-basis", "x-station", "body", "key"])
def test_whatever_is_changed_breaks_it(change: str) -> None:
    message, jwk = vector("request"), vector("keys")["client"]
    if change == "body":
        message["body"] = base64.b64encode(b"{}").decode()
    elif change == "key":
        jwk = vector("keys")["provider"]
    elif change in message:
        message[change] += "x"
    else:
        message["fields"][change] += "x"
    assert not sound(message, jwk)


def batched(message: dict[str, Any]) -> tuple[bytes, bytes]:
    """Section 3.1: the signature over the root, and the text that it signs; the tree by the recursion of RFC 9162."""
    value = base64.b64decode(message["fields"]["signature"][7:-1])
    assert value[0] == 1
    size, index = int.from_bytes(value[1:3], "big"), int.from_bytes(value[3:5], "big")
    salt, path, signature = value[5:37], value[37:-64], value[-64:]
    base = hashlib.sha256(message["signature_base"].encode()).digest()
    leaf = hashlib.sha256(b"\0troad-v2-batch-leaf\n" + salt + base).digest()
    steps = [path[at : at + 32] for at in range(0, len(path), 32)]

    def climb(at: int, count: int, left: list[bytes]) -> bytes:
        if count == 1:
            assert not left
            return leaf
        half = 1 << (count - 1).bit_length() - 1
        inner = climb(at, half, left[:-1]) if at < half else climb(at - half, count - half, left[:-1])
        pair = inner + left[-1] if at < half else left[-1] + inner
        return hashlib.sha256(b"\1" + pair).digest()

    root = base64.b64encode(climb(index, size, steps)).decode()
    return signature, f"troad-v2-batch-root\n{size}\n{root}\n".encode()


def test_the_batch() -> None:
    messages, jwk = vector("batch"), vector("keys")["client"]
    assert all(base_of(message) == message["signature_base"] for message in messages)
    assert all(message["fields"]["signature-input"].endswith('tag="troad-v2-batch"') for message in messages)
    found = [batched(message) for message in messages]
    assert len(set(found)) == 1, "one signature over one root"
    assert len({len(message["fields"]["signature"]) for message in messages}) == 2, "the last path is shorter"
    assert holds(jwk, *found[0])
    assert not holds(vector("keys")["provider"], *found[0])
    assert not holds(jwk, found[0][0], messages[0]["signature_base"].encode()), "it is none over a message alone"


@pytest.mark.parametrize("at", range(5))
def test_a_message_of_the_batch_is_bound_to_its_place(at: int) -> None:
    message, jwk = vector("batch")[at], vector("keys")["client"]
    message["signature_base"] += "x"
    assert not holds(jwk, *batched(message))


def opened(token: str) -> tuple[dict[str, Any], str]:
    """RFC 7516 with ECDH-ES and A256GCM."""
    protected, _, nonce, body, tag = token.split(".")
    header = json.loads(unb64(protected))
    key = load_pem_private_key(vector("keys")["reference_private_pem"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    shared = key.exchange(ec.ECDH(), public(header["epk"]))
    info = b"\0\0\0\x07A256GCM" + b"\0" * 8 + (256).to_bytes(4, "big")
    secret = hashlib.sha256(b"\0\0\0\x01" + shared + info).digest()
    return header, AESGCM(secret).decrypt(unb64(nonce), unb64(body) + unb64(tag), protected.encode()).decode()


def test_the_reference() -> None:
    told = vector("reference")
    header, person = opened(told["token"])
    assert (person, header["aud"], header["rid"]) == (told["person"], told["gateway"], told["rid"])
    assert vector("request")["fields"]["troad-subject"] == told["token"]


def test_the_consent() -> None:
    told, named = vector("consent"), vector("keys")
    head, claims, signature = told["token"].split(".")
    assert json.loads(unb64(head))["typ"] == "consent+jwt"
    assert holds(named["issuer"], unb64(signature), f"{head}.{claims}".encode())
    content = json.loads(unb64(claims))
    assert content["aud"] == "TW/GOV/hpa/births/births.v1"
    assert content["cnf"]["kid"] == named["client"]["kid"]
    assert set(content) == {
        "iss", "aud", "sub", "cnf", "requester", "fields", "purpose", "single_use", "jti", "iat", "exp", "sub_ref"
    }  # fmt: skip
    header, person = opened(content["sub_ref"])
    assert (person, header["rid"]) == (told["person"], told["rid"])
