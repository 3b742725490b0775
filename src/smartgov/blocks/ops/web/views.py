"""Pages of `ops`: health for machines, status and dead letters for operators."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from smartgov.blocks.ops import api, outbox
from smartgov.blocks.ops.access import permit, public
from smartgov.blocks.ops.models import Delivery, Heartbeat, Occasion


@require_GET
@public("a supervisor asks whether the process answers; says nothing else")
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"live": True})


@require_GET
@public("load balancers ask before they send people here; holds counts only")
def health(request: HttpRequest) -> HttpResponse:
    """Whether the site can do its work; 503 when it cannot."""
    said = api.health()
    return JsonResponse(said, status=200 if said["healthy"] else 503)


@require_GET
@permit("ops.view")
def status(request: HttpRequest) -> HttpResponse:
    """Checks, workers, periodic work, and deliveries that wait or were given up."""
    context = {
        "health": api.health(),
        "workers": Heartbeat.objects.order_by("worker"),
        "occasions": Occasion.objects.order_by("name"),
        "dead": api.dead_letters(),
        "behind": _held_back(),
        "waiting": _waiting(),
    }
    return render(request, "ops/status.html", context)


def _waiting() -> list[Delivery]:
    failing = Delivery.objects.filter(state=Delivery.PENDING, attempts__gt=0)
    return list(failing.select_related("event").order_by("due_at")[:50])


def _held_back() -> int:
    """Deliveries that cannot pass because an earlier one of their aggregate and listener is dead."""
    dead = Delivery.objects.filter(state=Delivery.DEAD).values("listener", "aggregate").annotate(n=Count("id"))
    return sum(
        Delivery.objects.filter(state=Delivery.PENDING, listener=row["listener"], aggregate=row["aggregate"]).count()
        for row in dead
    )


@require_POST
@permit("ops.retry")
def retry(request: HttpRequest, delivery: int) -> HttpResponse:
    """Try a delivery again now."""
    get_object_or_404(Delivery, id=delivery, state__in=(Delivery.DEAD, Delivery.PENDING))
    outbox.retry(delivery)
    return redirect("ops:status")


@require_POST
@permit("ops.retry")
def drop(request: HttpRequest, delivery: int) -> HttpResponse:
    """Give up a dead letter for good."""
    get_object_or_404(Delivery, id=delivery, state=Delivery.DEAD)
    outbox.drop(delivery)
    return redirect("ops:status")
