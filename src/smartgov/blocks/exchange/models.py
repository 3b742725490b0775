"""Tables of `exchange`, kept by the centre: who is on T-Road with which public keys, what is offered, who may ask.

T-Road ids (`TW/GOV/ris/cases`) are names that everybody uses, so they are the keys. No private key lies here.
"""

from __future__ import annotations

from django.db import models

from smartgov.blocks.exchange.domain import (
    NAME_LENGTH,
    Ability,
    Basis,
    Durability,
    RequestState,
    RightState,
    Visibility,
)
from smartgov.blocks.exchange.joining_models import (
    Certificate,
    CertificateOrder,
    JoinRequest,
    Reminder,
    SignedOffer,
    UsedLetter,
)
from smartgov.engines.troad.terms import BODY_BYTES, SECONDS
from smartgov.shared import clock, ids

__all__ = [
    "Certificate",
    "CertificateOrder",
    "Configuration",
    "Contract",
    "Gateway",
    "Issuer",
    "JoinRequest",
    "Member",
    "Reminder",
    "RevokedConsent",
    "Right",
    "RightRequest",
    "SealAuthority",
    "Service",
    "SignedOffer",
    "Subsystem",
    "UsedLetter",
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
    visibility_terms = models.JSONField(default=dict)  # days, until, order: as a signed offer words them
    endpoints = models.JSONField(default=list)
    contract = models.CharField(max_length=64, blank=True)  # SHA-256 of the document in force; see Contract
    body_bytes = models.PositiveIntegerField(default=BODY_BYTES)
    seconds = models.PositiveIntegerField(default=SECONDS)
    per_minute = models.PositiveIntegerField(default=0)
    per_day = models.PositiveIntegerField(default=0)
    durability = models.CharField(max_length=8, default=Durability.STRICT)
    retain_days = models.PositiveIntegerField(null=True)
    content = models.CharField(max_length=64, blank=True)  # SHA-256 of what the content folder last said of it
    published_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(visibility__in=[*Visibility]), name="exchange_service_visibility"
            ),
            models.CheckConstraint(
                condition=models.Q(durability__in=[*Durability]), name="exchange_service_durability"
            ),
        )

    class Personal:
        """Descriptions only."""

        none = "descriptions of services, no answers of theirs"


class Contract(models.Model):
    """An OpenAPI document as a service published it; never changed, and kept when another one takes its place."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="contracts")
    digest = models.CharField(max_length=64)
    document = models.TextField()
    title = models.CharField(max_length=200)
    title_zh = models.CharField(max_length=200, blank=True)  # where the document gives a pair
    version = models.CharField(max_length=60)
    findings = models.JSONField(default=list)
    accepted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("service", "digest"), name="exchange_contract_once"),)

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
    visibility = models.CharField(max_length=24, blank=True)  # empty: as its service declares
    visibility_terms = models.JSONField(default=dict)
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


class RightRequest(models.Model):
    """A consumer's wish for a right, with its ground; the provider's officer grants or refuses it."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    client = models.ForeignKey(Subsystem, models.PROTECT, related_name="requests")
    service = models.ForeignKey(Service, models.PROTECT, related_name="requests")
    endpoints = models.JSONField()
    basis = models.CharField(max_length=12)
    basis_code = models.CharField(max_length=NAME_LENGTH, blank=True)
    fields = models.JSONField(null=True)
    purpose = models.CharField(max_length=200)
    explanation = models.CharField(max_length=500, blank=True)
    wanted_until = models.DateField(null=True)
    state = models.CharField(max_length=12, default=RequestState.ASKED)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=80)  # a seat or a system
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    right = models.OneToOneField(Right, models.PROTECT, null=True, related_name="request")

    class Meta:
        indexes = (models.Index(fields=("state", "asked_at"), name="exchange_request_state"),)
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=[*RequestState]), name="exchange_request_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state=RequestState.GRANTED) | models.Q(right__isnull=False),
                name="exchange_request_right",
            ),
        )

    class Personal:
        """Of systems; officers by their seats only."""

        none = "fields and purposes, no values; seats stand for officers, as in the audit entries"


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
