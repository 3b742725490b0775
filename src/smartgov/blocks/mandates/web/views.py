"""Pages: for whom one may act and who acts for one, giving and accepting a mandate, acting, and the way back."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.api import actor, permit, public
from smartgov.blocks.mandates import api
from smartgov.blocks.mandates.web import rows
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_SIGNING = "mandates_signing"


@require_http_methods(["GET", "POST"])
@permit("mandates.hold")
def mandates(request: HttpRequest) -> HttpResponse:
    """Both directions; a press of the button asks the registers for whom the person may act."""
    said, problem = "", None
    if request.method == "POST":
        try:
            said = _found(api.draw(actor=actor(request)))
        except Problem as refused:
            problem = refused
    views = [rows.row(view) for view in api.views(actor=actor(request))]
    context = {
        "mine": [row for row in views if row["view"].mine == "representative"],
        "others": [row for row in views if row["view"].mine == "represented"],
        "said": said,
        "problem": problem,
    }
    return render(request, "mandates/list.html", context, status=problem.status if problem else 200)


@require_GET
@permit("mandates.hold")
def mandate(request: HttpRequest, mandate: UUID) -> HttpResponse:
    """One mandate: its terms, its state, and what this side may do with it."""
    view = api.one(actor=actor(request), mandate=str(mandate))
    context = {**rows.row(view), "has_passkey": identity.has_passkey(request)}
    return render(request, "mandates/one.html", context)


@require_http_methods(["GET", "POST"])
@permit("mandates.hold")
def give(request: HttpRequest) -> HttpResponse:
    """Write a mandate; it is approved on its own page."""
    errors: dict[str, Text] = {}
    kinds = [kind for kind in api.catalogue().kinds.values() if not kind.evidence]
    if request.method == "POST":
        try:
            made = api.draft(
                actor=actor(request),
                kind=request.POST.get("kind", ""),
                to=request.POST.get("to", ""),
                to_name=request.POST.get("to_name", ""),
                scope=request.POST.getlist("scope"),
                until=_day(request.POST.get("until", "")),
            )
            return redirect("mandates:one", mandate=made)
        except Problem as problem:
            if problem.slug != "mandate-invalid":
                raise
            errors = {str(problem.extra["field"]): problem.what}
    context = {
        "kinds": [(kind.code, kind.title, rows.reach(kind)) for kind in kinds],
        "scopes": rows.scopes({code for kind in kinds for code in kind.scope}),
        "typed": {**request.POST.dict(), "scope": request.POST.getlist("scope")},
        "errors": errors,
    }
    return render(request, "mandates/give.html", context, status=422 if errors else 200)


@require_POST
@permit("mandates.hold")
def sign_options(request: HttpRequest, mandate: UUID) -> HttpResponse:
    """What the browser needs to have the terms signed with the giver's passkey."""
    view = api.one(actor=actor(request), mandate=str(mandate))
    request.session[_SIGNING] = view.id
    return JsonResponse(identity.begin_act(request, digest=view.digest))


@require_POST
@permit("mandates.hold")
def sign(request: HttpRequest) -> HttpResponse:
    """Take the passkey's signature over the mandate that was begun, and offer it to the other."""
    view = api.one(actor=actor(request), mandate=request.session.pop(_SIGNING, ""))
    proof = identity.finish_act(request, digest=view.digest)
    api.offer(actor=actor(request), mandate=view.id, proof=proof)
    return JsonResponse({"next": reverse("mandates:one", kwargs={"mandate": view.id})})


@require_POST
@permit("mandates.hold")
def answer(request: HttpRequest, mandate: UUID) -> HttpResponse:
    """Accept, refuse or end a mandate."""
    verb = {"accept": api.accept, "refuse": api.refuse, "end": api.end}.get(request.POST.get("do", ""))
    if verb is not None:
        verb(actor=actor(request), mandate=str(mandate))
    return redirect("mandates:list")


@require_POST
@permit("mandates.hold")
def act(request: HttpRequest, mandate: UUID) -> HttpResponse:
    """Act by a mandate from now on; the evidence is asked before."""
    represented = api.take_up(actor=actor(request), mandate=str(mandate))
    identity.take_up(request, represented=represented, mandate=str(mandate))
    return redirect("/")


@require_POST
@public("acting for oneself again needs no right; without a mandate taken up it does nothing")
def leave(request: HttpRequest) -> HttpResponse:
    """Act for oneself again; works whatever became of the mandate."""
    identity.lay_down(request)
    return redirect("/")


@require_GET
@permit("mandates.hold")
def receipt(request: HttpRequest, mandate: UUID) -> HttpResponse:
    """The mandate as a JSON file to keep: terms, what was signed, state."""
    view = api.one(actor=actor(request), mandate=str(mandate))
    response = HttpResponse(
        json.dumps(rows.receipt(view), ensure_ascii=False, indent=2), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="mandate-{view.id}.json"'
    return response


def _found(count: int) -> str:
    if not count:
        return _("The registers name nobody new for whom you may act.")
    return ngettext(
        "%(count)d new mandate was found in the registers.",
        "%(count)d new mandates were found in the registers.",
        count,
    ) % {"count": count}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
