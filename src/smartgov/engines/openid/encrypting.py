"""ID tokens for one reader only: signed, then encrypted to a key that the client registered for it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import Client
from smartgov.engines.pki import jwe, keys


def encrypted_for(client: Client, signed: str) -> str:
    """`signed` in a JWE (ECDH-ES, A256GCM) to the client's first P-256 key with `use` enc."""
    for key in client.jwks:
        if key.get("use") == "enc" and key.get("crv") == "P-256":
            public = keys.from_jwk(dict(key))
            assert isinstance(public, ec.EllipticCurvePublicKey)
            return jwe.encrypt(signed.encode(), public, str(key.get("kid", "")), {"cty": "JWT"})
    raise OAuthError("server_error", "the client registered no key for encryption", 500)
