"""Tables of `audit`: entries that are only ever added, and use records on their way to the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids


class AppendOnly(models.QuerySet[Any]):
    """A query set that cannot change what is written; the database refuses it too (migration 0002)."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("audit entries are never changed")


class Entry(models.Model):
    """Who did what to which object, written in the transaction of the deed."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    at = models.DateTimeField(default=clock.now, db_index=True)
    kind = models.CharField(max_length=8)
    subject = models.CharField(max_length=36, blank=True)
    seat = models.CharField(max_length=36, blank=True)
    system = models.CharField(max_length=80, blank=True)
    agency = models.CharField(max_length=32, blank=True, db_index=True)
    acting_for = models.CharField(max_length=36, blank=True)
    assurance = models.PositiveSmallIntegerField(default=0)
    action = models.CharField(max_length=80)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    detail = models.JSONField(default=dict)

    objects = AppendOnly.as_manager()

    class Meta:
        indexes = (models.Index(fields=("object_type", "object_id"), name="audit_entry_object"),)

    class Personal:
        """Our ids point at persons."""

        fields: ClassVar = {"subject": "who acted", "acting_for": "for whom", "seat": "the seat in which they acted"}
        retire = "deleted when the retention period of the record of administration ends"
        after = timedelta(days=365 * 10)
        since = "at"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry; an existing one is never written again."""
        if not self._state.adding:
            raise TypeError("audit entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused; only retirement deletes, by age."""
        raise TypeError("audit entries are deleted by retirement only")


class UseRecord(models.Model):
    """Somebody read a person's data in this site. The person's id leaves once the record is in the ledger."""

    PENDING, SEQUENCED = "pending", "sequenced"

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    agency = models.CharField(max_length=32)
    national_id = EncryptedTextField(context="audit.use_record.national_id", blank=True)
    actor = models.CharField(max_length=80)
    fields = models.JSONField(default=list)
    purpose = models.CharField(max_length=200)
    basis = models.CharField(max_length=80, blank=True)
    case = models.CharField(max_length=80, blank=True)
    request = models.CharField(max_length=80, blank=True)
    used_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=9, default=PENDING)
    ledger_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = (models.Index(fields=("state", "agency", "used_at"), name="audit_use_pending"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state="pending", ledger_index__isnull=True)
                | models.Q(state="sequenced", ledger_index__isnull=False, national_id=""),
                name="audit_use_blanked",
            ),
        )

    class Personal:
        """Whose data was read, until the ledger holds it."""

        fields: ClassVar = {"national_id": "whose data was read", "actor": "the seat that read it"}
        retire = "the id is erased as soon as the ledger holds the record; the rest is deleted later"
        after = timedelta(days=90)

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Delete sequenced records after 90 days: the ledger is their home."""
        return cls.objects.filter(state=cls.SEQUENCED, used_at__lt=now - cls.Personal.after).delete()[0]
