"""Tables of people's own means and places: second factors, known browsers, live sessions, recoveries."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids

RETENTION = timedelta(days=180)
_ACCOUNT = "identity.Account"


class AuthenticatorApp(models.Model):
    """The shared secret of an authenticator app (RFC 6238), sealed; until `confirmed_at` it proves nothing."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="apps")
    secret = EncryptedTextField(context="identity.authenticator_app.secret")
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account",), condition=Q(confirmed_at__isnull=False), name="identity_app_once"
            ),
        )

    class Personal:
        """A means of a person."""

        fields: ClassVar = {"secret": "to check the codes of the person's app", "account": "whose it is"}
        retire = "deleted after the account was closed"
        after = RETENTION
        since = "account__closed_at"


class RecoveryCode(models.Model):
    """One code of a printed list, as a keyed digest."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Personal:
        """A means of a person."""

        fields: ClassVar = {"account": "whose it is"}
        retire = "deleted after the account was closed"
        after = RETENTION
        since = "account__closed_at"


class Password(models.Model):
    """An officer's password as an Argon2id hash; it opens nothing without a second factor."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="passwords")
    hash = models.CharField(max_length=200)
    failures = models.PositiveIntegerField(default=0)
    set_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account",), name="identity_password_once"),)

    class Personal:
        """A means of a person."""

        fields: ClassVar = {"hash": "to check the password", "account": "whose it is"}
        retire = "deleted after the account was closed"
        after = RETENTION
        since = "account__closed_at"


class KnownBrowser(models.Model):
    """A browser in which a person has signed in; `trusted_until` when the person said that it is theirs."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="browsers")
    browser = models.CharField(max_length=64, db_index=True)
    label = models.CharField(max_length=60)
    place = models.CharField(max_length=8, blank=True)
    first_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now, db_index=True)
    trusted_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "browser"), name="identity_browser_once"),)

    class Personal:
        """Where a person signs in."""

        fields: ClassVar = {
            "account": "whose it is",
            "browser": "to know the browser again, as a keyed digest",
            "label": "its kind in two words",
            "place": "the country of its last sign-in",
        }
        retire = "deleted 180 days after its last use"
        after = RETENTION
        since = "last_at"


class LiveSession(models.Model):
    """A session that is open, for its person to see and end; `key` is the name of Django's row of it."""

    sid = models.CharField(primary_key=True, max_length=36)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="live_sessions")
    key = models.CharField(max_length=40, db_index=True)
    method = models.CharField(max_length=20)
    assurance = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60)
    place = models.CharField(max_length=8, blank=True)
    # The means that opened it, when it was made in a recovery that may still be stopped.
    recovery = models.CharField(max_length=36, blank=True)
    opened_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now, db_index=True)

    class Personal:
        """Where a person is signed in."""

        fields: ClassVar = {
            "account": "whose it is",
            "label": "the kind of browser",
            "place": "the country from which it was opened",
            "seen_at": "when it was last used",
        }
        retire = "deleted when it ended, and a day after its last use at the latest"
        after = timedelta(days=1)
        since = "seen_at"


class Recovery(models.Model):
    """A person who lost every means: proven anew at a counter, then with new means that must first cool.

    `state`: begun, proven, done, stopped. `browser` is the keyed digest of the secret that opens its page.
    """

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey(_ACCOUNT, models.CASCADE, related_name="recoveries", null=True)
    browser = models.CharField(max_length=64, unique=True)
    reference = models.CharField(max_length=10, unique=True)
    state = models.CharField(max_length=10, default="begun")
    with_code = models.BooleanField(default=False)
    proven_by = models.CharField(max_length=36, blank=True)
    begun_at = models.DateTimeField(default=clock.now)
    proven_at = models.DateTimeField(null=True)
    cooled_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The phone that is being enrolled: its request, as far as it has come.
    invited = models.JSONField(null=True)

    class Personal:
        """Who lost their means."""

        fields: ClassVar = {"account": "whose it is", "proven_by": "the seat that saw the person"}
        retire = "deleted 180 days after it was begun"
        after = RETENTION
        since = "begun_at"
