"""Tables of `identity`: accounts, seats, keys, sign-ins and what is kept for a person who must sign in again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids

RETENTION = timedelta(days=180)


class Account(AbstractBaseUser):
    """A person who can sign in. There are no passwords; `subject` is the only name that other blocks know."""

    password = None  # type: ignore[assignment]
    last_login = None

    subject = models.CharField(max_length=36, unique=True, default=ids.uuid7)
    national_id = EncryptedTextField(context="identity.account.national_id", blank=True)
    national_id_index = models.CharField(max_length=64, unique=True, null=True)
    name = EncryptedTextField(context="identity.account.name", blank=True)
    email = EncryptedTextField(context="identity.account.email", blank=True)
    is_active = models.BooleanField(default=True)
    signs_in_from = models.DateField(null=True)
    session_epoch = models.CharField(max_length=36, default=ids.uuid7)
    created_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "subject"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[BaseUserManager[Self]] = BaseUserManager()

    class Personal:
        """Who the person is."""

        fields: ClassVar = {
            "national_id": "to find the person at the registers",
            "national_id_index": "to find the account again",
            "name": "to greet the person",
            "email": "to send notices",
            "signs_in_from": "a child signs in by itself from its 14th birthday only",
        }
        retire = "blanked after the account was closed"
        after = RETENTION
        since = "closed_at"
        blanked = True

    def set_password(self, raw_password: str | None) -> None:
        """There are none."""
        raise TypeError("accounts have no passwords")

    def check_password(self, raw_password: str | None) -> bool:
        """No password is ever right."""
        return False

    def get_session_auth_hash(self) -> str:
        """Changes when the person signs out everywhere, which ends every session."""
        return self.session_epoch

    def get_session_auth_fallback_hash(self) -> Any:
        """There is no older form."""
        return iter(())


class Seat(models.Model):
    """A person acting in a role for an agency."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(Account, models.CASCADE, related_name="seats")
    agency = models.CharField(max_length=32)
    role = models.CharField(max_length=40)
    active = models.BooleanField(default=True)
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "agency", "role"), name="identity_seat_once"),)

    class Personal:
        """Nothing beyond the link."""

        none = "an office, not a person; the link ends when the account is blanked"


class Passkey(models.Model):
    """A WebAuthn credential of a person's device."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(Account, models.CASCADE, related_name="passkeys")
    credential_id = models.CharField(max_length=1400, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    backed_up = models.BooleanField(default=False)
    aaguid = models.CharField(max_length=36, blank=True)
    # The attestation led to a root of the FIDO metadata, and the key cannot leave its device.
    attested = models.BooleanField(default=False)
    name = models.CharField(max_length=60)
    suspended_at = models.DateTimeField(null=True)
    # Made in a recovery: until then it opens a weak session only.
    cools_until = models.DateTimeField(null=True)
    recovery = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Personal:
        """A device of a person."""

        fields: ClassVar = {"credential_id": "to recognise the device", "name": "the person's word for the device"}
        retire = "deleted after the account was closed"
        after = RETENTION
        since = "account__closed_at"


class MobileKey(models.Model):
    """The P-256 key of a person's mobile identity; the key itself never leaves the phone."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(Account, models.CASCADE, related_name="mobile_keys")
    key_id = models.CharField(max_length=80, unique=True)
    public_jwk = models.JSONField()
    suspended_at = models.DateTimeField(null=True)
    cools_until = models.DateTimeField(null=True)
    recovery = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Personal:
        """A device of a person."""

        fields: ClassVar = {"key_id": "to recognise the phone", "public_jwk": "to verify its signatures"}
        retire = "deleted after the account was closed"
        after = RETENTION
        since = "account__closed_at"


class LoginRequest(models.Model):
    """One attempt to sign in with the mobile identity: bound to a browser, short-lived, used once."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    browser = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64, unique=True)
    number = models.CharField(max_length=2)
    text = models.JSONField(default=dict)
    ticket = models.CharField(max_length=80, unique=True)
    show = models.CharField(max_length=300, blank=True)
    account = models.ForeignKey(Account, models.CASCADE, null=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Personal:
        """Who was asked to approve, when the phone was called by push."""

        fields: ClassVar = {"account": "whose phone was asked"}
        retire = "deleted a day after it expired"
        after = timedelta(days=1)
        since = "expires_at"


class SignIn(models.Model):
    """A sign-in for the person to look at: one that succeeded, or one that was `refused` although it named them."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(Account, models.CASCADE, related_name="sign_ins")
    method = models.CharField(max_length=20)
    device = models.CharField(max_length=60)
    place = models.CharField(max_length=8, blank=True)
    new_browser = models.BooleanField(default=False)
    refused = models.BooleanField(default=False)
    assurance = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Personal:
        """When a person came."""

        fields: ClassVar = {
            "account": "who",
            "device": "with which kind of browser",
            "place": "the country",
            "at": "when",
        }
        retire = "deleted"
        after = RETENTION
        since = "at"


class Throttle(models.Model):
    """How often something was tried in the present window; the key is a blind index."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    window_ends = models.DateTimeField()

    class Personal:
        """Whose sign-in was tried, as a blind index."""

        fields: ClassVar = {"key": "to slow down guessing"}
        retire = "deleted a day after its window"
        after = timedelta(days=1)
        since = "window_ends"


class KeptPost(models.Model):
    """What a person had written when the session had ended: offered again after sign-in, to the same person only."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    browser = models.CharField(max_length=64)
    subject = models.CharField(max_length=36)
    path = models.CharField(max_length=500)
    answers = EncryptedTextField(context="identity.kept_post.answers")
    expires_at = models.DateTimeField()

    class Personal:
        """The answers of a form."""

        fields: ClassVar = {"answers": "so that nobody has to write twice", "subject": "who wrote them"}
        retire = "deleted when sent, and 30 minutes after it was kept at the latest"
        after = timedelta(0)
        since = "expires_at"


# Django looks for tables here. Those of the means and of the provider stand in files of their own.
from smartgov.blocks.identity.means_models import CitizenCertificate, Proving  # noqa: E402
from smartgov.blocks.identity.openid_models import (  # noqa: E402
    OpenidAuthorization,
    OpenidLogout,
    OpenidMark,
    OpenidRelation,
    OpenidToken,
    RelyingParty,
)
from smartgov.blocks.identity.people_models import (  # noqa: E402
    AuthenticatorApp,
    KnownBrowser,
    LiveSession,
    Password,
    Recovery,
    RecoveryCode,
)

__all__ = [
    "Account",
    "AuthenticatorApp",
    "CitizenCertificate",
    "KeptPost",
    "KnownBrowser",
    "LiveSession",
    "LoginRequest",
    "MobileKey",
    "OpenidAuthorization",
    "OpenidLogout",
    "OpenidMark",
    "OpenidRelation",
    "OpenidToken",
    "Passkey",
    "Password",
    "Recovery",
    "RecoveryCode",
    "Proving",
    "RelyingParty",
    "Seat",
    "SignIn",
    "Throttle",
]
