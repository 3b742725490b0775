"""An officer asks for a credential: choose what, show the code, see what the wallet shows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.credentials import api
from smartgov.blocks.credentials.web import wallet
from smartgov.blocks.identity.api import actor, permit
from smartgov.shared.text import Text


@require_http_methods(["GET", "POST"])
@permit("credentials.ask")
def ask(request: HttpRequest) -> HttpResponse:
    """What to ask for; only what the agency is registered for can be chosen."""
    who = actor(request)
    may = api.askable(actor=who)
    choices = [(f"{kind} {name}", title) for kind, names in may.items() for name, title in names.items()]
    errors: dict[str, Text] = {}
    if request.method == "POST":
        chosen = [value.split(" ", 1) for value in request.POST.getlist("claims") if value in dict(choices)]
        kinds = {kind for kind, _ in chosen}
        if len(kinds) == 1:
            made = api.ask(actor=who, template=kinds.pop(), claims=[name for _, name in chosen])
            return redirect("credentials:asked", asked=made)
        errors = {"claims": Text("Choose what to ask for, of one certificate", "請選擇一種證明書的項目")}
    return render(
        request, "credentials/ask.html", {"choices": choices, "errors": errors}, status=422 if errors else 200
    )


@require_GET
@permit("credentials.ask")
def asked(request: HttpRequest, asked: str) -> HttpResponse:
    """The code to scan, and then what was shown."""
    who = actor(request)
    found = api.shown(actor=who, request=asked)
    if found is not None:
        return render(request, "credentials/asked.html", {"shown": found})
    address = api.link(actor=who, request=asked)
    context = {"code": wallet.code_of(address), "asked": asked, "demo_wallet": wallet.demo_wallet(address)}
    return render(request, "credentials/asked.html", context)


@require_GET
@permit("credentials.ask")
def asked_state(request: HttpRequest, asked: str) -> HttpResponse:
    """Whether the wallet has still to answer."""
    return JsonResponse({"waiting": api.shown(actor=actor(request), request=asked) is None})
