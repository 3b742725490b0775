"""Pages of `ops`: health for machines, status and dead letters for operators."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from smartgov import __version__
from smartgov.blocks.ops import api, manifest, outbox, selectors
from smartgov.blocks.ops.access import current_gate, permit, public
from smartgov.blocks.ops.health import words_of
from smartgov.blocks.ops.web import words
from smartgov.shared.text import Text
from smartgov.theme.words import bilingual, with_code, write_time


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
    checks, jobs = api.checks(), manifest.jobs()
    events, listeners = manifest.events(), manifest.listeners()
    context = {
        "healthy": all(check.ok for check in checks),
        "version": __version__,
        "check_columns": [_("Check"), _("State"), _("Detail")],
        "check_rows": [
            (
                words_of(check.name),
                _("works") if check.ok else _("fails"),
                bilingual(check.words) or check.detail or "–",
            )
            for check in checks
        ],
        "workers": selectors.workers(),
        "work_columns": [_("Work"), _("Last run"), _("Next run"), _("Problem")],
        "work_rows": [
            (jobs.get(row.name) or row.name, write_time(row.ran_at) or "–", write_time(row.due_at), row.problem or "–")
            for row in selectors.occasions()
        ],
        "dead": [
            (one, events.get(one.event.name), listeners.get(one.listener), words.of_problem(one.problem))
            for one in api.dead_letters()
        ],
        "behind": selectors.held_back(),
        "may_retry": current_gate().may(request, "ops.retry"),
        "waiting_columns": [_("Event"), _("Listener"), _("Problem"), _("Attempts"), _("Next attempt")],
        "waiting_rows": _waiting(),
    }
    return render(request, "ops/status.html", context)


def _waiting() -> list[tuple[SafeString, SafeString, SafeString, int, str]]:
    events, listeners = manifest.events(), manifest.listeners()
    return [
        (
            _said(events.get(row.event.name), row.event.name),
            _said(listeners.get(row.listener), row.listener),
            with_code(words.of_problem(row.problem), row.problem),
            row.attempts,
            write_time(row.due_at),
        )
        for row in selectors.failing()
    ]


def _said(words: Text | None, code: str) -> SafeString:
    return with_code(words, code) if words else with_code(code, "")


@require_POST
@permit("ops.retry")
def retry(request: HttpRequest, delivery: int) -> HttpResponse:
    """Try a delivery again now; one that was taken up since, as after a second press, is left alone."""
    if not outbox.retry(delivery) and not selectors.is_delivery(delivery):
        raise Http404
    return redirect("ops:status")


@require_POST
@permit("ops.retry")
def drop(request: HttpRequest, delivery: int) -> HttpResponse:
    """Give up a dead letter for good; one that is none any more is left alone."""
    if not outbox.drop(delivery) and not selectors.is_delivery(delivery):
        raise Http404
    return redirect("ops:status")
