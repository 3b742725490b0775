"""Consent requests, consents, and the last log head that the portal has seen of each gateway."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.mydata.domain import ConsentItem
from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock
from smartgov.shared.ids import uuid7

_KEPT = timedelta(days=5 * 365)


class ConsentRequest(models.Model):
    """One consent page put before one person for one application, exactly as she saw it."""

    id = models.CharField(primary_key=True, max_length=36, default=uuid7)
    subject = models.CharField(max_length=64, db_index=True)
    application = models.CharField(max_length=36, db_index=True)
    digest = models.CharField(max_length=32)
    title = models.JSONField()
    items = models.JSONField()
    days = models.PositiveIntegerField()
    return_path = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("application", "digest"), name="mydata_same_question_once"),)

    class Personal:
        """Whose page it was."""

        fields: ClassVar = {"subject": "platform id of the person who was asked"}
        retire = "the row is deleted with its consents"
        after = _KEPT
        since = "created_at"

    @property
    def consent_items(self) -> tuple[ConsentItem, ...]:
        """What is asked, typed."""
        return tuple(ConsentItem.of(item) for item in self.items)


class Consent(models.Model):
    """A consent that was given; its id is the artefact's `jti`, under which gateways log its use."""

    id = models.CharField(primary_key=True, max_length=36, default=uuid7)
    request = models.ForeignKey(ConsentRequest, models.CASCADE, related_name="consents")
    subject = models.CharField(max_length=64, db_index=True)
    item = models.CharField(max_length=80)
    artefact = EncryptedTextField(context="mydata.consent.artefact")
    granted_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("request", "item"), condition=models.Q(revoked_at=None), name="mydata_one_active_consent"
            ),
        )

    class Personal:
        """Who allowed what."""

        fields: ClassVar = {
            "subject": "platform id of the person who agreed",
            "artefact": "the signed consent that providers check",
        }
        retire = "the artefact is emptied when it has expired; the row goes with its request"
        after = timedelta(days=0)

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Empty artefacts that nobody can use any more; that she agreed remains visible to her."""
        return cls.objects.filter(expires_at__lt=now).exclude(artefact="").update(artefact="")


class GatewayCheckpoint(models.Model):
    """The last head of a gateway's log that the portal has verified; the next one must be consistent with it."""

    origin = models.CharField(primary_key=True, max_length=120)
    member = models.CharField(max_length=60)
    note = models.TextField()
    size = models.PositiveBigIntegerField()
    seen_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Nothing."""

        none = "a signed size and hash of a whole log"
