"""Notices, one row for each person and event."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock
from smartgov.shared.ids import uuid7


class Notice(models.Model):
    """A notice on somebody's wall. `key` makes sending idempotent; both texts are JSON in two languages, encrypted."""

    class Personal:
        """What is personal here, and until when."""

        fields = {
            "subject": "platform id of the person who is told",
            "title": "what the notice is about",
            "body": "what happened, in words, with names of agencies and the person's own case",
        }
        retire = "the row is deleted"
        after = timedelta(days=730)
        since = "created_at"

    class MailState(models.TextChoices):
        """How far the e-mail is."""

        WAITING = "waiting"
        SENT = "sent"
        NONE = "none"

    id = models.CharField(primary_key=True, max_length=36, default=uuid7)
    key = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=64, db_index=True)
    template = models.CharField(max_length=60)
    title = EncryptedTextField(context="notify.notice.title")
    body = EncryptedTextField(context="notify.notice.body")
    mail_text = models.JSONField()
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)
    mail_state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.WAITING)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "-created_at"], name="notify_wall")]

    def __str__(self) -> str:
        return f"notice {self.id}"
