"""Tables of `payments`: instructions, batches, and the bank's files that were applied."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.blocks.payments.domain import BatchState, Line, State
from smartgov.shared import clock, ids


class Batch(models.Model):
    """Instructions that are released together by the digest of all their lines."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    agency = models.CharField(max_length=40)
    state = models.CharField(max_length=12, default=BatchState.PREPARED)
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    total = models.PositiveBigIntegerField()
    prepared_by = models.CharField(max_length=80)
    prepared_by_person = models.CharField(max_length=80)
    prepared_at = models.DateTimeField(default=clock.now)
    released_by = models.CharField(max_length=80, blank=True)
    released_by_person = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=200, blank=True)
    problem = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(released_by_person="")
                | ~models.Q(released_by_person=models.F("prepared_by_person")),
                name="payments_batch_two_persons",
            ),
        )
        indexes = (models.Index(fields=("agency", "state"), name="payments_batch_state"),)

    class Personal:
        """Officers only, by pseudonym; kept as long as accounting law asks."""

        none = "names officers by the platform's own ids, as accounts must be able to show"


class Instruction(models.Model):
    """One payment to one account. `decided_by` and `corrected_by` are persons who may not release it."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    agency = models.CharField(max_length=40)
    case = models.CharField(max_length=36)
    idempotency_key = models.CharField(max_length=120)
    reference = models.CharField(max_length=20, unique=True)
    payee_name = EncryptedTextField("payments.instruction.payee_name")
    bank_code = EncryptedTextField("payments.instruction.bank_code")
    account = EncryptedTextField("payments.instruction.account")
    amount = models.PositiveBigIntegerField()
    purpose = models.CharField(max_length=120)
    state = models.CharField(max_length=12, default=State.READY)
    reason = models.CharField(max_length=60, blank=True)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="instructions")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    decided_by = models.CharField(max_length=80, blank=True)
    corrected_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agency", "idempotency_key"), name="payments_instruction_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payments_instruction_amount"),
            models.CheckConstraint(
                condition=models.Q(state__in=(State.READY, State.CANCELLED, State.REPLACED))
                | models.Q(batch__isnull=False),
                name="payments_instruction_in_batch",
            ),
        )
        indexes = (
            models.Index(fields=("agency", "state"), name="payments_instruction_state"),
            models.Index(fields=("agency", "case"), name="payments_instruction_case"),
        )

    class Personal:
        """Who is paid, and where."""

        fields: ClassVar = {
            "payee_name": "the bank needs the holder's name",
            "bank_code": "where the money goes",
            "account": "where the money goes",
        }
        retire = "name and account are blanked; amounts stay in the accounts"
        after = timedelta(days=365 * 10)  # Accounting Act (會計法) art. 83: vouchers are kept ten years

    def line(self) -> Line:
        """What the bank is told."""
        return Line(self.reference, self.payee_name, self.bank_code, self.account, self.amount, self.purpose)

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Blank payee and account of payments that ended ten years ago."""
        ended = (State.SETTLED, State.REPLACED, State.CANCELLED)
        old = cls.objects.filter(changed_at__lt=now - cls.Personal.after, state__in=ended).exclude(account="")
        return old.update(payee_name="", bank_code="", account="")


class BankFile(models.Model):
    """A result file that was applied; its digest is unique, so the same file cannot be applied again."""

    digest = models.CharField(primary_key=True, max_length=64)
    agency = models.CharField(max_length=40)
    batch = models.OneToOneField(Batch, models.PROTECT, related_name="file")
    paid = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    applied_by = models.CharField(max_length=80)
    applied_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Nothing."""

        none = "a digest and two counts"
