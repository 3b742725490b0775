"""The page of a block's own OpenAPI document: doors for programs whose forms a specification fixes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_GET

from smartgov.blocks.ops.access import View, public


def served_document(document: Callable[[str], dict[str, Any]]) -> View:
    """A public view of what `document` says for this site's origin."""

    @require_GET
    @public("What the doors take and answer is no secret.")
    def view(request: HttpRequest) -> HttpResponseBase:
        return JsonResponse(document(settings.ORIGIN))

    return view
