"""Life events, applications, their parts, steps, questions of agencies, and certificates."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.blocks.services import domain
from smartgov.shared import clock
from smartgov.shared.ids import uuid7

_DRAFT_KEPT = timedelta(days=90)
_KEPT = timedelta(days=5 * 365)


class LifeEvent(models.Model):
    """Something that an agency announced about a person. Without an account it waits under a blind index."""

    id = models.CharField(primary_key=True, max_length=36)
    subject = models.CharField(max_length=64, blank=True, db_index=True)
    person_index = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=40)
    happened_on = models.DateField()
    detail = EncryptedTextField(context="services.life_event.detail")
    source = models.CharField(max_length=20)
    announced_at = models.DateTimeField(default=clock.now)
    body_digest = models.CharField(max_length=64)

    class Personal:
        """Whose life."""

        fields: ClassVar = {
            "subject": "platform id of the person",
            "person_index": "keyed hash of the national id, to find the event when an account is opened",
            "happened_on": "date of the event",
            "detail": "where it happened and the announcing agency's record number",
        }
        retire = "the row is deleted; an application keeps its own copy of what it needs"
        after = timedelta(days=365)
        since = "announced_at"

    @property
    def facts(self) -> dict[str, Any]:
        """The announced details."""
        return dict(json.loads(self.detail or "{}"))


class Application(models.Model):
    """One person's application for one service. `version` counts saved pages; `page_versions` says which, when."""

    id = models.CharField(primary_key=True, max_length=36, default=uuid7)
    reference = models.CharField(max_length=10, db_index=True)
    subject = models.CharField(max_length=64, db_index=True)
    service = models.CharField(max_length=40)
    life_event = models.CharField(max_length=36, blank=True)
    happened_on = models.DateField(null=True)
    notification = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, default=domain.DRAFT)
    version = models.PositiveIntegerField(default=0)
    page_versions = models.JSONField(default=dict)
    answers_text = EncryptedTextField(context="services.application.answers", blank=True, default="")
    prepared_text = EncryptedTextField(context="services.application.prepared", blank=True, default="")
    prepared_at = models.DateTimeField(null=True)
    representative_text = EncryptedTextField(context="services.application.representative", blank=True, default="")
    consent_request = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    touched_at = models.DateTimeField(default=clock.now)
    submitted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("subject", "service", "life_event"),
                condition=~models.Q(state=domain.WITHDRAWN),
                name="services_one_application_an_event",
            ),
        )

    class Personal:
        """What a person told us."""

        fields: ClassVar = {
            "subject": "platform id of the applicant",
            "answers_text": "what the applicant typed",
            "representative_text": "who handed it in for the applicant, and by which mandate",
            "prepared_text": "facts that agencies fetched for this application",
            "happened_on": "date of the life event",
            "notification": "the announcing agency's record number",
        }
        retire = (
            "drafts are deleted after 90 days without a change; other answers are emptied after a year, rows after 5"
        )
        after = _DRAFT_KEPT

    @property
    def representative(self) -> dict[str, Any]:
        """Who handed it in for the applicant: subject, kind, mandate, evidence; empty when she did it herself."""
        return dict(json.loads(self.representative_text or "{}"))

    @property
    def answers(self) -> dict[str, Any]:
        """The saved answers by field."""
        return dict(json.loads(self.answers_text or "{}"))

    @answers.setter
    def answers(self, values: dict[str, Any]) -> None:
        self.answers_text = json.dumps(values, ensure_ascii=False)

    @property
    def prepared(self) -> dict[str, Any]:
        """What the agencies' preparations returned, by part."""
        return dict(json.loads(self.prepared_text or "{}"))

    @prepared.setter
    def prepared(self, values: dict[str, Any]) -> None:
        self.prepared_text = json.dumps(values, ensure_ascii=False)

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Delete stale drafts, empty what is a year old, delete what is five years old."""
        stale = cls.objects.filter(touched_at__lt=now - _DRAFT_KEPT).exclude(state=domain.SUBMITTED).delete()[0]
        old = cls.objects.filter(submitted_at__lt=now - timedelta(days=365))
        blank = dict.fromkeys(("answers_text", "prepared_text", "representative_text", "notification"), "")
        emptied = old.exclude(**blank, happened_on=None).update(**blank, happened_on=None)
        return stale + emptied + cls.objects.filter(submitted_at__lt=now - _KEPT).delete()[0]


class Part(models.Model):
    """One agency's share of an application. Its id is the case's id at the agency and the key against doubles."""

    id = models.CharField(primary_key=True, max_length=36, default=uuid7)
    application = models.ForeignKey(Application, models.CASCADE, related_name="parts")
    part = models.CharField(max_length=40)
    agency = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=domain.QUEUED)
    number = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    next_text = models.JSONField(null=True)
    next_by = models.DateField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("application", "part"), name="services_part_once"),)

    class Personal:
        """Nothing of its own."""

        none = "states and numbers of a case; goes with its application"


class Step(models.Model):
    """One line of the timeline: something an agency, or we, did."""

    id = models.CharField(primary_key=True, max_length=36)
    application = models.ForeignKey(Application, models.CASCADE, related_name="steps")
    part = models.ForeignKey(Part, models.CASCADE, null=True, related_name="steps")
    kind = models.CharField(max_length=24)
    at = models.DateTimeField()
    body_text = EncryptedTextField(context="services.step.body")
    body_digest = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("at", "recorded_at")

    class Personal:
        """What was decided about a person."""

        fields: ClassVar = {"body_text": "words, amounts and explanation of a decision"}
        retire = "the text is emptied five years after the step; the row goes with its application"
        after = _KEPT
        since = "at"
        blanked = True

    @property
    def body(self) -> dict[str, Any]:
        """Title, text, next, by, and what belongs to the kind."""
        return dict(json.loads(self.body_text or "{}"))


class Supplement(models.Model):
    """A question of an agency to the applicant, and her answer."""

    id = models.CharField(primary_key=True, max_length=36)
    part = models.ForeignKey(Part, models.CASCADE, related_name="supplements")
    asked_at = models.DateTimeField()
    due = models.DateField(null=True)
    question_text = EncryptedTextField(context="services.supplement.question")
    answer_text = EncryptedTextField(context="services.supplement.answer", blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Personal:
        """Question and answer."""

        fields: ClassVar = {"question_text": "what the agency asks", "answer_text": "what the applicant answered"}
        retire = "both are emptied a year after the question"
        after = timedelta(days=365)
        since = "asked_at"
        blanked = True

    @property
    def question(self) -> dict[str, Any]:
        """`ask` and `fields`."""
        return dict(json.loads(self.question_text or "{}"))

    def is_over(self, today: date) -> bool:
        """Whether the last day for an answer has passed without one."""
        return self.answered_at is None and self.due is not None and self.due < today

    @property
    def answer(self) -> dict[str, str]:
        """Her answers by field."""
        return dict(json.loads(self.answer_text or "{}"))


class Certificate(models.Model):
    """A certificate that an agency issued for an application; the document itself stays with the agency."""

    id = models.CharField(primary_key=True, max_length=64)
    part = models.ForeignKey(Part, models.CASCADE, related_name="certificates")
    title = models.JSONField()
    code = models.CharField(max_length=80, blank=True)
    issued_at = models.DateTimeField()

    class Personal:
        """Nothing of its own."""

        none = "number and kind of a document; goes with its application"
