"""Key pairs in files: P-256 for messages, seals and TLS, Ed25519 for log checkpoints. One purpose a key."""

from __future__ import annotations

import binascii
import json
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from smartgov.engines.pki import token
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_STANDARD = bytes.maketrans(b"-_+/=\n", b"+/!!!!")
"""From the letters of base64url to those of base64; what only base64 has becomes what neither has."""
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_ES256 = ec.ECDSA(hashes.SHA256())
_HALF = 32  # bytes of r and of s in a P-256 signature


def generate_p256() -> ec.EllipticCurvePrivateKey:
    """A new key on NIST P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def generate_ed25519() -> ed25519.Ed25519PrivateKey:
    """A new Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


def save_private(path: Path | str, key: PrivateKey) -> None:
    """Write `key` as PKCS#8 PEM with mode 0600, whole or not at all; the folder is made if it is missing."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(Path(path), pem)


def load_private(path: Path | str) -> PrivateKey:
    """The key of such a file, or the one in a hardware module that the file names (`pki/token.py`).

    A file that others may read, or another kind of key, is a Problem `key-unusable`.
    """
    path = Path(path)
    try:
        if path.stat().st_mode & 0o077:
            raise _unusable(
                path, "Other users may read it; its mode must be 0600.", "其他使用者可讀取；權限必須為 0600。"
            )
        content = path.read_bytes()
        if content.startswith(token.SCHEME.encode()):
            return token.TokenKey(token.Location.of(content.decode()))
        key = serialization.load_pem_private_key(content, password=None)
    except (OSError, ValueError, TypeError):
        raise _unusable(
            path, "It is missing or is not an unencrypted PKCS#8 key.", "檔案不存在或不是 PKCS#8 金鑰。"
        ) from None
    if not isinstance(key, PrivateKey) or not _on_our_curve(key):
        raise _unusable(path, "Only P-256 and Ed25519 are accepted.", "僅接受 P-256 與 Ed25519。")
    return key


def load_p256(path: Path | str) -> ec.EllipticCurvePrivateKey:
    """Like `load_private`, for uses that need P-256."""
    key = load_private(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unusable(Path(path), "This use needs a P-256 key.", "此用途需要 P-256 金鑰。")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Put `content` in `path` with mode 0600 by an atomic rename, so that nobody ever sees half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def spki(key: PublicKey) -> bytes:
    """The DER SubjectPublicKeyInfo of `key`."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def thumbprint(key: PublicKey) -> str:
    """The name of a key everywhere (`kid`): unpadded base64url of SHA-256 over its DER SubjectPublicKeyInfo."""
    return b64url(sha256(spki(key)).digest())


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The public JSON Web Key (RFC 7517, RFC 8037) of `key`, with its thumbprint as `kid`."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes_raw()), "kid": thumbprint(key)}
    numbers = key.public_numbers()
    x, y = (b64url(part.to_bytes(_HALF, "big")) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": thumbprint(key)}


def from_jwk(jwk: dict[str, Any] | str) -> PublicKey:
    """The public key of a JWK (a mapping or its JSON text); ValueError when it is not P-256 or Ed25519."""
    data = json.loads(jwk) if isinstance(jwk, str) else jwk
    try:
        if (data["kty"], data["crv"]) == ("OKP", "Ed25519"):
            return ed25519.Ed25519PublicKey.from_public_bytes(from_b64url(data["x"]))
        if (data["kty"], data["crv"]) == ("EC", "P-256"):
            x, y = (from_b64url(data[part]) for part in "xy")
            if {len(x), len(y)} != {_HALF}:  # RFC 7518, 6.2.1.2: the full size of a coordinate
                raise ValueError("a coordinate of P-256 has 32 bytes")
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except (KeyError, TypeError, AttributeError) as error:  # a coordinate that is no text
        raise ValueError("not a public JWK") from error
    raise ValueError("only P-256 and Ed25519 keys are accepted")


def sign(key: PrivateKey, data: bytes) -> bytes:
    """64 bytes: the Ed25519 signature, or ECDSA with SHA-256 as r || s (the form of JWS and RFC 9421)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    r, s = decode_dss_signature(sign_der(key, data))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def verify(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is one that `sign` made over `data`."""
    if len(signature) != 2 * _HALF:
        return False
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _holds(key, signature, data)
    r, s = (int.from_bytes(signature[i : i + _HALF], "big") for i in (0, _HALF))
    return verify_der(key, encode_dss_signature(r, s), data)


def verify_digest(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` (r || s) is one over the data with this SHA-256: the data themselves may be gone."""
    if len(signature) != 2 * _HALF or len(digest) != _HALF:
        return False
    r, s = (int.from_bytes(signature[i : i + _HALF], "big") for i in (0, _HALF))
    try:
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def der_of(signature: str) -> bytes:
    """The DER form of a base64url `r || s`; the empty bytes when it is none, which verifies nothing."""
    try:
        both = from_b64url(signature.rstrip("="))
    except ValueError:
        return b""
    if len(both) != 2 * _HALF:
        return b""
    return encode_dss_signature(*(int.from_bytes(both[i : i + _HALF], "big") for i in (0, _HALF)))


def sign_der(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA with SHA-256 in DER, the form of certificates, CMS and PDFs."""
    return key.sign(data, _ES256)


def verify_der(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is one that `sign_der` made over `data`."""
    try:
        key.verify(signature, data, _ES256)
    except InvalidSignature:
        return False
    return True


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) under a key of at most 64 bytes.

    By two plain hashes: OpenSSL 3 takes longer to look its HMAC up than to compute that of a short message.
    """
    if len(key) > _BLOCK:
        raise ValueError("a key of HMAC that is longer than its block is hashed first, which is not done here")
    block = key.ljust(_BLOCK, b"\0")
    return sha256(block.translate(_OUTER) + sha256(block.translate(_INNER) + data).digest()).digest()


_BLOCK = 64
_INNER, _OUTER = (bytes(pad ^ byte for byte in range(256)) for pad in (0x36, 0x5C))


def b64url(data: bytes) -> str:
    """Unpadded base64url."""
    return binascii.b2a_base64(data, newline=False).translate(_URLSAFE, b"=").decode()


def from_b64url(text: str) -> bytes:
    """The bytes of unpadded base64url; ValueError when it is anything else."""
    try:
        return binascii.a2b_base64(
            text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4), strict_mode=True
        )
    except ValueError:
        raise ValueError("not base64url") from None


def _holds(key: ed25519.Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _on_our_curve(key: PrivateKey) -> bool:
    return isinstance(key, ed25519.Ed25519PrivateKey) or isinstance(key.curve, ec.SECP256R1)


def _unusable(path: Path, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "key-unusable",
        500,
        what=Text(f"The key file {path.name} cannot be used.", f"金鑰檔 {path.name} 無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text("Restore the process's home folder or make it anew.", "請還原此程序的資料夾或重新建立。"),
    )
