"""Make the test vectors of T-Road: `python scripts/protocol_vectors.py`, into docs/protocols/vectors.

Their keys are for this purpose only. Signatures are made with fresh randomness: each run differs.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from smartgov.engines.pki import keys
from smartgov.engines.troad import artefacts, batch_signature, bodies, exchanged, reference, wire
from smartgov.engines.troad.reference import Recipient
from smartgov.shared.tw import national_id

FOLDER = Path(__file__).parents[1] / "docs" / "protocols" / "vectors"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PERSON = national_id.make(7, 2)
RID = "019aa9c0-7b1f-7cc0-8d3e-3f1f5f0a7b11"


def _pem(key: keys.PrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _head(head: wire.Head, body: bytes, base: bytes) -> dict[str, Any]:
    named = {"method": head.method, "authority": head.authority, "path": head.path, "query": head.query}
    return {**named, "fields": head.fields, "body": base64.b64encode(body).decode(), "signature_base": base.decode()}


def _batch(client: Any) -> list[dict[str, Any]]:
    """Five requests under one signature, the last with a path that is shorter than the others'."""
    heads, sent, bases = [], [], []
    for number in range(5):
        fields = {
            "content-type": "application/json",
            "x-road-client": "TW/GOV/ris/cases",
            "x-road-id": f"{RID[:-1]}{number}",
            "troad-receiver": "TW/GOV/hpa/gw1",
        }
        body = json.dumps({"n": number}).encode()
        fields |= bodies.commit(body)[1]
        head = wire.Head("POST", "127.0.0.1:9002", "/r1/TW/GOV/hpa/births/births.v1/births/query", "", fields)
        kid, nonce = keys.thumbprint(client.public_key()), f"{number}" * 22
        bases.append(wire.open_request(head, kid, created=int(NOW.timestamp()), nonce=nonce, tag=wire.BATCH_TAG))
        heads.append(head)
        sent.append(body)
    values = batch_signature.sign(client, [sha256(base).digest() for base in bases])
    for head, value in zip(heads, values, strict=True):
        wire.attach(head.fields, value)
    return [_head(head, body, base) for head, body, base in zip(heads, sent, bases, strict=True)]


def _exchanged() -> list[dict[str, Any]]:
    """What is told of the ids `exchange-0` to `exchange-{count - 1}`, whole and under prefixes of their hashes."""

    def told(count: int, prefix: str) -> dict[str, Any]:
        hashes = sorted(sha256(f"exchange-{number}".encode()).digest() for number in range(count))
        under = [one for one in hashes if one.hex().startswith(prefix)]
        size, root = exchanged.tree(under, len(prefix))
        return {"ids": count, "prefix": prefix, "count": size, "root": root}

    return [told(*case) for case in ((0, ""), (1, ""), (200, ""), (201, ""), (5000, ""), (5000, "3"), (5000, "3f"))]


def main() -> None:
    """Write all vectors."""
    client, provider, to, issuer = (keys.generate_p256() for _ in range(4))
    recipient = Recipient("TW/GOV/hpa/gw1", to.public_key(), keys.thumbprint(to.public_key()))
    exp = int((NOW + timedelta(minutes=2)).timestamp())
    made = reference.make(PERSON, recipient, rid=RID, exp=exp)
    fields = {
        "content-type": "application/json",
        "x-road-client": "TW/GOV/ris/cases",
        "x-road-id": RID,
        "troad-receiver": "TW/GOV/hpa/gw1",
        "troad-subject": made,
        "troad-purpose": "birth-registration",
        "troad-basis": "household-act-48",
        "idempotency-key": "case-1",
        "x-station": "46692",
    }
    head = wire.Head("POST", "127.0.0.1:9002", "/r1/TW/GOV/hpa/births/births.v1/births/query", "a=1", fields)
    body = b'{"where":{}}'
    fields |= bodies.commit(body)[1]
    base = wire.sign_request(head, client, created=int(NOW.timestamp()), nonce="AAAAAAAAAAAAAAAAAAAAAA")
    answer_body = b'{"items":[]}'
    answer = {"content-type": "application/json", **bodies.commit(answer_body)[1]}
    answer_base = wire.sign_answer(
        head, 200, answer, provider, created=int(NOW.timestamp()), nonce="BBBBBBBBBBBBBBBBBBBBBB"
    )
    terms = {"provider": "TW/GOV/hpa/births/births.v1", "requester": "TW/GOV/ris/cases", "fields": ["born_on"]}
    terms |= {"purpose": "birth-registration", "jti": "consent-1", "single_use": True}
    consent = artefacts.make_consent(
        issuer="TW/GOV/portal",
        key=issuer,
        to=recipient,
        subject=PERSON,
        pairwise="0" * 64,
        holder=keys.thumbprint(client.public_key()),
        terms={**terms, "expires_at": (NOW + timedelta(days=1)).isoformat()},
        now=NOW,
    )
    public = {"client": client, "provider": provider, "issuer": issuer}
    vectors = {
        "keys": {
            **{name: keys.public_jwk(key.public_key()) for name, key in public.items()},
            "reference_private_pem": _pem(to),
        },
        "request": _head(head, body, base),
        "answer": {
            "status": 200,
            "fields": answer,
            "body": base64.b64encode(answer_body).decode(),
            "signature_base": answer_base.decode(),
        },
        "reference": {"token": made, "gateway": "TW/GOV/hpa/gw1", "rid": RID, "person": PERSON},
        "batch": _batch(client),
        "consent": {"token": consent, "person": PERSON, "rid": "consent-1"},
        "exchanged": _exchanged(),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, content in vectors.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
