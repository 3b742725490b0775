"""Tables of `exchange`, kept by the centre: who is on T-Road with which public keys, what is offered, who may ask.

T-Road ids (`TW/GOV/ris/cases`) are names that everybody uses, so they are the keys. No private key lies here.
"""

from __future__ import annotations

from django.db import models

from smartgov.blocks.exchange.domain import NAME_LENGTH, Ability, Basis, RightState, Visibility
from smartgov.blocks.exchange.joining_models import Certificate, CertificateOrder, JoinRequest, SignedOffer
from smartgov.shared import clock, ids

__all__ = [
    "Certificate",
    "CertificateOrder",
    "Configuration",
    "Gateway",
    "Issuer",
    "JoinRequest",
    "Member",
    "RevokedConsent",
    "Right",
    "SealAuthority",
    "Service",
    "SignedOffer",
    "Subsystem",
]


class Member(models.Model):
    """An agency on T-Road."""

    id = models.CharField(primary_key=True, max_length=NAME_LENGTH)
    name = models.JSONField()
    joined_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Agencies only."""

        none = "agencies, no persons"


class Gateway(models.Model):
    """A member's gateway; `described` is what it says of itself in public: address, certificate, public keys."""

    id = models.CharField(primary_key=True, max_length=NAME_LENGTH)
    member = models.ForeignKey(Member, models.PROTECT, related_name="gateways")
    described = models.JSONField()
    tls_fingerprint = models.CharField(max_length=64, unique=True)
    message_key = models.CharField(max_length=43, unique=True)  # its JWK thumbprint (RFC 7638)
    certificate_expires_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Machines only."""

        none = "addresses and public keys of machines"


class Subsystem(models.Model):
    """One information system of a member; calls are made, and services offered, in its name."""

    id = models.CharField(primary_key=True, max_length=NAME_LENGTH)
    member = models.ForeignKey(Member, models.PROTECT, related_name="subsystems")
    registered_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Information systems only."""

        none = "names of information systems"


class Service(models.Model):
    """What a subsystem offers; `related` are the JSON keys under which a request may name other persons."""

    id = models.CharField(primary_key=True, max_length=NAME_LENGTH)
    subsystem = models.ForeignKey(Subsystem, models.PROTECT, related_name="services")
    personal = models.BooleanField(default=True)
    related = models.JSONField(default=list)
    visibility = models.CharField(max_length=24, default=Visibility.OWN)
    endpoints = models.JSONField(default=list)
    published_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(visibility__in=[*Visibility]), name="exchange_service_visibility"
            ),
        )

    class Personal:
        """Descriptions only."""

        none = "descriptions of services, no answers of theirs"


class Right(models.Model):
    """What one subsystem may ask of one service, on which ground; the words of a right in force never change.

    `origin` names what a right follows from (`catalogue/birth`), empty for one that somebody asked for by itself.
    """

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    client = models.ForeignKey(Subsystem, models.PROTECT, related_name="rights")
    service = models.ForeignKey(Service, models.PROTECT, related_name="rights")
    endpoints = models.JSONField()
    basis = models.CharField(max_length=12)
    basis_code = models.CharField(max_length=NAME_LENGTH, blank=True)
    citation = models.CharField(max_length=300, blank=True)
    fields = models.JSONField(null=True)
    purpose = models.CharField(max_length=200)
    origin = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=12, default=RightState.GRANTED)
    granted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = (models.Index(fields=("state", "expires_at"), name="exchange_right_state"),)
        constraints = (
            models.CheckConstraint(condition=models.Q(basis__in=[*Basis]), name="exchange_right_basis"),
            models.CheckConstraint(
                condition=~models.Q(basis=Basis.STATUTE) | ~models.Q(basis_code=""), name="exchange_right_statute"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=RightState.GRANTED) | models.Q(granted_at__isnull=False, ended_at=None),
                name="exchange_right_granted",
            ),
        )

    class Personal:
        """What systems may ask."""

        none = "fields and purposes, no values; who decided stands in the audit entries"


class Issuer(models.Model):
    """A member whose gateway signs consents or trail tokens, and the public key that proves them."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="issuers")
    ability = models.CharField(max_length=8)
    key = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("member", "ability"), name="exchange_issuer_once"),
            models.CheckConstraint(condition=models.Q(ability__in=[*Ability]), name="exchange_issuer_ability"),
        )

    class Personal:
        """Public keys."""

        none = "public keys of members"


class SealAuthority(models.Model):
    """The certificate authority whose seals every verifier trusts."""

    fingerprint = models.CharField(primary_key=True, max_length=64)
    certificate = models.TextField()
    registered_at = models.DateTimeField(default=clock.now)

    class Personal:
        """A certificate of the state."""

        none = "a public certificate"


class RevokedConsent(models.Model):
    """The id of a consent that was taken back and has not expired; every gateway refuses it."""

    id = models.CharField(primary_key=True, max_length=NAME_LENGTH)

    class Personal:
        """Whose consent it was is known to `mydata` alone."""

        none = "random ids; the portal deletes them when the consent would have expired"


class Configuration(models.Model):
    """One row: which state of the tables is published. Whoever changes or publishes holds its lock.

    `revision` counts changes; `published_revision` is the one that the gateways were given.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.PositiveBigIntegerField(default=0)
    published_revision = models.PositiveBigIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=0)
    issued_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="exchange_configuration_single"),)

    class Personal:
        """Numbers and times."""

        none = "numbers and times"
