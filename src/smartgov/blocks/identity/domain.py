"""Seats, roles and permissions, sign-in requests and their rules; no Django, no I/O."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.shared import canonical, clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

CITIZEN = "citizen"
LOGIN_LIFETIME = timedelta(seconds=120)
SIGNED_TOLERANCE = timedelta(seconds=30)
IDLE_LIMIT = timedelta(minutes=30)
SESSION_LIMIT = timedelta(hours=8)
KEPT_FOR = timedelta(minutes=30)
KEPT_BYTES = 64 * 1024
MOBILE_ASSURANCE = PASSKEY_ASSURANCE = PASSWORD_ASSURANCE = 2
FIDOKEY_ASSURANCE = 3
COOLING_ASSURANCE = 1
FRESH = timedelta(minutes=15)
RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class SeatView:
    """A seat as other blocks see it."""

    id: str
    subject: str
    agency: str
    role: str
    role_title: Text


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person is reached."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Represented:
    """Whom somebody acts for, in words: a name and the kind of mandate."""

    name: str
    kind: Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """On what a mandate rests: a `register`'s word, asked over the exchange `reference` at `at`; or it was `given`, and
    `reference` is the SHA-256 (hex) of the terms that its giver approved."""

    source: Literal["register", "given"]
    reference: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a mandate in force allows: permissions, what the trail leaves out, and whether it signs in elsewhere."""

    represented: Represented
    permissions: frozenset[str]
    excludes: tuple[str, ...] = ()
    signs_in: bool = False
    until: datetime | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in person, for the frame of a page; `acting` when they act for another."""

    name: str
    seat: SeatView | None
    has_seats: bool
    acting: Represented | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A role and what it may do."""

    name: str
    title: Text
    permissions: frozenset[str]

    def allows(self, permission: str) -> bool:
        """Whether the role holds `permission` (`cases.decide`)."""
        return permission in self.permissions


def read_roles(content: Mapping[str, Any]) -> dict[str, Role]:
    """The roles of a parsed `roles.yaml`; a citizen role must be among them."""
    roles = {
        name: Role(name, Text.of(row["title"]), frozenset(row["permissions"])) for name, row in content["roles"].items()
    }
    for name in (CITIZEN, RECOVERING):
        if name not in roles:
            raise ValueError(f"roles.yaml has no {name}")
    return roles


def unknown_permissions(roles: Mapping[str, Role], declared: Iterable[str]) -> list[str]:
    """Permissions that a role holds and no block declares: typing errors that would deny in silence."""
    known = set(declared)
    return sorted({name for role in roles.values() for name in role.permissions} - known)


def signed_content(*, origin: str, nonce: str, number: str, text: Mapping[str, str], issued: str) -> bytes:
    """The bytes that a mobile identity signs: canonical JSON of what the person saw and whom it is for."""
    return canonical.dumps({"origin": origin, "nonce": nonce, "number": number, "text": dict(text), "issued": issued})


def is_fresh(*, issued: str, created_at: datetime, now: datetime) -> bool:
    """Whether a signature's own time lies within its request's life (30 s for clocks that differ)."""
    latest = min(now, created_at + LOGIN_LIFETIME) + SIGNED_TOLERANCE
    return clock.is_between(issued, created_at - SIGNED_TOLERANCE, latest)


def cooling_recovery(recovery: str, until: datetime | None, now: datetime) -> str:
    """The recovery in which a means was made, while the means still cools; empty once it counts in full."""
    return recovery if until is not None and until > now else ""


def public_key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a JWK; ValueError when the point is not on the curve."""
    x, y = (int.from_bytes(_unbase64(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The key id of a JWK (RFC 7638): base64url of the SHA-256 of its required members in canonical form."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return base64.urlsafe_b64encode(sha256(canonical.dumps(required)).digest()).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def permission_missing() -> Problem:
    """The person is known and may not do this."""
    return Problem(
        "permission-missing",
        403,
        what=Text("You may not open this page.", "您沒有開啟此頁面的權限。"),
        why=Text("Your present role does not include it.", "您目前的身分不包含這項權限。"),
        todo=Text("Change your seat, or ask your agency's administrator.", "請切換職務身分，或洽機關管理人員。"),
    )


def token_missing() -> Problem:
    """A change that a program of ours asks in somebody's session without the token that only our pages know."""
    return Problem(
        "csrf-token-missing",
        403,
        what=Text("The request does not come from a page of ours.", "這個請求並非來自本站的頁面。"),
        why=Text("You are signed in, but it carries no valid token.", "您已登入，但請求未附有效的權杖。"),
        todo=Text("Send the token of the cookie in X-CSRFToken.", "請將 Cookie 中的權杖放入 X-CSRFToken 標頭。"),
    )


def sign_in_refused() -> Problem:
    """A sign-in that did not prove who the person is; says no more, so that nothing can be guessed from it."""
    return Problem(
        "sign-in-refused",
        403,
        what=Text("You are not signed in.", "登入未成功。"),
        why=Text(
            "The approval did not match this sign-in, was used before, or came too late.",
            "核准內容與本次登入不符、已使用過，或已逾時。",
        ),
        todo=Text("Start again and compare the number on both screens.", "請重新登入，並核對兩個畫面上的數字。"),
    )


def not_while_acting() -> Problem:
    """Something that is the representative's own, or that no mandate reaches."""
    return Problem(
        "not-while-acting",
        403,
        what=Text("This cannot be done while you act for somebody else.", "代理他人期間無法使用此功能。"),
        why=Text(
            "Your account and your mandates are your own, and what the mandate does not name stays closed.",
            "帳號與代理權限屬於您本人；代理範圍以外的事項亦不開放。",
        ),
        todo=Text(
            "Act for yourself again (the bar above), then come back.", "請先按上方「恢復本人身分」，再重新操作。"
        ),
    )


def mandate_over() -> Problem:
    """The right to act for another is there no longer."""
    return Problem(
        "mandate-over",
        403,
        what=Text("You may no longer act for this person.", "您已不能代理此人。"),
        why=Text(
            "The mandate has ended, was taken back, or cannot be checked here.", "代理權限已終止、被撤回，或無法查證。"
        ),
        todo=Text("Act for yourself again (the bar above).", "請按上方「恢復本人身分」。"),
    )


def under_age() -> Problem:
    """A child below fourteen signs in through nobody but a representative."""
    return Problem(
        "under-age",
        403,
        what=Text("Children under 14 do not sign in by themselves.", "未滿 14 歲者不能自行登入。"),
        why=Text(
            "Until the 14th birthday a parent or guardian acts for the child.", "滿 14 歲前由父母或監護人代為辦理。"
        ),
        todo=Text("Ask a parent or guardian to sign in and act for you.", "請由父母或監護人登入後代為辦理。"),
    )


def too_many_attempts() -> Problem:
    """Too many tries in a short time."""
    return Problem(
        "too-many-attempts",
        429,
        what=Text("Too many attempts.", "嘗試次數過多。"),
        why=Text("This protects accounts from guessing.", "這是為了保護帳號不被試探。"),
        todo=Text("Wait fifteen minutes, then try again.", "請等候 15 分鐘後再試。"),
    )


def password_refused() -> Problem:
    """A password sign-in that failed; which part was wrong is not said."""
    return Problem(
        "sign-in-refused",
        403,
        what=Text("You are not signed in.", "登入未成功。"),
        why=Text(
            "Id, password and code do not belong together, or the code was used before or has run out.",
            "身分證統一編號、密碼與驗證碼不相符，或驗證碼已使用過或已逾時。",
        ),
        todo=Text(
            "Type all three again with the code that your app shows now, or sign in with a passkey.",
            "請以驗證器目前顯示的驗證碼重新輸入，或改用通行密鑰登入。",
        ),
    )


def key_copied() -> Problem:
    """A passkey whose counter did not go on: a copy of it may exist."""
    return Problem(
        "key-copied",
        403,
        what=Text("This passkey is stopped.", "這把通行密鑰已停用。"),
        why=Text("Its counter went backwards; somebody may hold a copy.", "其計數倒退，可能已遭複製。"),
        todo=Text("Sign in by another means, and remove it.", "請改用其他方式登入，並將它移除。"),
    )


def model_refused() -> Problem:
    """A passkey of a model that the FIDO metadata report as broken."""
    return Problem(
        "key-model-refused",
        403,
        what=Text("Keys of this model are no longer taken.", "此型號的金鑰已不再受理。"),
        why=Text("Its maker or the FIDO Alliance reports that it can be broken.", "製造商或 FIDO 聯盟公告已不安全。"),
        todo=Text("Sign in by another means.", "請改用其他方式登入。"),
    )


def still_cooling() -> Problem:
    """Something that a means made in a recovery may not do yet."""
    return Problem(
        "recovery-cooling",
        403,
        what=Text("This must wait until your recovery has settled.", "須待帳號復原的等待期結束。"),
        why=Text(
            "Your new means was made in a recovery; until the waiting period is over it changes and signs nothing.",
            "您的新登入方式是在帳號復原時建立的；等待期結束前不能變更設定、簽署或代理。",
        ),
        todo=Text("Your account page says when it ends.", "結束時間請見您的帳號頁。"),
    )


def person_unknown() -> Problem:
    """No such person for this actor."""
    return Problem(
        "person-unknown",
        404,
        what=Text("This person was not found.", "查無此人。"),
        why=Text("There is no such account, or it is not yours to read.", "沒有這個帳號，或您無權查看。"),
    )
