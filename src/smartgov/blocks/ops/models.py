"""Tables of `ops`: the outbox, the worker's calendar and the release that this database was last used with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from smartgov.shared import clock, ids


class Event(models.Model):
    """Something that happened in a block, written in the transaction in which it happened."""

    id = models.CharField(primary_key=True, max_length=36, default=ids.uuid7)
    name = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1)
    aggregate = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    actor = models.JSONField(default=dict)
    happened_at = models.DateTimeField(default=clock.now)

    class Personal:
        """Ids of ours, which point at persons."""

        fields: ClassVar = {"payload": "ids of subjects and cases", "actor": "the id of who acted"}
        retire = "deleted when every listener has had it"
        after = timedelta(days=30)

    @classmethod
    def retire(cls, now: datetime) -> int:
        """Delete events older than 30 days that nobody still waits for."""
        old = cls.objects.filter(happened_at__lt=now - cls.Personal.after)
        count, _ = old.exclude(deliveries__state__in=(Delivery.PENDING, Delivery.DEAD)).delete()
        return count


class Delivery(models.Model):
    """One event on its way to one listener; the number gives the order within an aggregate."""

    PENDING, DONE, DEAD, DROPPED = "pending", "done", "dead", "dropped"

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    listener = models.CharField(max_length=200)
    aggregate = models.CharField(max_length=80)
    state = models.CharField(max_length=8, default=PENDING)
    attempts = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    leased_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("event", "listener"), name="ops_delivery_once"),)
        indexes = (
            models.Index(fields=("state", "due_at"), name="ops_delivery_due"),
            models.Index(fields=("listener", "aggregate", "state"), name="ops_delivery_order"),
        )

    class Personal:
        """Nothing of its own."""

        none = "names an event and a listener; goes with its event"


class Occasion(models.Model):
    """When a periodic task is next due, so that several workers do it once."""

    name = models.CharField(primary_key=True, max_length=120)
    due_at = models.DateTimeField()
    ran_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Personal:
        """Nothing."""

        none = "a calendar of programs"


class Heartbeat(models.Model):
    """A worker's last sign of life."""

    worker = models.CharField(primary_key=True, max_length=80)
    beat_at = models.DateTimeField()

    class Personal:
        """Nothing."""

        none = "names of processes"


class Release(models.Model):
    """The platform's release with which this database was last used."""

    name = models.CharField(primary_key=True, max_length=20, default="smartgov")
    version = models.CharField(max_length=40)
    since = models.DateTimeField(default=clock.now)

    class Personal:
        """Nothing."""

        none = "a version number"
