"""Tables of the OpenID provider: relying parties, authorizations, tokens, relations, and what may be seen once."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from smartgov.shared import clock, ids


class RelyingParty(models.Model):
    """A registered client: what it said of itself, who answered for it, who approved it."""

    id = models.CharField(primary_key=True, max_length=80, default=ids.uuid7)
    name = models.JSONField()
    purpose = models.JSONField()
    agency = models.CharField(max_length=32)
    registration = models.JSONField()
    fetched = models.JSONField(null=True)
    secret_hash = models.CharField(max_length=43, blank=True)
    state = models.CharField(max_length=10, default="draft")
    applied_by = models.CharField(max_length=36, blank=True)
    decided_by = models.CharField(max_length=36, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    class Personal:
        """Seats are offices."""

        none = "a program of an agency or firm, and the seats that answer for it"


class OpenidAuthorization(models.Model):
    """One request of a relying party and what became of it; secrets are stored as digests.

    Indexes hold only rows that can be looked up by them, and no state: most requests are pushed, answered and redeemed
    within seconds, and each index that a row enters, leaves or moves in costs as much as the row itself.
    """

    id = models.CharField(primary_key=True, max_length=36)
    client = models.CharField(max_length=80)
    state = models.CharField(max_length=10)
    way = models.CharField(max_length=5)
    asked = models.JSONField()
    request_key = models.CharField(max_length=43, null=True, unique=True)
    browser = models.CharField(max_length=43, blank=True)
    code_key = models.CharField(max_length=43, null=True)
    code_expires_at = models.DateTimeField(null=True)
    subject = models.CharField(max_length=36, null=True)
    session = models.CharField(max_length=36, null=True)
    granted = models.JSONField(null=True)
    number = models.CharField(max_length=2, blank=True)
    ended = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    keep_until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("code_key",), condition=models.Q(code_key__isnull=False), name="identity_openid_code"
            ),
        )
        indexes = (
            models.Index(
                fields=("session",), condition=models.Q(session__isnull=False), name="identity_openid_session"
            ),
            models.Index(
                fields=("subject",), condition=models.Q(subject__isnull=False), name="identity_openid_subject"
            ),
        )

    class Personal:
        """Who signed in where."""

        fields: ClassVar = {
            "subject": "whose sign-in it is",
            "session": "to end it with the session",
            "granted": "what the person gave, and their pseudonym",
            "asked": "what was asked about the person",
        }
        retire = "deleted a day after nothing that came of it is valid any more"
        after = timedelta(days=1)
        since = "keep_until"


class OpenidToken(models.Model):
    """An access or refresh token, as a digest."""

    key = models.CharField(primary_key=True, max_length=43)
    kind = models.CharField(max_length=7)
    authorization = models.ForeignKey(OpenidAuthorization, models.CASCADE, related_name="tokens")
    client = models.CharField(max_length=80)
    scopes = models.CharField(max_length=500)
    bound = models.CharField(max_length=50, blank=True)
    audience = models.CharField(max_length=80, blank=True)
    sub = models.CharField(max_length=64, blank=True)
    actor = models.JSONField(null=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Personal:
        """A pseudonym after an exchange."""

        fields: ClassVar = {"sub": "for whom the next party sees the person"}
        retire = "deleted a day after it expired"
        after = timedelta(days=1)
        since = "expires_at"


class OpenidMark(models.Model):
    """A jti that was seen: shared by all processes, and remembered over restarts.

    They live for six minutes, so that a scan each minute finds the expired ones; an index would cost more.
    """

    key = models.CharField(primary_key=True, max_length=60)
    expires_at = models.DateTimeField()

    class Personal:
        """Random values of programs."""

        none = "digests of random ids that clients made"


class OpenidRelation(models.Model):
    """A person and a relying party: what was agreed, until when, and the generation of the pseudonym."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    subject = models.CharField(max_length=36)
    client = models.CharField(max_length=80)
    generation = models.PositiveIntegerField(default=0)
    scopes = models.JSONField(default=list)
    claims = models.JSONField(default=list)
    agreed_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "client"), name="identity_relation_once"),)

    class Personal:
        """Where a person signs in."""

        fields: ClassVar = {"subject": "whose agreement it is"}
        retire = "deleted 180 days after the agreement's last day"
        after = timedelta(days=180)
        since = "kept_until"


class OpenidLogout(models.Model):
    """A back-channel logout that is on its way to a relying party."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    client = models.CharField(max_length=80)
    sub = models.CharField(max_length=64)
    sid = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    arrived_at = models.DateTimeField(null=True)

    class Personal:
        """A pseudonym."""

        fields: ClassVar = {"sub": "whose session ended there"}
        retire = "deleted a week later"
        after = timedelta(days=7)
        since = "created_at"
