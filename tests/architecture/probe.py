"""Addresses for the tests of errors: an API like ours with one operation that anybody may call, and one page."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST
from ninja import Schema
from ninja.errors import HttpError, Throttled

from smartgov.blocks.ops.api import public
from smartgov.shared.text import Text
from smartgov.site import machine, urls


class Parcel(Schema):
    """A body."""

    weight: int


api = machine.make_api("probe", Text("A probe", "探測"), "/api/probe")
RAISED: dict[str, Exception] = {
    "teapot": HttpError(418, "secret words of a library"),
    "throttled": Throttled(wait=7),
    "denied": PermissionDenied("secret words"),
    "suspicious": SuspiciousOperation("secret words"),
    "broken": RuntimeError("secret words"),
}


@api.post("/parcels")
def parcels(request: HttpRequest, parcel: Parcel) -> dict[str, int]:
    """Takes a body."""
    return {"weight": parcel.weight}


@api.get("/raise/{kind}")
def fail(request: HttpRequest, kind: str) -> dict[str, Any]:
    """Fails as told."""
    raise RAISED[kind]


@require_POST
@public("a test")
def page(request: HttpRequest) -> HttpResponse:
    """A form's target; reads it."""
    return HttpResponse(str(len(request.POST)))


handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
urlpatterns = [path("api/probe/", api.urls), path("probe/page", page), path("", include(urls.urlpatterns))]
