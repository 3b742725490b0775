"""Encrypted tokens: JWE in compact form (RFC 7516), ECDH-ES on P-256 with A256GCM and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import errors, jwk
from joserfc import jwe as jose

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_ALGORITHMS = ["ECDH-ES", "A256GCM"]
_OURS = {"alg", "enc", "kid"}


class _Registry(jose.JWERegistry):
    """joserfc refuses ciphertexts over 64 KiB; documents are larger."""

    max_ciphertext_length = 16 * 2**20


def encrypt(plaintext: bytes, public_key: ec.EllipticCurvePublicKey, kid: str, header: Mapping[str, Any]) -> str:
    """`plaintext` for the owner of `public_key`. The members of `header` can be read by all and altered by none."""
    if clash := _OURS & set(header):
        raise ValueError(f"the header members {sorted(clash)} are set here")
    protected = {**header, "alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "kid": kid}
    return str(jose.encrypt_compact(protected, plaintext, jwk.ECKey.import_key(public_key), registry=_registry()))


def decrypt(token: str, private_key: ec.EllipticCurvePrivateKey) -> tuple[bytes, dict[str, Any]]:
    """The plaintext and the authenticated header (`kid` included); else a Problem `token-unreadable` (400)."""
    try:
        opened = jose.decrypt_compact(token, jwk.ECKey.import_key(private_key), registry=_registry())
    except (errors.JoseError, ValueError):
        raise Problem(
            "token-unreadable",
            400,
            what=Text("The encrypted token cannot be opened.", "無法開啟加密權杖。"),
            why=Text("It was altered or is meant for somebody else.", "內容遭更動，或收件者不是本系統。"),
            todo=Text("Ask its sender for a new one.", "請寄件者重新產生。"),
        ) from None
    return opened.plaintext or b"", dict(opened.headers())


def _registry() -> _Registry:
    # Header members beyond RFC 7516 (aud, exp, ...) are authenticated with the rest, so unknown names are welcome.
    return _Registry(algorithms=_ALGORITHMS, strict_check_header=False)
