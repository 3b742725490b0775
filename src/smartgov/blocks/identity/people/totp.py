"""Time-based one-time passwords (RFC 6238 over RFC 4226): six digits, steps of 30 seconds, HMAC-SHA-1.

SHA-1 is what every authenticator app speaks; as an HMAC it is not touched by the collisions that broke the hash. A code
is taken within its own step only, so that none lives longer than 30 seconds. No Django, no I/O.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30
DIGITS = 6
SECRET_BYTES = 20
"""RFC 4226 section 4, R6: 160 bits."""


def new_secret() -> str:
    """A new shared secret in base32, as people type it into an app when they cannot scan."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(now: datetime) -> int:
    """The number of the step at an instant of the server's clock (RFC 6238 section 4.2, T0 = 0)."""
    return int(now.timestamp()) // STEP


def code(secret: str, step: int) -> str:
    """The code of a step (RFC 4226 section 5.3: dynamic truncation)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def cleaned(typed: str) -> str:
    """What a person typed without the spaces that apps show between digits."""
    return "".join(typed.split())


def is_right(secret: str, typed: str, step: int) -> bool:
    """Whether `typed` is the code of this step; takes the same time whatever was typed."""
    return hmac.compare_digest(code(secret, step).encode(), cleaned(typed).encode())


def address(secret: str, *, issuer: str, account: str) -> str:
    """The `otpauth:` address of the QR code that apps scan."""
    asked = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{asked}"
