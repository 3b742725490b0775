"""The first page of a process without the citizen's side: officers go straight to their work."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from smartgov.blocks.identity.api import public


@public("leads to the page where this process's people begin; shows nothing itself")
def home(request: HttpRequest) -> HttpResponse:
    """To the work list where there is one, else to the list of agencies."""
    return redirect("cases:work_list" if "cases" in settings.BLOCKS else "directory:agencies")
