"""Mandates, and the businesses that people act for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.mandates.domain import State
from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids

KEPT = timedelta(days=365 * 5)


class Mandate(models.Model):
    """One person's right to act for another. `terms` and `proof` (JSON) are what a giver signed, and how."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=10, default=State.DRAFT)
    represented = models.CharField(max_length=36, db_index=True)
    representative = models.CharField(max_length=36, db_index=True, blank=True)
    represented_name = EncryptedTextField("mandates.mandate.represented_name", blank=True)
    representative_name = EncryptedTextField("mandates.mandate.representative_name", blank=True)
    scope = models.JSONField(default=list)
    terms = EncryptedTextField("mandates.mandate.terms", blank=True)
    proof = EncryptedTextField("mandates.mandate.proof", blank=True)
    made_at = models.DateTimeField(default=clock.now)
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    by_birthday = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=64, blank=True)
    is_given = models.BooleanField(default=False)
    over = models.CharField(max_length=20, blank=True)
    over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=list(State)), name="mandates_state"),
            # Two looks into the registers at once draw one mandate.
            models.UniqueConstraint(
                fields=("kind", "represented", "representative"),
                condition=models.Q(state="active", is_given=False),
                name="mandates_drawn_once",
            ),
        )

    class Personal:
        """Who acts for whom."""

        fields: ClassVar = {
            "represented": "whose matters",
            "representative": "who acts",
            "represented_name": "the bar on every page says for whom",
            "representative_name": "the represented sees who acts",
            "terms": "what was given",
            "proof": "that it was given with the giver's passkey",
        }
        retire = "deleted five years after it was over; one never accepted after the same time"
        after = KEPT

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Delete mandates that were over, or drafted and never accepted, five years ago."""
        old = now - cls.Personal.after
        over = models.Q(over_at__lt=old) | models.Q(
            state__in=(State.DRAFT, State.OFFERED, State.REFUSED), made_at__lt=old
        )
        return cls.objects.filter(over).delete()[0]


class Business(models.Model):
    """A business as somebody who can be acted for: a subject of its own under its business number."""

    subject = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    number = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=60)

    class Personal:
        """None."""

        none = "a business in a public register"
