"""From a request to a code: who must sign in, step up or agree, and what goes back to the relying party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import quote

from smartgov.engines.openid import jose, levels
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import (
    CODE_LIFE,
    CONSENT_LIFE,
    INTERACTION_LIFE,
    MANDATE_LIFE,
    Authentication,
    Authorization,
    Client,
    Granted,
    Relation,
)
from smartgov.engines.openid.provider import SCOPE_CLAIMS, Provider, new_secret

MAX_AGE_LEEWAY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What has to happen next: `sign-in` (perhaps up to `acr`), `consent`, `finish`, or `refuse` with `error`.

    `sub` is the pseudonym that a finished request will carry.
    """

    kind: Literal["sign-in", "consent", "finish", "refuse"]
    acr: str = ""
    error: OAuthError | None = None
    sub: str = ""


def wanted_claims(authorization: Authorization) -> frozenset[str]:
    """The facts of the person that the request asks for, by scope and by the claims parameter."""
    asked = authorization.asked
    by_scope = {name for scope in asked.scopes for name in SCOPE_CLAIMS[scope]}
    named = {name for place in asked.claims.values() for name in place}
    return frozenset(by_scope | named) - {"acr", "auth_time", "sub"}


def next_step(provider: Provider, client: Client, authorization: Authorization, event: Authentication | None) -> Step:
    """The next step for a person who is recognised by `event` (None: nobody is signed in)."""
    asked = authorization.asked
    silent = "none" in asked.prompt
    first = next((acr for acr in asked.acr if acr in provider.reachable()), "")
    if event is None:
        return _refused("login_required", "nobody is signed in") if silent else Step("sign-in", first)
    relation = provider.store.relation(event.subject, client.id)
    sub = pseudonym(provider, client, event, relation)
    if asked.hint_sub and sub != asked.hint_sub:
        return _refused("login_required", "another person is signed in") if silent else Step("sign-in")
    if not _is_fresh(authorization, event):
        return _refused("login_required", "the sign-in is too old") if silent else Step("sign-in", first)
    verdict = _level(provider, authorization, event, silent=silent)
    if verdict.kind == "unmet":
        return _refused("unmet_authentication_requirements", "no sign-in here reaches the required level")
    if verdict.kind == "step-up":
        return Step("sign-in", verdict.acr)
    if event.acting_for and not client.mandates:
        return _refused("access_denied", "this client is not registered for people who act for others")
    if event.acting_for and asked.details:
        # A rich request signs, pays or hands over data: what a mandate reaches is decided where that is done.
        return _refused("access_denied", "this is agreed to by the person it is about, not by who acts for them")
    if event.remote and any(provider.details[each["type"]].needs_phishing_resistant for each in asked.details):
        return _refused("access_denied", "this cannot be agreed to from another device")
    # What one person agreed to covers nobody else's data: who acts for another is asked each time.
    if event.acting_for or needs_consent(provider, client, authorization, relation):
        return (
            _refused("consent_required", "the person has to agree") if silent else Step("consent", verdict.acr, sub=sub)
        )
    return Step("finish", verdict.acr, sub=sub)


def _level(provider: Provider, authorization: Authorization, event: Authentication, *, silent: bool) -> levels.Verdict:
    asked = authorization.asked
    # Somebody whose approval came from another device cannot step up by it, and a silent request cannot at all.
    reachable = () if silent or event.remote or not asked.acr else provider.reachable()
    return levels.decide(asked.acr, event, reachable, essential=asked.acr_essential)


def _is_fresh(authorization: Authorization, event: Authentication) -> bool:
    asked = authorization.asked
    if asked.prompt & {"login", "select_account"} and event.at < authorization.created_at:
        return False
    if asked.max_age is None:
        return True
    return event.at + timedelta(seconds=asked.max_age) + MAX_AGE_LEEWAY >= authorization.created_at


def needs_consent(provider: Provider, client: Client, authorization: Authorization, relation: Relation) -> bool:
    """Whether the person has to be asked: for what is new, for each rich request, and when the client wants it.

    A client that cannot prove who it is gets nothing by an earlier agreement (RFC 6749 10.2, ASVS 10.7.1).
    """
    asked = authorization.asked
    if asked.details or "consent" in asked.prompt or client.auth_method == "none":
        return True
    return not relation.covers(asked.scopes, wanted_claims(authorization), provider.now())


def open_for(provider: Provider, authorization: Authorization, browser: str) -> bool:
    """Bind a pushed request to the browser that brought it, for ten minutes; False when it was taken before."""
    return provider.store.open(
        authorization.id, browser=jose.digest(browser), expires_at=provider.now() + INTERACTION_LIFE
    )


def opened(provider: Provider, authorization: str, browser: str) -> tuple[Authorization, Client] | None:
    """The open authorization of this browser and its client, or None."""
    found = provider.store.by_id(authorization)
    if found is None or found.state not in {"opened", "approved"} or found.expires_at <= provider.now():
        return None
    client = provider.store.client(found.client)
    if client is None or not client.active or not jose.same(found.browser, jose.digest(browser)):
        return None
    return found, client


def belongs(provider: Provider, authorization: str, browser: str) -> bool:
    """Whether this browser brought the authorization, whatever became of it."""
    found = provider.store.by_id(authorization)
    return found is not None and bool(found.browser) and jose.same(found.browser, jose.digest(browser))


def finish(
    provider: Provider,
    client: Client,
    authorization: Authorization,
    event: Authentication,
    step: Step,
    *,
    agreed: bool,
) -> str:
    """Give a code; returns the address to send the browser to. `agreed` when the person has just consented."""
    now, code = provider.now(), new_secret()
    granted = Granted(
        authentication=event,
        sub=step.sub,
        acr=step.acr,
        scopes=authorization.asked.scopes,
        until=now + (MANDATE_LIFE if event.acting_for else CONSENT_LIFE),
    )
    done = provider.store.grant(
        authorization,
        granted,
        code_key=jose.digest(code),
        code_expires_at=now + CODE_LIFE,
        agreed=wanted_claims(authorization) if agreed and not event.acting_for else None,
    )
    if not done:
        return refusal(provider, authorization, OAuthError("access_denied", "the request was answered before"))
    return _back(provider, authorization, {"code": code})


def pseudonym(provider: Provider, client: Client, event: Authentication, relation: Relation | None = None) -> str:
    """The `sub` of a sign-in: of the represented, when the person acts for somebody."""
    subject = event.acting_for or event.subject
    if relation is None or event.acting_for:
        relation = provider.store.relation(subject, client.id)
    return provider.people.pseudonym(subject, client.pairwise_sector, relation.generation)


def refusal(provider: Provider, authorization: Authorization, error: OAuthError) -> str:
    """The address that tells the client of a refusal; the authorization is over."""
    provider.store.refuse(authorization.id)
    return _back(provider, authorization, error.body())


def _back(provider: Provider, authorization: Authorization, members: Mapping[str, str]) -> str:
    return answer_address(provider, authorization.asked.redirect_uri, authorization.asked.state, members)


def answer_address(provider: Provider, redirect_uri: str, state: str, members: Mapping[str, str]) -> str:
    """redirect_uri with the answer: always with `iss` (RFC 9207), and with `state` when there was one."""
    whole = {**members, **({"state": state} if state else {}), "iss": provider.issuer}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in whole.items())
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"


def _refused(code: str, description: str) -> Step:
    return Step("refuse", error=OAuthError(code, description))
