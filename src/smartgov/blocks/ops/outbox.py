"""The outbox: events written with the change they tell of, and delivered to each listener at least once, in order.

A listener runs outside any transaction of ours, because it may call another agency; it must accept an event twice
(the event's id is its idempotency key). Its delivery is leased meanwhile, so that a killed worker's work is taken up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.module_loading import import_string

from smartgov.blocks.ops import domain
from smartgov.blocks.ops.domain import EmittedEvent, EventKind
from smartgov.blocks.ops.models import Delivery, Event
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

logger = structlog.get_logger()
LEASE = timedelta(minutes=5)
Listener = Callable[[EmittedEvent], object]
_declared: dict[str, EventKind] = {}


def declare_events(block: str, kinds: Mapping[str, domain.Fields]) -> None:
    """Tell the outbox which events `block` emits and which payload keys each carries (`apps.py` or `domain.py`)."""
    for name, fields in kinds.items():
        kind = EventKind(name, block, domain.field_names(fields))
        if _declared.get(name, kind) != kind:
            raise ValueError(f"event {name} is declared twice with different content")
        _declared[name] = kind


def declared_events() -> dict[str, EventKind]:
    """All declared events by name."""
    return dict(_declared)


def flows() -> dict[str, tuple[str, ...]]:
    """The site's map of event name to listeners (dotted paths); the Django setting SMARTGOV_FLOWS names another."""
    mapped: dict[str, tuple[str, ...]] = import_string(getattr(settings, "SMARTGOV_FLOWS", "smartgov.site.flows.FLOWS"))
    return mapped


def emit(name: str, *, aggregate: str, payload: Mapping[str, Any], actor: Actor) -> str:
    """Write the event for every listener mapped to it, in the caller's transaction; returns its id."""
    if not connection.in_atomic_block:
        raise RuntimeError("emit belongs into the transaction of the change it tells of")
    kind = _declared.get(name)
    if kind is None:
        raise ValueError(f"event {name} is not declared")
    domain.check_payload(kind, payload)
    event = Event.objects.create(
        name=name,
        version=kind.version,
        aggregate=aggregate,
        payload=dict(payload),
        actor=domain.actor_to_json(actor),
        happened_at=clock.now(),
    )
    listeners = [listener for listener in flows().get(name, ()) if _is_installed(listener)]
    Delivery.objects.bulk_create(
        Delivery(event=event, listener=listener, aggregate=aggregate, due_at=event.happened_at)
        for listener in listeners
    )
    return event.id


def dispatch(limit: int = 50, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Deliver what is due, at most `limit` and until `stop()` says so; returns how many deliveries succeeded."""
    done = 0
    for delivery in _due(limit):
        if stop():
            break
        if _lease(delivery):
            done += _deliver(delivery)
    return done


def _is_installed(listener: str) -> bool:
    parts = listener.split(".")
    return parts[:2] != ["smartgov", "blocks"] or parts[2] in getattr(settings, "BLOCKS", (parts[2],))


def _due(limit: int) -> list[Delivery]:
    earlier = Delivery.objects.filter(
        listener=OuterRef("listener"),
        aggregate=OuterRef("aggregate"),
        id__lt=OuterRef("id"),
        state__in=(Delivery.PENDING, Delivery.DEAD),
    )
    ready = _free().filter(due_at__lte=clock.now()).exclude(Exists(earlier))
    return list(ready.select_related("event").order_by("id")[:limit])


def _free() -> models.QuerySet[Delivery]:
    unleased = Q(leased_until__isnull=True) | Q(leased_until__lt=clock.now())
    return Delivery.objects.filter(unleased, state=Delivery.PENDING)


def _lease(delivery: Delivery) -> bool:
    taken = _free().filter(id=delivery.id, attempts=delivery.attempts)
    return bool(taken.update(leased_until=clock.now() + LEASE, attempts=delivery.attempts + 1))


def _deliver(delivery: Delivery) -> int:
    event = delivery.event
    emitted = EmittedEvent(event.name, event.aggregate, event.payload, domain.actor_from_json(event.actor), event.id)
    try:
        import_string(delivery.listener)(emitted)
    except Exception as error:
        _failed(delivery, error)
        return 0
    Delivery.objects.filter(id=delivery.id).update(
        state=Delivery.DONE, done_at=clock.now(), leased_until=None, problem=""
    )
    logger.info("event_delivered", name=event.name, listener=delivery.listener, id=event.id)
    return 1


def _failed(delivery: Delivery, error: Exception) -> None:
    attempts = delivery.attempts + 1
    # Who was slower than its lease says nothing any more: another worker has the delivery, or has done it.
    ours = Delivery.objects.filter(id=delivery.id, state=Delivery.PENDING, attempts=attempts)
    refused = domain.is_refusal(error)
    refusals = delivery.refusals + refused
    wait = domain.wait_after_refusal(refusals) if refused else domain.wait_after(attempts)
    dead = domain.is_dead(refusals=refusals)
    # Only the kind of an unforeseen error is kept: its text may hold data of a person.
    reason = error.slug if isinstance(error, Problem) else type(error).__name__
    ours.update(
        state=Delivery.DEAD if dead else Delivery.PENDING,
        refusals=refusals,
        due_at=clock.now() + wait,
        leased_until=None,
        problem=reason[:300],
    )
    known = isinstance(error, Problem)
    logger.warning(
        "delivery_failed",
        name=delivery.event.name,
        listener=delivery.listener,
        id=delivery.event_id,
        attempts=attempts,
        dead=dead,
        problem=reason,
        exc_info=None if known else error,
    )


def dead_letters() -> list[Delivery]:
    """Deliveries that were given up, oldest first; they hold back later ones of the same aggregate and listener."""
    return list(Delivery.objects.filter(state=Delivery.DEAD).select_related("event").order_by("id"))


@transaction.atomic
def retry(delivery_id: int) -> bool:
    """Put a dead or waiting delivery at the head of the queue again; False when there is no such delivery."""
    found = Delivery.objects.filter(id=delivery_id, state__in=(Delivery.DEAD, Delivery.PENDING))
    return bool(found.update(state=Delivery.PENDING, refusals=0, due_at=clock.now(), leased_until=None))


@transaction.atomic
def drop(delivery_id: int) -> bool:
    """Give up a dead letter for good, so that later events of its aggregate may pass; False when there is none."""
    found = Delivery.objects.filter(id=delivery_id, state=Delivery.DEAD)
    return bool(found.update(state=Delivery.DROPPED, done_at=clock.now()))
