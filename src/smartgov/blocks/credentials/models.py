"""Tables of `credentials`."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.credentials.domain import Status
from smartgov.blocks.ops.api import Calls, EncryptedTextField
from smartgov.shared import clock, ids


class Certificate(models.Model):
    """One e-certificate with its sealed document."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    code = models.CharField(max_length=16, unique=True)
    number = models.CharField(max_length=40)
    agency = models.CharField(max_length=40)
    template = models.CharField(max_length=40)
    title = models.JSONField()
    case = models.CharField(max_length=36)
    status = models.CharField(max_length=12, default=Status.PREPARING)
    holder = EncryptedTextField("credentials.certificate.holder")
    holder_index = models.CharField(max_length=64)
    holder_name = EncryptedTextField("credentials.certificate.holder_name")
    salt = models.CharField(max_length=32)
    mark = models.CharField(max_length=16)
    file_digest = models.CharField(max_length=64, blank=True)
    document = EncryptedTextField("credentials.certificate.document", blank=True)
    made_at = models.DateTimeField(default=clock.now)
    issued_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=80, blank=True)
    revoked_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agency", "template", "case"), name="credentials_certificate_once"),
            models.CheckConstraint(
                condition=~models.Q(status=Status.REVOKED) | models.Q(revoked_at__isnull=False),
                name="credentials_certificate_revoked_at",
            ),
        )

    class Personal:
        """The holder and her document."""

        fields: ClassVar = {
            "holder": "only she may fetch it",
            "holder_index": "finds her certificates without showing her number",
            "holder_name": "the public page shows a part of it",
            "document": "what she downloads",
        }
        retire = "blanked three years after it was made; code, number and status remain checkable"
        after = timedelta(days=365 * 3)
        since = "made_at"
        blanked = True


class Place(models.Model):
    """The place of one wallet credential in its agency's status list: nothing tells which of a batch it is."""

    agency = models.CharField(max_length=40)
    list_number = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    certificate = models.CharField(max_length=36)
    status = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agency", "list_number", "number"), name="credentials_place_once"),
        )
        indexes = (models.Index(fields=("certificate",), name="credentials_place_certificate"),)

    class Personal:
        """Nothing of its own."""

        none = "a place in a list, and the certificate's id, which names nobody once that is blanked"


class Kept(models.Model):
    """What the wallet protocols remember for minutes; found by the digest of a secret that is not kept."""

    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=64)
    value = EncryptedTextField("credentials.kept.value")
    until = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="credentials_kept_once"),)

    class Personal:
        """Offers, tokens, and presentations that wait to be looked at."""

        fields: ClassVar = {"value": "what an offer is for, or what a wallet has shown"}
        retire = "deleted a day after its minutes are over"
        after = timedelta(days=1)
        since = "until"


class Lookup(Calls):
    """How often an address asked the public page within a quarter of an hour, to slow down guessing."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("caller", "window"), name="credentials_lookup_once"),)

    class Personal:
        """A keyed digest of a network address."""

        fields: ClassVar = {"caller": "limits guessing; a keyed digest of the address"}
        retire = "deleted after a day"
        after = timedelta(days=1)
