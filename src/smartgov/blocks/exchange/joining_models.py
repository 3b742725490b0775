"""Tables of joining: who asked, what was ordered and issued, what members signed. No private key lies here."""

from __future__ import annotations

from django.db import models

from smartgov.blocks.exchange.domain import NAME_LENGTH, JoinState, OrderState
from smartgov.shared import clock, ids

_HEX = 64  # characters of a SHA-256


class JoinRequest(models.Model):
    """A letter by which a gateway asks to join; its fingerprint is what two people compare."""

    id = models.CharField(primary_key=True, max_length=_HEX)
    member = models.CharField(max_length=NAME_LENGTH)
    gateway = models.CharField(max_length=NAME_LENGTH)
    letter = models.JSONField()
    replaces = models.BooleanField(default=False)  # keys of a member that is on T-Road already
    by_root = models.BooleanField(default=False)  # proven by the root keys: gateways wait 72 hours and raise an alarm
    state = models.CharField(max_length=12, default=JoinState.PENDING)
    received_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=NAME_LENGTH, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("member",),
                condition=models.Q(state__in=(JoinState.PENDING, JoinState.APPROVED)),
                name="exchange_join_one_open",
            ),
            models.CheckConstraint(condition=models.Q(state__in=[*JoinState]), name="exchange_join_state"),
        )

    class Personal:
        """An office and its telephone."""

        none = "offices and public keys; the seat that decided stands in the audit entries too"


class CertificateOrder(models.Model):
    """A certificate that a gateway ordered with a letter, or that an approved request needs."""

    id = models.CharField(primary_key=True, max_length=_HEX)
    gateway = models.CharField(max_length=NAME_LENGTH)
    tls_key = models.JSONField()
    join = models.ForeignKey(JoinRequest, models.PROTECT, null=True, related_name="orders")
    state = models.CharField(max_length=12, default=OrderState.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    ordered_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = (models.Index(fields=("gateway", "ordered_at"), name="exchange_order_gateway"),)
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=[*OrderState]), name="exchange_order_state"),
        )

    class Personal:
        """Machines only."""

        none = "public keys of machines"


class Certificate(models.Model):
    """A certificate that the centre's authority issued to a gateway."""

    serial = models.CharField(primary_key=True, max_length=50)
    gateway = models.CharField(max_length=NAME_LENGTH, db_index=True)
    order = models.OneToOneField(CertificateOrder, models.PROTECT, related_name="certificate")
    pem = models.TextField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)

    class Personal:
        """Machines only."""

        none = "public certificates of machines"


class SignedOffer(models.Model):
    """What a member elsewhere signed last: its services, the rights to them, and its gateways' keys."""

    member = models.CharField(primary_key=True, max_length=NAME_LENGTH)
    offer = models.JSONField()
    version = models.PositiveBigIntegerField()
    handed_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Descriptions only."""

        none = "descriptions of services and rights"


class UsedLetter(models.Model):
    """A letter that was acted on, remembered for as long as it is fresh: it works once."""

    digest = models.CharField(primary_key=True, max_length=_HEX)
    used_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Digests only."""

        none = "digests of letters between machines"


class Reminder(models.Model):
    """A stage before the end of a right or certificate at which people were told: once for each."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    kind = models.CharField(max_length=12)
    object_id = models.CharField(max_length=50)
    ends_at = models.DateTimeField()
    stage = models.CharField(max_length=8)
    told_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "object_id", "ends_at", "stage"), name="exchange_reminder_once"),
        )

    class Personal:
        """Ids of rights and certificates only."""

        none = "ids of rights and certificates of machines"
