"""CPU of signing and checking documents, of OCSP answers, and of credentials beside the reference library."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from smartgov.engines.credential import sdjwt, tokens
from smartgov.engines.pki import certificates, keys, signing
from smartgov.engines.pki.authority import Authority, Record, ocsp
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.shared import clock

FACTS = {
    "child_name": "林安安",
    "birth_date": "2026-11-12",
    "sex": "female",
    "mother_name": "陳美玲",
    "township": "文山區",
}


def main() -> None:
    """Print each figure; every output is checked."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.create(Path(folder) / "ca", "Bench Authority", address="http://127.0.0.1:1")
        key = keys.generate_p256()
        record = _certified(authority, key)
        _documents(authority, key, record)
        _answers(authority, record)
    _credentials()


def _documents(authority: Authority, key: Any, record: Record) -> None:
    pdf = bytes(typst.compile(b"= Paper\nSynthetic.", format="pdf"))
    own = certificates.from_pem(record.certificate.encode())
    evidence = signing.Evidence((authority.crl(),), (authority.answer(ocsp.request_for(own, authority.certificate)),))
    trust = signing.Trust((authority.certificate,), crls=(authority.crl(),))

    def sign() -> bytes:
        return signing.sign(
            pdf,
            signer=lambda data: keys.sign_der(key, data),
            certificate=own,
            chain=[authority.certificate],
            reason="bench",
            evidence=evidence,
        )

    signed = sign()
    _rate("PDF signed, with evidence", 40, sign, lambda out: signing.check_pdf(out, trust, at=clock.now()).valid)
    _rate("PDF report", 40, lambda: signing.check_pdf(signed, trust, at=clock.now()), lambda out: out.valid)


def _answers(authority: Authority, record: Record) -> None:
    own = certificates.from_pem(record.certificate.encode())
    plain, fresh = (ocsp.request_for(own, authority.certificate, nonce) for nonce in (None, b"n" * 16))

    def good(answer: bytes) -> bool:
        return ocsp.check(answer, own, authority.certificate, now=clock.now()).status == "good"

    _rate("OCSP answer, signed ahead", 2000, lambda: authority.answer(plain), good)
    _rate("OCSP answer to a nonce", 500, lambda: authority.answer(fresh), good)


def _credentials() -> None:
    issuer, holder = keys.generate_p256(), keys.generate_p256()
    jwk = keys.public_jwk(holder.public_key())
    now = clock.now()

    def ours() -> str:
        return sdjwt.issue(
            FACTS,
            vct="v",
            issuer="i",
            holder=jwk,
            sign=tokens.signer(issuer),
            x5c=[],
            issued_at=now,
            expires_at=now + timedelta(days=1),
        )

    their_issuer, their_holder = _jwk(issuer), _jwk(holder)

    def theirs() -> str:
        claims = {SDObj(name): value for name, value in FACTS.items()} | {"vct": "v", "iss": "i"}
        return str(SDJWTIssuer(claims, their_issuer, their_holder, add_decoy_claims=True).sd_jwt_issuance)

    def read(text: str) -> bool:
        found = sdjwt.verify(text, lambda *_: issuer.public_key(), now=now).claims
        return all(found[name] == value for name, value in FACTS.items())

    one = _rate("credential issued", 500, ours, read)
    other = _rate("  by the reference library", 500, theirs, lambda text: text.count("~") == len(FACTS) + 1)
    print(f"  ratio                       {other / one:8.2f} times the CPU of ours")
    cut = sdjwt.select(ours(), [("child_name",)])
    shown = sdjwt.bind(cut, tokens.signer(holder), audience="a", nonce="n", now=now)

    def check() -> Any:
        return sdjwt.verify(shown, lambda *_: issuer.public_key(), now=now, audience="a", nonce="n").claims

    holding = SDJWTHolder(theirs())
    holding.create_presentation({"child_name": True}, "n", "a", their_holder)

    def their_check() -> Any:
        return SDJWTVerifier(
            holding.sd_jwt_presentation, lambda _issuer, _header: their_issuer, "a", "n"
        ).get_verified_payload()

    one = _rate("presentation checked", 500, check, lambda claims: claims["child_name"] == "林安安")
    other = _rate("  by the reference library", 500, their_check, lambda claims: claims["child_name"] == "林安安")
    print(f"  ratio                       {other / one:8.2f} times the CPU of ours")


def _rate(name: str, times: int, act: Callable[[], Any], good: Callable[[Any], bool]) -> float:
    """CPU ms of one `act`; every output is checked after the clock has stopped."""
    started = process_time()
    outputs = [act() for _ in range(times)]
    each = (process_time() - started) / times * 1000
    if not all(good(output) for output in outputs):
        raise SystemExit(f"wrong output: {name}")
    print(f"{name:<30}{each:8.3f} CPU ms, {1000 / each:8.0f} a CPU second")
    return each


def _certified(authority: Authority, key: Any) -> Record:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    record = authority.request(
        asked.public_bytes(serialization.Encoding.PEM),
        profile="person",
        holder="h",
        common_name="x",
        organisation="o",
        by="bench",
    )
    authority.prove(record.id, method="bench", level=2, by="one")
    record = authority.issue(record.id, by="two")
    return authority.activate(record.id, keys.sign(key, activation_text(record)), by="bench")


def _jwk(key: Any) -> JWK:
    private = keys.b64url(key.private_numbers().private_value.to_bytes(32, "big"))
    return JWK.from_json(json.dumps({**keys.public_jwk(key.public_key()), "d": private}))


if __name__ == "__main__":
    main()
