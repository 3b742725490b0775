"""Approval from another device: a code to scan, or a request that waits on the phone; a number joins the two screens.

Whoever shows a stranger's code to a person can lead them to approve it, number and all. So such a sign-in is never
resistant to phishing (`Authentication.remote`), and can add no device, recovery, mandate or signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from smartgov.engines.openid import authorizing, jose, levels
from smartgov.engines.openid.authorizing import Step
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import CONSENT_LIFE, Authentication, Authorization, Client, Granted
from smartgov.engines.openid.provider import Provider, digits, seconds
from smartgov.shared.ids import uuid7

PERIOD = 30
"""Seconds for which a link code stays the same; each is taken in its own period and the next, so for 60 at most."""


def link_code(provider: Provider, authorization: Authorization) -> str:
    """What the scanned address ends in: the authorization, and a proof that this provider showed it just now."""
    return f"{authorization.id}.{_proof(provider, authorization.id, seconds(provider.now()) // PERIOD)}"


def linked(provider: Provider, code: str) -> tuple[Authorization, Client] | None:
    """The open authorization of a link code that is fresh, and its client; None otherwise."""
    name, _, given = code.partition(".")
    period = seconds(provider.now()) // PERIOD
    fresh = any(jose.same(given, _proof(provider, name, period - age)) for age in (0, 1))
    found = provider.store.by_id(name) if fresh else None
    if found is None or found.state != "opened" or found.expires_at <= provider.now():
        return None
    client = provider.store.client(found.client)
    return (found, client) if client is not None and client.active else None


def _proof(provider: Provider, authorization: str, period: int) -> str:
    return provider.mac("link", authorization, str(period))[:22]


def number(provider: Provider, authorization: Authorization) -> str:
    """The number on the screen that waits."""
    return authorization.number or digits(provider.mac("link-number", authorization.id))


def choices(provider: Provider, authorization: Authorization) -> Sequence[str]:
    """Three numbers in no order, the right one among them; the same three at each look."""
    right, found = number(provider, authorization), []
    for each in range(20):
        other = digits(provider.mac("link-other", authorization.id, str(each)))
        if other != right and other not in found:
            found.append(other)
        if len(found) == 2:
            break
    return sorted([right, *found])


def as_remote(event: Authentication) -> Authentication:
    """The sign-in of the device that approves, as it counts on the other: no more than the second level."""
    return replace(
        event,
        session=uuid7(),
        level=min(event.level, 2),
        amr=tuple(name for name in event.amr if name not in {"swk", "hwk", "sc", "phr", "phrh"}),
        phishing_resistant=False,
        hardware=False,
        remote=True,
    )


def step_for(provider: Provider, client: Client, authorization: Authorization, event: Authentication) -> Step:
    """What stands in the way of approving from here; `consent` or `finish` when nothing does."""
    if "none" in authorization.asked.prompt:
        return Step("refuse", error=OAuthError("interaction_required", "a silent request cannot be approved elsewhere"))
    if event.acting_for:
        return Step("refuse", error=OAuthError("access_denied", "nobody acts for another from another device"))
    return authorizing.next_step(provider, client, authorization, as_remote(event))


def approve(
    provider: Provider, client: Client, authorization: Authorization, event: Authentication, chosen: str
) -> bool:
    """The person has chosen a number: the right one approves, another one refuses the request for good."""
    step = step_for(provider, client, authorization, event)
    if step.kind not in {"consent", "finish"}:
        return False
    if not jose.same(chosen, number(provider, authorization)):
        provider.store.refuse(authorization.id)
        return False
    granted = Granted(
        as_remote(replace(event, at=provider.now())),
        step.sub,
        step.acr or levels.AAL1,
        authorization.asked.scopes,
        provider.now() + CONSENT_LIFE,
    )
    if authorization.way != "ciba":
        return provider.store.approve(authorization.id, granted)
    return provider.store.grant(
        authorization,
        granted,
        code_key="",
        code_expires_at=provider.now() + timedelta(minutes=2),
        agreed=authorizing.wanted_claims(authorization),
    )


def arrived(provider: Provider, client: Client, authorization: Authorization) -> str | None:
    """Where the waiting browser goes, once the other device has approved; None while it has not."""
    granted = authorization.granted
    if authorization.state != "approved" or granted is None:
        return None
    step = Step("finish", granted.acr, sub=granted.sub)
    return authorizing.finish(provider, client, authorization, granted.authentication, step, agreed=True)
