"""What the operators' page reads: workers, the calendar, and deliveries that fail or are held back."""

from __future__ import annotations

from django.db.models import Count

from smartgov.blocks.ops.models import Delivery, Heartbeat, Occasion

FAILING_SHOWN = 50


def workers() -> list[Heartbeat]:
    """Every worker that beats, by name."""
    return list(Heartbeat.objects.order_by("worker"))


def occasions() -> list[Occasion]:
    """Periodic work by name, with its last and next run."""
    return list(Occasion.objects.order_by("name"))


def failing() -> list[Delivery]:
    """Deliveries that failed and will be tried again, the next one first."""
    found = Delivery.objects.filter(state=Delivery.PENDING, attempts__gt=0)
    return list(found.select_related("event").order_by("due_at")[:FAILING_SHOWN])


def is_delivery(number: int) -> bool:
    """Whether there is, or was, such a delivery."""
    return Delivery.objects.filter(id=number).exists()


def held_back() -> int:
    """Deliveries that cannot pass because an earlier one of their aggregate and listener is dead."""
    dead = Delivery.objects.filter(state=Delivery.DEAD).values("listener", "aggregate").annotate(n=Count("id"))
    return sum(
        Delivery.objects.filter(state=Delivery.PENDING, listener=row["listener"], aggregate=row["aggregate"]).count()
        for row in dead
    )
