"""May this be asked, and how much of the answer? Decided by the provider's gateway, deny by default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from smartgov.engines.troad import artefacts
from smartgov.engines.troad.artefacts import Consent, Reader
from smartgov.engines.troad.names import Target
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Right, Service, Snapshot
from smartgov.engines.troad.visibility import Visibility
from smartgov.shared import canonical

KEPT_BESIDE_ITEMS = ("as_of",)
"""Members of a list answer that are about the answer, not about a person, and stay when it is cut."""


@dataclass(slots=True)
class Ask:
    """One call as the provider's gateway understands it, persons already in clear."""

    id: str
    client: str
    target: Target
    method: str
    query: str = ""
    subject: str | None = None
    purpose: str = ""
    basis: str = ""
    consent: str = ""
    issue: str = ""
    user: str = ""
    fields: tuple[str, ...] | None = None
    receiver: str = ""
    holder: str = ""
    """Thumbprint of the message key of the gateway that speaks for the client."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    persons: Sequence[tuple[str, tuple[str, ...]]] = ()


class Grant(NamedTuple):
    """What was granted: the right, the consent if it rests on one, and the fields of the answer (None: all)."""

    service: Service
    right: Right
    consent: Consent | None
    fields: tuple[str, ...] | None

    @property
    def visibility(self) -> tuple[Visibility, ...]:
        """The classes by which the use appears to the person: the service's, and the right's own."""
        own = self.right.visibility
        return (self.service.visibility,) if own is None else (self.service.visibility, own)

    @property
    def basis(self) -> dict[str, str]:
        """Why the answer is allowed, as it is written into the log."""
        if self.consent is not None:
            return {"kind": "consent", "id": self.consent.jti}
        if self.right.basis == "statute":
            return {"kind": "statute", "code": self.right.basis_code}
        return {"kind": self.right.basis}


def authorise(ask: Ask, snapshot: Snapshot, reader: Reader, now: datetime) -> Grant:
    """The grant for this call, or the Problem that names what is missing."""
    service = snapshot.services.get(ask.target.service_id)
    if service is None:
        raise refuse("service-unknown")
    if ask.client not in snapshot.subsystems:
        raise refuse("client-unknown")
    granted = [right for right in snapshot.rights.get((ask.client, service.id), ()) if right.in_force(now)]
    covering = [right for right in granted if right.covers(ask.method, ask.target.path)]
    if not covering:
        raise refuse("right-missing")
    _check_persons(ask, service)
    right = _choose(ask, covering, service)
    consent = _consent(ask, snapshot, reader, now) if right.basis == "consent" and service.personal else None
    return Grant(service, right, consent, _fields(ask, right, consent))


def cut(body: bytes, fields: Sequence[str] | None) -> bytes:
    """A successful answer reduced to the granted fields: of each of its `items`, or of the object itself."""
    if fields is None or not body:
        return body
    try:
        answer, plain = canonical.loads(body)
    except (ValueError, RecursionError):
        answer, plain = None, False
    if not isinstance(answer, dict):
        raise refuse("answer-uncuttable")
    wanted = set(fields)
    items = answer.get("items")
    if isinstance(items, list):
        kept = {name: answer[name] for name in KEPT_BESIDE_ITEMS if isinstance(answer.get(name), str)}
        reduced = {"items": [_only(item, wanted) for item in items], **kept}
    else:
        reduced = _only(answer, wanted)
    return canonical.compactly(reduced, plain)


def _only(item: object, wanted: set[str]) -> dict[str, object]:
    if not isinstance(item, dict):
        raise refuse("answer-uncuttable")
    return {name: value for name, value in item.items() if name in wanted}


def _check_persons(ask: Ask, service: Service) -> None:
    if service.personal and ask.subject is None:
        raise refuse("subject-required")
    for person, path in ask.persons:
        if person != ask.subject and not service.related.intersection(path):
            raise refuse("subject-mismatch")


def _choose(ask: Ask, rights: list[Right], service: Service) -> Right:
    if not service.personal:
        return rights[0]
    if not ask.purpose:
        raise refuse("purpose-required")
    fitting = [right for right in rights if _basis_fits(ask, right)]
    if not fitting:
        raise _no_basis(ask, rights)
    for right in fitting:
        if right.purpose in {"", unquote(ask.purpose)}:
            return right
    raise refuse("purpose-not-granted")


def _basis_fits(ask: Ask, right: Right) -> bool:
    if ask.consent:
        return right.basis == "consent"
    if ask.basis and ask.basis != "subject":
        return right.basis == "statute" and right.basis_code == ask.basis
    return right.basis in {"subject", "none"}


def _no_basis(ask: Ask, rights: list[Right]) -> Exception:
    kinds = {right.basis for right in rights}
    if not ask.consent and not ask.basis:
        return refuse("consent-required" if kinds == {"consent"} else "basis-required")
    if not ask.consent and kinds == {"consent"}:
        return refuse("consent-required")
    return refuse("basis-not-granted")


def _consent(ask: Ask, snapshot: Snapshot, reader: Reader, now: datetime) -> Consent:
    consent = artefacts.read_consent(ask.consent, snapshot.consent_issuers, reader, now)
    if consent.jti in snapshot.revoked_consents:
        raise refuse("consent-revoked")
    asked = (ask.target.service_id, ask.client, ask.subject, unquote(ask.purpose))
    given = (consent.service, consent.requester, consent.subject, unquote(consent.purpose))
    if given != asked or not _holds(snapshot, ask.holder, consent.holder):
        raise refuse("consent-foreign")
    return consent


def _holds(snapshot: Snapshot, asking: str, named: str) -> bool:
    """Whether the gateway with the first message key asks for the member whose gateway has the other one."""
    one, other = snapshot.by_message_key.get(asking), snapshot.by_message_key.get(named)
    return asking == named or (one is not None and other is not None and one.member == other.member)


def _fields(ask: Ask, right: Right, consent: Consent | None) -> tuple[str, ...] | None:
    granted = right.fields
    if consent is not None:
        granted = consent.fields if granted is None else granted & consent.fields
    if ask.fields is None:
        return None if granted is None else tuple(sorted(granted))
    if granted is not None and not set(ask.fields) <= granted:
        raise refuse("fields-not-granted")
    return ask.fields
