"""Pages for relying parties: register, read the checker's complaints, try a request, and approve."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity.gate import may
from smartgov.blocks.identity.openid import registering
from smartgov.blocks.identity.web import client_metadata
from smartgov.blocks.identity.web import party_words as words
from smartgov.blocks.ops.api import actor, permit
from smartgov.engines.openid.checking import Complaint
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.theme.words import bilingual

_LINES = ("redirect_uris", "post_logout_redirect_uris", "certificates", "exchange_to", "default_acr")
_WORDS = ("backchannel_logout_uri", "tls_san_dns", "sector", "jwks_uri", "mandates_reason", "sunset")
# What is chosen from a list, the rule first; what stays with the rule is not written down.
_CHOICES = {"auth_method": words.METHODS, "sender": words.SENDERS, "profile": words.PROFILES}
_YES = ("mandates", "id_token_encrypted")
_SETS = {"details": words.DETAILS, "grants": words.GRANTS}
# What a program may say of itself (RFC 7591) and this form has no field for; kept so that the checker can answer it.
_KEPT = (
    "response_types",
    "require_signed_request_object",
    "request_object_signing_alg",
    "id_token_signed_response_alg",
)
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
    context = {"rows": shown, "approver": approver, "sandbox": settings.DEMO}
    return render(request, "identity/parties.html", context)


@require_http_methods(["GET", "POST"])
@permit("identity.parties")
def new(request: HttpRequest) -> HttpResponse:
    """Begin a registration."""
    if request.method == "GET":
        return _form(request, {}, {}, "")
    return _read(request, "", {}) if "read" in request.POST else _save(request, "")


@require_http_methods(["GET", "POST"])
@permit("identity.parties")
def edit(request: HttpRequest, party: str) -> HttpResponse:
    """Change a registration that is not approved."""
    found = registering.one(party, actor=actor(request), approver=False)
    if request.method == "POST":
        return _read(request, party, _values(found)) if "read" in request.POST else _save(request, party)
    return _form(request, _values(found), _said(found.complaints), party)


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
        "asked": [title for code, title, _ in words.SCOPES if code in found.registration.get("scopes", ())],
        "registration": json.dumps(found.registration, ensure_ascii=False, indent=2),
        "said": _worded(found.complaints),
        "tried": tried,
        "complaints": None if complaints is None else _worded(complaints),
        "sandbox": settings.DEMO,
        "issuer": settings.ORIGIN,
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
    values = _typed(request)
    errors: dict[str, Any] = {name: _("Write something here.") for name in _TEXTS if not values[name]}
    keys, kept = client_metadata.keys_of(values["jwks"]), client_metadata.object_of(values["kept"] or "{}")
    if keys is None:
        errors["jwks"] = _("This is not a JWK set.")
    if errors or keys is None or kept is None:
        return _form(request, values, errors, party)
    given: dict[str, Any] = {
        "name": Text(values["name_en"], values["name_zh"]),
        "purpose": Text(values["purpose_en"], values["purpose_zh"]),
        "registration": _registration(values, keys) | {name: kept[name] for name in _KEPT if name in kept},
    }
    if party:
        registering.change(actor=actor(request), party=party, **given)
    else:
        party = registering.register(actor=actor(request), **given)
    return redirect("identity:party", party=party)


def _read(request: HttpRequest, party: str, stored: dict[str, Any]) -> HttpResponse:
    """Fill the form in from what a program says of itself; nothing is stored yet."""
    given = client_metadata.object_of(request.POST.get("metadata", ""))
    if given is None:
        errors = {"metadata": _("This is not a JSON object.")}
        return _form(request, {**stored, "metadata": request.POST.get("metadata", "")}, errors, party)
    name, registration = client_metadata.registration(given)
    said = _registration_values(registration)
    names = {key: word for key, word in (("name_en", name.en), ("name_zh", name.zh)) if word}
    return _form(request, {**stored, **said, **names}, {}, party, filled=True)


def _typed(request: HttpRequest) -> dict[str, Any]:
    names = (*_TEXTS, *_LINES, *_WORDS, *_CHOICES, *_YES, "jwks", "kept")
    values: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in names}
    return values | {name: request.POST.getlist(name) for name in ("scopes", *_SETS)}


_TEXTS = ("name_zh", "name_en", "purpose_zh", "purpose_en")


def _registration(values: dict[str, Any], keys: list[Any]) -> dict[str, Any]:
    chosen = {name: [code for code, _, _ in known if code in values[name]] for name, known in _SETS.items()}
    return {
        **{name: values[name].split() for name in _LINES if values[name]},
        **{name: values[name] for name in _WORDS if values[name]},
        **{name: values[name] for name, known in _CHOICES.items() if values[name] in {code for code, *_ in known[1:]}},
        **{name: True for name in _YES if values[name] == "yes"},
        "jwks": keys,
        "scopes": ["openid", *(code for code, *_ in words.SCOPES if code in values["scopes"])],
        **({"details": chosen["details"]} if chosen["details"] else {}),
        **({"grants": ["authorization_code", *chosen["grants"]]} if chosen["grants"] else {}),
    }


def _values(found: registering.PartyView) -> dict[str, Any]:
    named = {"name_zh": found.name.zh, "name_en": found.name.en}
    for_what = {"purpose_zh": found.purpose.zh, "purpose_en": found.purpose.en}
    return {**named, **for_what, **_registration_values(found.registration)}


def _registration_values(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: "\n".join(given.get(name, [])) for name in _LINES},
        "jwks": json.dumps({"keys": given.get("jwks", [])}, indent=1),
        **{name: given.get(name, "") for name in _WORDS},
        **{name: given.get(name, known[0][0]) for name, known in _CHOICES.items()},
        **{name: "yes" if given.get(name) else "" for name in _YES},
        **{name: given.get(name, []) for name in ("scopes", *_SETS)},
        "kept": json.dumps({name: given[name] for name in _KEPT if name in given}),
    }


def _worded(complaints: Iterable[Complaint]) -> list[dict[str, Any]]:
    return [{"said": each, "field": words.FIELDS.get(each.field, Text.of(each.field))} for each in complaints]


def _said(complaints: Iterable[Complaint]) -> dict[str, str]:
    """What has to be mended, at the fields of the form."""
    found: dict[str, str] = {}
    for each in complaints:
        if each.kind == "must":
            about = f"{each.about}\n" if each.about else ""
            sentence = f"{about}{bilingual(each.what)} {bilingual(each.todo)}"
            found[each.field] = f"{found[each.field]}\n{sentence}" if each.field in found else sentence
    return found


def _form(
    request: HttpRequest, values: dict[str, Any], errors: Mapping[str, str], party: str, *, filled: bool = False
) -> HttpResponse:
    chosen = {name: values.get(name) or known[0][0] for name, known in _CHOICES.items()}
    context = {
        "values": {**values, **chosen},
        "errors": errors,
        "party": party,
        "filled": filled,
        "choices": {**_CHOICES, **_SETS, "scopes": words.SCOPES},
        "levels": words.LEVELS,
        "rare": any(errors.get(name) or values.get(name) for name in _RARE)
        or any(chosen[name] != known[0][0] for name, known in _CHOICES.items()),
    }
    wrong = request.method == "POST" and bool(errors)
    return render(request, "identity/party_form.html", context, status=422 if wrong else 200)


# Fields that few need, which the page keeps closed until one of them holds something.
_RARE = (
    *("details", "grants", "exchange_to", "tls_san_dns", "certificates", "default_acr", "sector", "sunset"),
    "id_token_encrypted",
)


def _agency(code: str) -> Text:
    try:
        return directory.agency(code).name
    except Problem:
        return Text.of(code)
