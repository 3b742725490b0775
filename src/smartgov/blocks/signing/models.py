"""Tables of `signing`. Documents are encrypted at rest and leave after thirty days."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.ops.api import Calls, EncryptedTextField
from smartgov.blocks.signing import domain
from smartgov.blocks.signing.domain import BatchState, DocumentState
from smartgov.shared import clock, ids

ASKED_KEPT = timedelta(days=1)


class Document(models.Model):
    """A PDF on a person's desk, as it came and, once signed, as it went."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    subject = models.CharField(max_length=36)
    name = EncryptedTextField("signing.document.name")
    content = EncryptedTextField("signing.document.content")
    state = models.CharField(max_length=8, default=DocumentState.DRAFT)
    uploaded_at = models.DateTimeField(default=clock.now)
    shown_at = models.DateTimeField(null=True)
    signed = EncryptedTextField("signing.document.signed", blank=True)
    signed_at = models.DateTimeField(null=True)
    means = models.CharField(max_length=10, blank=True)
    level = models.CharField(max_length=4, blank=True)
    issuer = models.CharField(max_length=200, blank=True)
    stamped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("subject",), name="signing_document_subject"),)

    class Personal:
        """A person's documents."""

        fields: ClassVar = {
            "subject": "whose desk it lies on",
            "name": "the file's name, as its owner knows it",
            "content": "what she signs",
            "signed": "what she downloads",
        }
        retire = "deleted after thirty days"
        after = domain.KEPT_FOR
        since = "uploaded_at"


class Asked(models.Model):
    """What a person was asked for a signature, until the answer was used or came too late.

    Two tables have this shape, and stay two: a phone is asked for three kinds of things, by a nonce and a ticket of our
    own, and its answer is read and used in one step; a card or TW FidO is asked for documents alone, what came back is
    kept until its authority has spoken, and each column is sealed for its own table. In one table half of the columns
    would be empty in each row, and a constraint would have to say which half.
    """

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    subject = models.CharField(max_length=36)
    begun_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Approval(Asked):
    """A request that was sent to a person's phone: what it has to show, and what will be done with the answer."""

    kind = models.CharField(max_length=10)
    nonce = models.CharField(max_length=64)
    number = models.CharField(max_length=2)
    text = models.JSONField()
    task = EncryptedTextField("signing.approval.task")
    key_id = models.CharField(max_length=64)
    ticket = models.CharField(max_length=64)
    link = models.CharField(max_length=200, blank=True)
    document = models.CharField(max_length=36, blank=True)
    record = models.CharField(max_length=36, blank=True)
    prepared = EncryptedTextField("signing.approval.prepared", blank=True)

    class Personal:
        """What a person was asked to approve."""

        fields: ClassVar = {
            "subject": "whose phone was asked",
            "task": "what the phone shows and signs",
            "key_id": "which phone was asked",
            "prepared": "the document with an empty place for the signature",
        }
        retire = "deleted after a day"
        after = ASKED_KEPT
        since = "begun_at"


class StatePaper(Asked):
    """A document that was sent to be signed with a certificate of the state: by a card, or by TW FidO."""

    document = models.CharField(max_length=36)
    means = models.CharField(max_length=10)
    begun = EncryptedTextField("signing.paper.begun")
    prepared = EncryptedTextField("signing.paper.prepared")
    delivered = EncryptedTextField("signing.paper.delivered", blank=True)
    answer = EncryptedTextField("signing.paper.answer", blank=True)
    looked_at = models.DateTimeField(null=True)

    class Personal:
        """What a person was asked to sign, and what came back."""

        fields: ClassVar = {
            "subject": "whose document it is",
            "begun": "the document's name and how the card or the app was reached",
            "prepared": "the document with an empty place for the signature",
            "delivered": "the signature that the card's helper brought",
            "answer": "the same, once it was read",
        }
        retire = "deleted after a day"
        after = ASKED_KEPT
        since = "begun_at"


class OutsideAuthority(models.Model):
    """An authority elsewhere whose certificates are trusted here, and the head of its newest list that was taken in."""

    issuer = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    certificate = models.TextField()
    number = models.CharField(max_length=48, blank=True)
    this_update = models.DateTimeField(null=True)
    next_update = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64, blank=True)

    class Personal:
        """Nothing."""

        none = "an authority and the head of its public list"


class OutsideRevocation(models.Model):
    """One row of an outside authority's list."""

    issuer = models.CharField(max_length=64)
    serial = models.CharField(max_length=48)
    at = models.DateTimeField()
    reason = models.CharField(max_length=24)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("issuer", "serial"), name="signing_outside_once"),)

    class Personal:
        """Nothing."""

        none = "serial numbers of a public list"


class Check(Calls):
    """How often an address had files checked within a quarter of an hour."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("caller", "window"), name="signing_check_once"),)

    class Personal:
        """A keyed digest of a network address."""

        fields: ClassVar = {"caller": "limits the load; a keyed digest of the address"}
        retire = "deleted after a day"
        after = timedelta(days=1)


class Batch(models.Model):
    """Documents that an agency's gateway seals one after the other."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    agency = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    reason = models.CharField(max_length=100)
    begun_by = models.CharField(max_length=80)
    begun_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, default=BatchState.RUNNING)

    class Personal:
        """Nothing of its own."""

        none = "names an agency, a seat and counts; the documents are the items'"


class BatchItem(models.Model):
    """One document of a batch."""

    PENDING, SEALED, FAILED = "pending", "sealed", "failed"
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveIntegerField()
    name = EncryptedTextField("signing.item.name")
    content = EncryptedTextField("signing.item.content")
    sealed = EncryptedTextField("signing.item.sealed", blank=True)
    state = models.CharField(max_length=8, default=PENDING)
    leased_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("batch", "number"), name="signing_item_once"),)

    class Personal:
        """Documents that may name people."""

        fields: ClassVar = {
            "name": "the file's name",
            "content": "what is sealed",
            "sealed": "what the agency downloads",
        }
        retire = "deleted after thirty days, the batch's count stays"
        after = domain.KEPT_FOR
        since = "batch__begun_at"
