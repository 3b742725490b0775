"""One deed approved with a passkey: the signature is over the digest of what was shown, so it can be kept as proof."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import Any

from django.http import HttpRequest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from smartgov.blocks.identity import domain, passkeys, sessions
from smartgov.shared import clock

_KEY = "identity_act"
LIFETIME_S = 300


def has_passkey(request: HttpRequest) -> bool:
    """Whether the signed-in person has a passkey to approve with."""
    return bool(_account(request).passkeys.exists())


def begin_act(request: HttpRequest, *, digest: str) -> dict[str, Any]:
    """What the browser needs to have the deed with this SHA-256 (hex) signed; good for five minutes and one use."""
    nonce = secrets.token_bytes(32)
    request.session[_KEY] = {
        "nonce": bytes_to_base64url(nonce),
        "digest": digest,
        "until": clock.now().timestamp() + LIFETIME_S,
    }
    return passkeys.act_options(_account(request), _challenge(nonce, digest))


def finish_act(request: HttpRequest, *, digest: str) -> dict[str, Any]:
    """The proof to keep: nonce, digest, and what the authenticator signed. Problem `sign-in-refused` otherwise."""
    begun = request.session.pop(_KEY, None)
    if not begun or begun["digest"] != digest or begun["until"] < clock.now().timestamp():
        raise domain.sign_in_refused()
    nonce = base64url_to_bytes(begun["nonce"])
    try:
        credential = json.loads(request.body)
    except ValueError:
        raise domain.sign_in_refused() from None
    if not isinstance(credential, dict):
        raise domain.sign_in_refused()
    challenge = _challenge(nonce, digest)
    passkeys.act(_account(request), credential=credential, challenge=challenge)
    return {
        "nonce": begun["nonce"],
        "digest": digest,
        "credential": credential["id"],
        "at": clock.now().isoformat(),
        **{name: str(credential["response"][name]) for name in ("clientDataJSON", "authenticatorData", "signature")},
    }


def _challenge(nonce: bytes, digest: str) -> bytes:
    """SHA-256 over 32 random bytes and the digest: nobody can have had it signed before, or for another deed."""
    return sha256(nonce + bytes.fromhex(digest)).digest()


def _account(request: HttpRequest) -> sessions.Account:
    session = sessions.current(request)
    if session is None or session.acting is not None:
        raise domain.permission_missing()
    return session.account
