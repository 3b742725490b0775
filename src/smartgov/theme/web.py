"""The gallery: every component, in use, in both languages. Public, because it shows no data."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language

from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.theme import icons
from smartgov.theme.samples import samples

app_name = "theme"


def gallery(request: HttpRequest) -> HttpResponse:
    """The components as citizens see them, or with `?as=officer` in the density of officers' pages."""
    officer = request.GET.get("as") == "officer"
    return render(request, "theme/gallery.html", _context() | {"frame": _frame(officer=officer), "officer": officer})


def question(request: HttpRequest) -> HttpResponse:
    """A page of a form, with two errors and with a long label."""
    shown = samples()
    return render(request, "theme/gallery_question.html", {**shown, **_QUESTION, "errors": shown["wrong"]})


def problem(request: HttpRequest) -> HttpResponse:
    """The page of a problem."""
    sample: Problem = samples()["problem"]
    language = get_language() or "zh-hant"
    shown = sample.as_dict(language) | {"why": sample.why.in_language(language)}
    return render(request, "theme/problem.html", {"problem": shown})


_QUESTION: dict[str, Any] = {"back_url": "gallery", "step": 3, "steps_total": 8, "version": 4}


def _frame(*, officer: bool) -> str:
    return "theme/officer.html" if officer else "theme/citizen.html"


def _context() -> dict[str, Any]:
    today = clock.today()
    return samples() | {
        "icons": sorted(icons.PATHS),
        "now": clock.now(),
        "soon": today + timedelta(days=5),
        "far": today + timedelta(days=52),
        "past": today - timedelta(days=3),
        "page": Paginator(range(95), 20).page(2),
    }


# The gate of permissions asks each view for its declaration; the theme may not import the gate, so it says it here.
for _view in (gallery, question, problem):
    _view.smartgov_public = "shows components and sample texts only"  # type: ignore[attr-defined]

urlpatterns = [
    path("gallery", gallery, name="gallery"),
    path("gallery/question", question, name="gallery-question"),
    path("gallery/problem", problem, name="gallery-problem"),
]
