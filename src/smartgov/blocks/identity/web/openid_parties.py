"""Pages for relying parties: register, read the checker's complaints, try a request, and approve."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity.gate import may
from smartgov.blocks.identity.openid import registering
from smartgov.blocks.identity.openid.details import TYPES
from smartgov.blocks.ops.api import actor, permit
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.provider import SCOPE_CLAIMS
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_LINES = ("redirect_uris", "post_logout_redirect_uris", "certificates", "exchange_to", "default_acr")
_WORDS = ("backchannel_logout_uri", "tls_san_dns", "sector")
# What is chosen from a list, the rule first; what stays with the rule is not written down.
_CHOICES = {
    "auth_method": ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"),
    "sender": ("dpop", "mtls"),
}
_YES = ("mandates", "id_token_encrypted")
_SETS = {"details": tuple(TYPES), "grants": ("refresh_token", CIBA, EXCHANGE)}
_APPROVE = "identity.parties_approve"


def _either(view: Any) -> Any:
    """The list and a service's page are for both roles; what each sees is decided by the verbs."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        chosen = approving if may(request, _APPROVE) else applying
        return chosen(request, *args, **kwargs)

    applying, approving = permit("identity.parties")(view), permit(_APPROVE)(view)
    guarded.smartgov_permission = "identity.parties"  # type: ignore[attr-defined]
    guarded.__doc__ = view.__doc__
    return guarded


@require_GET
@_either
def parties(request: HttpRequest) -> HttpResponse:
    """The services of one's agency; for the approver those of all."""
    approver = may(request, _APPROVE)
    rows = registering.all_parties() if approver else registering.of_agency(actor(request))
    shown = [{"view": row, "agency": _agency(row.agency)} for row in rows]
    return render(request, "identity/parties.html", {"rows": shown, "approver": approver})


@require_http_methods(["GET", "POST"])
@permit("identity.parties")
def new(request: HttpRequest) -> HttpResponse:
    """Begin a registration."""
    if request.method == "GET":
        return _form(request, {}, {}, "")
    return _save(request, "")


@require_http_methods(["GET", "POST"])
@permit("identity.parties")
def edit(request: HttpRequest, party: str) -> HttpResponse:
    """Change a registration that is not approved."""
    found = registering.one(party, actor=actor(request), approver=False)
    if request.method == "POST":
        return _save(request, party)
    return _form(request, _values(found), {}, party)


@require_http_methods(["GET", "POST"])
@_either
def party(request: HttpRequest, party: str) -> HttpResponse:
    """One service: what the checker says, a request tried out, and the next step."""
    approver = may(request, _APPROVE)
    found = registering.one(party, actor=actor(request), approver=approver)
    tried = request.POST.get("raw", "").strip()
    complaints = None
    if request.method == "POST":
        complaints = registering.complaints_about_request(party, tried, actor=actor(request), approver=approver)
    context = {
        "view": found,
        "agency": _agency(found.agency),
        "approver": approver,
        "registration": json.dumps(found.registration, ensure_ascii=False, indent=2),
        "tried": tried,
        "complaints": complaints,
        "mine": may(request, "identity.parties"),
    }
    return render(request, "identity/party.html", context)


@require_POST
@_either
def decide(request: HttpRequest, party: str) -> HttpResponse:
    """Submit, or decide on what was submitted."""
    decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "").strip()
    if decision in registering.DECISIONS and may(request, _APPROVE):
        registering.decide(actor=actor(request), party=party, decision=decision, reason=reason)
    elif decision == "submit":
        registering.submit(actor=actor(request), party=party)
    else:
        registering.one(party, actor=actor(request), approver=may(request, _APPROVE))
    return redirect("identity:party", party=party)


def _save(request: HttpRequest, party: str) -> HttpResponse:
    names = (*_TEXTS, *_LINES, *_WORDS, *_CHOICES, *_YES, "jwks")
    values: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in names}
    values |= {name: request.POST.getlist(name) for name in ("scopes", *_SETS)}
    errors = {name: _("Write something here.") for name in _TEXTS if not values[name]}
    keys = _keys(values["jwks"])
    if keys is None:
        errors["jwks"] = _("This is not a JWK set.")
    if errors or keys is None:
        return _form(request, values, errors, party)
    given: dict[str, Any] = {
        "name": Text(values["name_en"], values["name_zh"]),
        "purpose": Text(values["purpose_en"], values["purpose_zh"]),
        "registration": _registration(values, keys),
    }
    if party:
        registering.change(actor=actor(request), party=party, **given)
    else:
        party = registering.register(actor=actor(request), **given)
    return redirect("identity:party", party=party)


_TEXTS = ("name_zh", "name_en", "purpose_zh", "purpose_en")


def _registration(values: dict[str, Any], keys: list[Any]) -> dict[str, Any]:
    kinds = [name for name in _SETS["details"] if name in values["details"]]
    grants = [name for name in _SETS["grants"] if name in values["grants"]]
    return {
        **{name: values[name].split() for name in _LINES if values[name]},
        **{name: values[name] for name in _WORDS if values[name]},
        **{name: values[name] for name, known in _CHOICES.items() if values[name] in known[1:]},
        **{name: True for name in _YES if values[name] == "yes"},
        "jwks": keys,
        "scopes": ["openid", *(name for name in SCOPE_CLAIMS if name in values["scopes"] and name != "openid")],
        **({"details": kinds} if kinds else {}),
        **({"grants": ["authorization_code", *grants]} if grants else {}),
    }


def _keys(text: str) -> list[Any] | None:
    """The keys of a JWK set, of a bare list, or of one JWK; None when it is none of them."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return None
    if isinstance(found, dict):
        found = found.get("keys", [found] if "kty" in found else None)
    return found if isinstance(found, list) and all(isinstance(key, dict) for key in found) else None


def _values(found: registering.PartyView) -> dict[str, Any]:
    given = found.registration
    return {
        "name_zh": found.name.zh,
        "name_en": found.name.en,
        "purpose_zh": found.purpose.zh,
        "purpose_en": found.purpose.en,
        **{name: "\n".join(given.get(name, [])) for name in _LINES},
        "jwks": json.dumps({"keys": given.get("jwks", [])}, indent=1),
        **{name: given.get(name, "") for name in _WORDS},
        **{name: given.get(name, known[0]) for name, known in _CHOICES.items()},
        **{name: "yes" if given.get(name) else "" for name in _YES},
        **{name: given.get(name, []) for name in ("scopes", *_SETS)},
    }


def _form(request: HttpRequest, values: dict[str, Any], errors: dict[str, str], party: str) -> HttpResponse:
    scopes = [(name, name in values.get("scopes", ())) for name in SCOPE_CLAIMS if name != "openid"]
    sets = {name: [(each, each in values.get(name, ())) for each in known] for name, known in _SETS.items()}
    chosen = {name: [(each, each == values.get(name, known[0])) for each in known] for name, known in _CHOICES.items()}
    context = {"values": values, "errors": errors, "scopes": scopes, "party": party, **sets, **chosen}
    return render(request, "identity/party_form.html", context, status=422 if errors else 200)


def _agency(code: str) -> Text:
    try:
        return directory.agency(code).name
    except Problem:
        return Text.of(code)
