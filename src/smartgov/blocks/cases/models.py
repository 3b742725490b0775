"""Tables of `cases`. Every row belongs to one agency, and every look-up filters by it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.cases.domain import State
from smartgov.blocks.cases.fields import EncryptedJSONField
from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids

KEPT = timedelta(days=365 * 5)


class Case(models.Model):
    """One part of an application, as the agency that decides it sees it. Its id is the application part's id."""

    id = models.CharField(primary_key=True, max_length=36)
    agency = models.CharField(max_length=40)
    number = models.CharField(max_length=30, unique=True)
    client = models.CharField(max_length=80)
    application = models.CharField(max_length=36)
    service = models.CharField(max_length=40)
    part = models.CharField(max_length=40)
    state = models.CharField(max_length=20, default=State.RECEIVED)
    version = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(default=clock.now)
    deadline = models.DateField()
    work_due_at = models.DateTimeField(null=True, default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    attention = models.CharField(max_length=40, blank=True)
    notification = models.CharField(max_length=64, blank=True)
    applicant = EncryptedTextField("cases.case.applicant")
    applicant_index = models.CharField(max_length=64)
    applicant_name = EncryptedTextField("cases.case.applicant_name", blank=True)
    representative = EncryptedJSONField("cases.case.representative", null=True)
    child = EncryptedTextField("cases.case.child", blank=True)
    answers = EncryptedJSONField("cases.case.answers", null=True)
    consents = EncryptedJSONField("cases.case.consents", null=True)
    facts = EncryptedJSONField("cases.case.facts", null=True)
    missing = models.JSONField(default=list)
    decision = EncryptedJSONField("cases.case.decision", null=True)
    rule_version = models.CharField(max_length=80, blank=True)
    followers = models.JSONField(default=list)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_by_person = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    cited = models.CharField(max_length=80, blank=True)
    reason = EncryptedTextField("cases.case.reason", blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=list(State)), name="cases_case_state"),
            models.CheckConstraint(
                condition=~models.Q(state__in=(State.APPROVED, State.REFUSED, State.DONE))
                | models.Q(decided_at__isnull=False),
                name="cases_case_decided_at",
            ),
        )
        indexes = (
            models.Index(fields=("agency", "state", "deadline"), name="cases_case_list"),
            models.Index(fields=("work_due_at",), name="cases_case_work"),
        )

    class Personal:
        """The case file."""

        fields: ClassVar = {
            "applicant": "who applied",
            "applicant_index": "finds her cases without showing her number",
            "representative": "who acted for her, by which mandate and on which evidence",
            "applicant_name": "officers address her by name",
            "child": "the number given to or read for the child",
            "answers": "what she answered",
            "consents": "what she allowed this agency to ask",
            "facts": "what the registers said",
            "decision": "values and explanation of the rule",
            "reason": "the officer's reasons",
        }
        retire = "personal columns are blanked five years after closing; number, dates and outcome remain"
        after = KEPT
        since = "closed_at"
        blanked = True


class Party(models.Model):
    """Somebody whom a case is about, found again by a blind index; parties never decide it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="parties")
    role = models.CharField(max_length=20)
    person = EncryptedTextField("cases.party.person")
    person_index = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "person_index"), name="cases_party_once"),)

    class Personal:
        """Who is concerned."""

        fields: ClassVar = {"person": "use records name her", "person_index": "finds her without showing her number"}
        retire = "deleted five years after the case was closed"
        after = KEPT
        since = "case__closed_at"


class Step(models.Model):
    """One line of a case's history; `state` is where it led. `public` lines are told to the applicant."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    case = models.ForeignKey(Case, models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=30)
    actor = models.CharField(max_length=120)
    public = models.BooleanField(default=True)
    note = EncryptedTextField("cases.step.note", blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("at", "id")

    class Personal:
        """Reasons may name people."""

        fields: ClassVar = {"note": "questions and reasons may name people"}
        retire = "notes are blanked five years after the case was closed"
        after = KEPT
        since = "case__closed_at"
        blanked = True


class Supplement(models.Model):
    """One question to the applicant, and her answer."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    case = models.ForeignKey(Case, models.CASCADE, related_name="supplements")
    question = EncryptedTextField("cases.supplement.question")
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=clock.now)
    due = models.DateField()
    answer = EncryptedTextField("cases.supplement.answer", blank=True)
    answered_at = models.DateTimeField(null=True)
    overdue = models.BooleanField(default=False)

    class Meta:
        ordering = ("asked_at",)

    class Personal:
        """Question and answer."""

        fields: ClassVar = {"question": "speaks of her application", "answer": "what she answered"}
        retire = "blanked five years after the case was closed"
        after = KEPT
        since = "case__closed_at"
        blanked = True


class RegisterWrite(models.Model):
    """One row that the decision writes into the agency's register; done once, however often it is tried."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="writes")
    position = models.PositiveSmallIntegerField()
    service = models.CharField(max_length=80)
    path = models.CharField(max_length=80)
    basis = models.CharField(max_length=80)
    subject = EncryptedTextField("cases.write.subject")
    row = EncryptedJSONField("cases.write.row", null=True)
    exchange = models.CharField(max_length=64, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("case", "position"), name="cases_write_once"),)

    class Personal:
        """What was written."""

        fields: ClassVar = {"subject": "whose row it is", "row": "what was written"}
        retire = "blanked five years after the case was closed"
        after = KEPT
        since = "case__closed_at"
        blanked = True


class AssignedNumber(models.Model):
    """A national id number given to a newborn: one a case, and no number twice."""

    case = models.OneToOneField(Case, models.SET_NULL, null=True, related_name="assigned")
    serial = models.PositiveIntegerField(unique=True)

    class Personal:
        """A serial with a case tells whose number it made."""

        fields: ClassVar = {"case": "says for whom the number was taken"}
        retire = "cut from its case five years after closing; the serial itself stays used"
        after = KEPT
        since = "case__closed_at"
        blanked = True


class Birth(models.Model):
    """A birth that a hospital notified here, or that the health agency announced to us."""

    agency = models.CharField(max_length=40)
    birth = models.CharField(max_length=64)
    mother = EncryptedTextField("cases.birth.mother")
    row = EncryptedJSONField("cases.birth.row", null=True)
    notified_at = models.DateTimeField(default=clock.now)
    recorded_at = models.DateTimeField(null=True)
    announced = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("agency", "birth"), name="cases_birth_once"),)

    class Personal:
        """A birth names the mother."""

        fields: ClassVar = {"mother": "to whom it is announced", "row": "what the hospital notified"}
        retire = "deleted after a year; the register keeps the birth"
        after = timedelta(days=365)
        since = "notified_at"
