"""Keys of a registration, written down or kept at an address, and how the client proves itself with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smartgov.engines.openid import jose, params
from smartgov.engines.openid.checking.addresses import of_address
from smartgov.engines.openid.checking.complaints import Complaint, must, should
from smartgov.shared.text import Text

METHODS = ("private_key_jwt", "self_signed_tls_client_auth", "tls_client_auth", "client_secret_basic", "none")
_SIGNING = {"ES256", "EdDSA", "Ed25519", "PS256"}
_ACCEPTED = Text(
    "Use P-256 (ES256), Ed25519, or RSA of 2048 bits (PS256).",
    "請使用 P-256（ES256）、Ed25519 或 RSA 2048 以上（PS256）。",
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stood at `jwks_uri` when it was last looked at: its keys, or why there are none."""

    keys: Sequence[Mapping[str, Any]] = ()
    error: Literal["", "unreachable", "not-jwks"] = ""


def complaints(given: Mapping[str, Any], loopback: bool, fetched: Fetched | None) -> Iterator[Complaint]:
    """What is wrong with the keys and with the way to authenticate."""
    yield from _method(given)
    yield from _place(given, loopback, fetched)
    known = [*given.get("jwks", []), *(fetched.keys if fetched else ())]
    for place, key in enumerate(known, 1):
        yield from _key(key, str(key.get("kid") or f"#{place}")[:80])
    for kid, count in Counter(key["kid"] for key in known if isinstance(key.get("kid"), str)).items():
        if count > 1:
            yield must(
                "jwks",
                Text("Two keys have the same kid.", "兩把金鑰的 kid 相同。"),
                Text(
                    "Give each its own, for instance its RFC 7638 thumbprint.", "請各用不同的 kid，例如 RFC 7638 指紋。"
                ),
                kid[:80],
            )
    yield from _enough(given, known)


def _method(given: Mapping[str, Any]) -> Iterator[Complaint]:
    method, plain = given.get("auth_method", "private_key_jwt"), given.get("profile", "fapi2") == "plain"
    if method not in METHODS:
        yield must(
            "auth_method",
            Text("This way to authenticate does not exist here.", "不支援這種用戶端驗證方式。"),
            Text("Use private_key_jwt.", "請使用 private_key_jwt。"),
            str(method)[:80],
        )
    elif method in {"client_secret_basic", "none"} and not plain:
        yield must(
            "auth_method",
            Text("FAPI 2.0 knows no shared secrets and no public clients.", "FAPI 2.0 不允許共用密鑰或公開用戶端。"),
            Text("Make a key pair and use private_key_jwt.", "請產生金鑰對，並使用 private_key_jwt。"),
        )
    if method == "self_signed_tls_client_auth" and not given.get("certificates"):
        yield must(
            "certificates",
            Text("The certificate is missing.", "缺少憑證。"),
            Text("Register its SHA-256 thumbprint in base64url.", "請登錄憑證的 SHA-256 指紋（base64url）。"),
        )
    if method == "tls_client_auth" and not given.get("tls_san_dns"):
        yield must(
            "tls_san_dns",
            Text("The name in the certificate is missing.", "缺少憑證中的名稱。"),
            Text("Register the DNS name that it carries.", "請登錄憑證所載的 DNS 名稱。"),
        )
    if given.get("sender", "dpop") == "none" and not plain:
        yield must(
            "sender",
            Text("FAPI 2.0 binds tokens to a key.", "FAPI 2.0 的權杖必須綁定金鑰。"),
            Text("Use dpop, or mtls with a certificate.", "請使用 dpop，或以憑證使用 mtls。"),
        )


def _place(given: Mapping[str, Any], loopback: bool, fetched: Fetched | None) -> Iterator[Complaint]:
    address = given.get("jwks_uri", "")
    if not address:
        return
    yield from of_address("jwks_uri", address, loopback)
    if not params.is_web_address(address, loopback=loopback):
        return
    if fetched is None or fetched.error == "unreachable":
        yield must(
            "jwks_uri",
            Text("Nobody answers at the address of your keys.", "金鑰網址沒有回應。"),
            Text(
                "It must answer with status 200 within eight seconds, without redirect. Then save again.",
                "須於八秒內以 200 回應且不得轉址。修正後請重新儲存。",
            ),
            address,
        )
    elif fetched.error:
        yield must(
            "jwks_uri",
            Text("What stands at the address of your keys is no JWK set.", "金鑰網址的內容不是 JWK Set。"),
            Text(
                'Answer with JSON: {{"keys": [...]}}, at most 64 KB.', '請回覆 JSON：{{"keys": [...]}}，64 KB 以內。'
            ).format(),
            address,
        )


def _key(key: Mapping[str, Any], about: str) -> Iterator[Complaint]:
    if key.get("use") == "enc" and not jose.is_private(key):
        return
    try:
        jose.imported({name: value for name, value in key.items() if name != "alg"})
    except jose.BadTokenError:
        yield _unusable(key, about)
        return
    algorithm = key.get("alg")
    if algorithm is not None and not jose.algorithms_of(key):
        yield must(
            "jwks",
            Text("A key is meant for an algorithm that is not accepted.", "金鑰指定了不被接受的演算法。")
            if algorithm not in _SIGNING
            else Text("A key is meant for an algorithm of another kind of key.", "金鑰指定的演算法與其種類不符。"),
            _ACCEPTED,
            f"{about} alg={str(algorithm)[:20]}",
        )


def _unusable(key: Mapping[str, Any], about: str) -> Complaint:
    if jose.is_private(key):
        return must(
            "jwks",
            Text("A key is a private one; it is now known to others.", "貼上的是私鑰，這把金鑰已外洩。"),
            Text("Throw it away, make another, and send the public half only.", "請作廢並重新產生，只提供公鑰。"),
            about,
        )
    return must(
        "jwks",
        Text("A key is of a kind that is not accepted, or too weak.", "金鑰種類不被接受，或強度不足。"),
        _ACCEPTED,
        about,
    )


def _enough(given: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> Iterator[Complaint]:
    usable = sum(1 for key in known if key.get("use") != "enc" and _counts(key))
    if given.get("auth_method", "private_key_jwt") == "private_key_jwt" and not usable:
        yield must(
            "jwks",
            Text("There is no public key with which your assertions can be checked.", "沒有可驗證您聲明的公鑰。"),
            Text("Register a JWK on P-256.", "請登錄一把 P-256 的 JWK。"),
        )
    elif usable == 1 and not given.get("jwks_uri"):
        yield should(
            "jwks",
            Text("There is one key only.", "只有一把金鑰。"),
            Text(
                "Register the next one ahead, so that you can change keys without a gap.",
                "請預先登錄下一把，以便無縫輪替。",
            ),
        )
    if given.get("id_token_encrypted") and not any(key.get("use") == "enc" for key in known):
        yield must(
            "jwks",
            Text("There is no key to encrypt ID tokens to.", "沒有用於加密 ID 權杖的金鑰。"),
            Text('Register a P-256 JWK with "use": "enc".', "請登錄 use 為 enc 的 P-256 JWK。"),
        )


def _counts(key: Mapping[str, Any]) -> bool:
    try:
        jose.imported(key)
    except jose.BadTokenError:
        return False
    return bool(jose.algorithms_of(key))
