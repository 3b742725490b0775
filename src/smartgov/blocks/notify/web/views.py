"""A person's notices, all of them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.notify import api


@permit("notify.wall")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Every notice, newest first."""
    return render(request, "notify/list.html", {"notices": api.wall(actor=actor(request))})


@permit("notify.wall")
@require_POST
def read(request: HttpRequest, notice: UUID) -> HttpResponse:
    """Mark as read, then go where the notice points."""
    view = api.mark_read(actor=actor(request), notice=str(notice))
    return HttpResponseRedirect(view.link or reverse("notify:list"))
