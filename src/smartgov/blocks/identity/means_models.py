"""Tables of the means with certificates: requests that are open, and whose certificate is whose."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from smartgov.blocks.ops.api import EncryptedTextField
from smartgov.shared import clock, ids


class Proving(models.Model):
    """One attempt to prove oneself with a card or a mobile certificate: bound to a browser, short-lived, used once."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    browser = models.CharField(max_length=64)
    means = models.CharField(max_length=10)
    way = models.CharField(max_length=10, blank=True)
    nonce = models.CharField(max_length=64, unique=True)
    number = models.CharField(max_length=2)
    text = models.JSONField(default=dict)
    opened = EncryptedTextField("identity.proving.opened", blank=True)
    delivered = EncryptedTextField("identity.proving.delivered", blank=True)
    account = models.ForeignKey("identity.Account", models.CASCADE, null=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Personal:
        """Who was asked, and what the person's device answered."""

        fields: ClassVar = {
            "account": "whose device was asked",
            "opened": "the pseudonym under which the service knows the person",
            "delivered": "the certificate that the card answered with",
        }
        retire = "deleted a day after it expired"
        after = timedelta(days=1)
        since = "expires_at"


class CitizenCertificate(models.Model):
    """Whose certificate is whose: the authority's number for a person, bound once after the authority confirmed it."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    account = models.ForeignKey("identity.Account", models.CASCADE, related_name="citizen_certificates")
    means = models.CharField(max_length=10)
    authority = models.CharField(max_length=64)
    number_index = models.CharField(max_length=64)
    certificate = EncryptedTextField("identity.citizen_certificate.certificate")
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("means", "authority", "number_index"), name="identity_certificate_once"),
        )

    class Personal:
        """A person's certificate."""

        fields: ClassVar = {
            "number_index": "to recognise the person by the authority's number",
            "certificate": "to lay out what the person signs next",
        }
        retire = "deleted after the account was closed"
        after = timedelta(days=180)
        since = "account__closed_at"
