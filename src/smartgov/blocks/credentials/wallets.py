"""Certificates for wallets: offered to their holder, minted in batches, checked against a list, shown to verifiers.

An agency issues in its own name with its own seal (asked of its gateway). What a wallet shows is kept for ten minutes,
encrypted, for the officer who asked, and never becomes a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from cryptography import x509
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.credentials import facts, lists, services
from smartgov.blocks.credentials.domain import Status
from smartgov.blocks.credentials.models import Certificate, Kept, Place
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.engines.credential import dcql, issuing, memory, presenting, sdjwt, status, tokens, verifiers
from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock, content
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.sealed import blind_index
from smartgov.shared.text import Text

logger = structlog.get_logger()
LIST_SIZE = 2**17
LIST_LIFE = 3600
LIST_TTL = 900
CREDENTIAL_LIFE = timedelta(days=30)
SHOWN_FOR = timedelta(minutes=10)


class DatabaseMemory:
    """The protocols' memory, shared by all web processes."""

    def put(self, kind: str, secret: str, value: Mapping[str, Any], until: datetime) -> None:
        """Remember a value."""
        text = json.dumps(dict(value), ensure_ascii=False)
        Kept.objects.update_or_create(kind=kind, name=memory.name_of(secret), defaults={"value": text, "until": until})

    def first(self, kind: str, secret: str, until: datetime) -> bool:
        """Whether this secret comes for the first time; of two callers only one inserts the row."""
        Kept.objects.filter(kind=kind, name=memory.name_of(secret), until__lte=clock.now()).delete()
        try:
            with transaction.atomic():
                Kept.objects.create(kind=kind, name=memory.name_of(secret), value="{}", until=until)
        except IntegrityError:
            return False
        return True

    def get(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, unless it is gone or over."""
        row = Kept.objects.filter(kind=kind, name=memory.name_of(secret), until__gt=clock.now()).first()
        return None if row is None else dict(json.loads(row.value))

    @transaction.atomic
    def take(self, kind: str, secret: str) -> dict[str, Any] | None:
        """The value, and forget it; of two callers only one deletes the row."""
        row = Kept.objects.filter(kind=kind, name=memory.name_of(secret)).first()
        if row is None or not Kept.objects.filter(id=row.id).delete()[0]:
            return None
        return dict(json.loads(row.value)) if row.until > clock.now() else None


_memory = DatabaseMemory()
Roots = Sequence[x509.Certificate]
"""The authority that certifies the agencies' seals, as the asking agency's gateway has it."""


# -- issuing ----------------------------------------------------------------------------------------------------------


def issuer(agency: str) -> issuing.Issuer:
    """An agency as an issuer of credentials; Http404 when it has issued no certificate."""
    kinds = {}
    rows = Certificate.objects.filter(agency=agency).order_by().values_list("template", "title").distinct()
    for template, title in rows:
        claims = tuple(((name,), title) for name, title in facts.titles(template).items())
        kinds[template] = issuing.Configuration(template, facts.type_of(template), Text.of(title), claims)
    if not kinds:
        raise Http404
    name = directory.agency(agency).name
    server = settings.ORIGIN if identity.signs_in_for_others() else ""
    return issuing.Issuer(facts.issuer_of(agency), kinds, _memory, _mint, name=name, server=server)


def offer(*, agency: str, credential_id: str, national_id: str) -> issuing.Offer:
    """An offer of wallet credentials of a certificate in force, for its holder; Http404 for anybody else."""
    pdf = services.document(agency=agency, credential_id=credential_id, national_id=national_id)
    row = Certificate.objects.get(id=credential_id)
    if row.status != Status.VALID or facts.read(pdf, _roots(agency), row.issued_at or row.made_at) is None:
        raise Http404
    made = issuer(agency).offer(row.template, {"certificate": row.id})
    actor = Actor("citizen", agency=agency)
    with transaction.atomic():
        audit.record(actor=actor, action="credential.offered", object_type="certificate", object_id=row.id)
    return made


def _mint(grant: Mapping[str, Any], configuration: str, holders: list[dict[str, str]]) -> list[str]:
    """The batch: the facts inside the sealed document, once for each key."""
    row = Certificate.objects.filter(id=grant["certificate"], status=Status.VALID, template=configuration).first()
    said = None
    if row is not None:
        said = facts.read(services.content_of(row), _roots(row.agency), row.issued_at or row.made_at)
    if row is None or said is None:
        raise _not_in_force()
    sign, x5c = facts.sealing(row.agency)
    plain = {name: value for name, value in said.items() if value is not None}
    now = clock.now()
    made = [
        sdjwt.issue(
            plain,
            vct=facts.type_of(row.template),
            issuer=facts.issuer_of(row.agency),
            holder=holder,
            sign=sign,
            x5c=x5c,
            issued_at=now,
            expires_at=now + CREDENTIAL_LIFE,
            status=_placed(row),
        )
        for holder in holders
    ]
    with transaction.atomic():
        actor = Actor.for_system(row.agency, "credentials")
        audit.record(
            actor=actor,
            action="credential.minted",
            object_type="certificate",
            object_id=row.id,
            detail={"count": len(made)},
        )
    return made


def _not_in_force() -> issuing.ProtocolError:
    return issuing.ProtocolError("invalid_token", "the certificate is not in force any more", 401)


def _placed(row: Certificate) -> tuple[str, int]:
    """A new place in the agency's list; two who take the same number at once, try again.

    The certificate is held meanwhile: one that was revoked since it was looked at gets no place, in which its
    credential would count for ever.
    """
    for _ in range(20):
        last = Place.objects.filter(agency=row.agency).order_by("-list_number", "-number").first()
        list_number, number = (last.list_number, last.number + 1) if last else (1, 0)
        if number >= LIST_SIZE:
            list_number, number = list_number + 1, 0
        index = status.place(number, _list_key(row.agency, list_number), LIST_SIZE)
        try:
            with transaction.atomic():
                if Certificate.objects.select_for_update().filter(id=row.id, status=Status.VALID).first() is None:
                    raise _not_in_force()
                Place.objects.create(
                    agency=row.agency, list_number=list_number, number=number, index=index, certificate=row.id
                )
        except IntegrityError:
            continue
        return list_uri(row.agency, list_number), index
    raise RuntimeError("no place in the status list could be had")


def list_uri(agency: str, number: int) -> str:
    """Where the list lies."""
    return f"{settings.ORIGIN}/credentials/lists/{agency}/{number}"


def status_list(*, agency: str, number: int) -> str:
    """The signed list; Http404 when there is none of that number."""
    places = Place.objects.filter(agency=agency, list_number=number)
    if not places.exists():
        raise Http404
    found = status.StatusList(LIST_SIZE)
    for index, value in places.exclude(status=0).values_list("index", "status"):
        found[index] = value
    sign, x5c = facts.sealing(agency)
    uri = list_uri(agency, number)
    return status.token(found, uri=uri, sign=sign, x5c=x5c, issued_at=clock.now(), life=LIST_LIFE, ttl=LIST_TTL)


# -- presenting -------------------------------------------------------------------------------------------------------


def register() -> list[verifiers.Verifier]:
    """The registered verifiers: agencies, known by the certificate of their seal, and what each may ask."""
    found = []
    for row in content.read("credentials.yaml")["verifiers"]:
        try:
            own, _ = exchange.seal_certificate(agency=row["agency"])
        except Problem:  # a gateway that is away: its agency cannot ask now, and nobody can in its name
            logger.warning("verifier_left_out", agency=row["agency"])
            continue
        certificate = x509.load_pem_x509_certificate(own.encode())
        allows = {
            facts.type_of(template): tuple((name,) for name in names) for template, names in row["allows"].items()
        }
        until = datetime.fromisoformat(row["until"])
        name = directory.agency(row["agency"]).name
        client_id = presenting.client_id_of(certificate)
        found.append(verifiers.Verifier(client_id, name, Text.of(row["purpose"]), allows, until))
    return found


@dataclass(frozen=True, slots=True)
class VerifierView:
    """A registered verifier in words: what it may ask, by kind of certificate."""

    name: Text
    purpose: Text
    may: tuple[tuple[Text, tuple[Text, ...]], ...]
    until: datetime


def registered() -> list[VerifierView]:
    """The register as people read it, those whose time is over left out; it asks no gateway."""
    known = content.read("credentials.yaml")
    found = []
    for row in known["verifiers"]:
        until = datetime.fromisoformat(row["until"])
        may = tuple(
            (Text.of(known["titles"][template]), tuple(facts.titles(template)[name] for name in names))
            for template, names in row["allows"].items()
        )
        if clock.now() < until:
            found.append(VerifierView(directory.agency(row["agency"]).name, Text.of(row["purpose"]), may, until))
    return found


def signed_register() -> str:
    """The register for wallets, signed with the seal of the agency that keeps it."""
    sign, x5c = facts.sealing(content.read("credentials.yaml")["keeper"])
    return verifiers.token(register(), sign=sign, x5c=x5c, now=clock.now(), life=LIST_LIFE)


def askable(*, actor: Actor) -> dict[str, dict[str, Text]]:
    """What the officer's agency may ask for: names of claims by kind of certificate; empty when not registered."""
    rows = [row for row in content.read("credentials.yaml")["verifiers"] if row["agency"] == actor.agency]
    return {
        template: {name: facts.titles(template)[name] for name in names}
        for row in rows
        for template, names in row["allows"].items()
    }


def ask(*, actor: Actor, template: str, claims: Sequence[str]) -> str:
    """Begin to ask for claims of a kind of certificate; returns the request's id.

    Problems `verifier-unknown`, `claim-not-allowed`, as a wallet would refuse too.
    """
    if actor.kind != "officer" or not actor.agency:
        raise Http404
    own, _ = exchange.seal_certificate(agency=actor.agency)
    client_id = presenting.client_id_of(x509.load_pem_x509_certificate(own.encode()))
    wanted = {
        "id": "certificate",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [facts.type_of(template)]},
        "claims": [{"path": [name]} for name in claims],
    }
    query = {"credentials": [wanted]}
    verifiers.require_allowed(register(), client_id, dcql.parse(query), now=clock.now())
    request = uuid7()
    asked = presenting.ask(client_id, query, f"{settings.ORIGIN}/credentials/presentations/{request}/answer")
    kept = {**asdict(asked), "agency": actor.agency, "seat": actor.seat}
    _memory.put("ask", request, kept, clock.now() + presenting.LIFE)
    with transaction.atomic():
        audit.record(
            actor=actor,
            action="credential.asked",
            object_type="presentation",
            object_id=request,
            detail={"template": template, "claims": list(claims)},
        )
    return request


def link(*, actor: Actor, request: str) -> str:
    """What the wallet scans; Http404 for anybody but the agency that asked."""
    kept = _own(actor, request, "ask")
    return presenting.link(_asked(kept), f"{settings.ORIGIN}/credentials/presentations/{request}/request")


def request_object(request: str) -> str:
    """The signed request that a wallet fetches; Http404 when it is over."""
    kept = _memory.get("ask", request)
    if kept is None:
        raise Http404
    sign, x5c = facts.sealing(str(kept["agency"]))
    return presenting.request_object(_asked(kept), sign=sign, x5c=x5c)


def answer(request: str, response: str) -> None:
    """Take a wallet's answer: checked now, kept for minutes. Problem `presentation-refused`; Http404 a second time."""
    kept = _memory.get("ask", request)
    if kept is None:
        raise Http404
    roots = _roots(str(kept["agency"]))
    found = presenting.answered(
        _asked(kept), response, find_key=partial(_find_key, roots), look_up=partial(_look_up, roots)
    )
    claims = found["certificate"][0].claims
    said = facts.in_words(str(claims["vct"]).rsplit(":", 1)[-1], claims)
    shown = [[title.as_dict(), value.as_dict()] for title, value in said]
    if _memory.take("ask", request) is None:  # another answer was quicker
        raise Http404
    known = {"agency": kept["agency"], "shown": shown}
    _memory.put("shown", request, known, clock.now() + SHOWN_FOR)


def shown(*, actor: Actor, request: str) -> list[tuple[Text, Text]] | None:
    """What was shown to the officer's agency; None while it waits; Http404 when it is over or another's."""
    if (found := _memory.get("shown", request)) is not None:
        if found["agency"] != actor.agency:
            raise Http404
        return [(Text.of(title), Text.of(value)) for title, value in found["shown"]]
    _own(actor, request, "ask")
    return None


def _own(actor: Actor, request: str, kind: str) -> dict[str, Any]:
    kept = _memory.get(kind, request)
    if kept is None or not actor.agency or kept["agency"] != actor.agency:
        raise Http404
    return kept


def _asked(kept: Mapping[str, Any]) -> presenting.Asked:
    names = ("client_id", "nonce", "state", "query", "response_uri", "key")
    return presenting.Asked(**{name: kept[name] for name in names})


def _find_key(roots: Roots, header: Mapping[str, Any], payload: Mapping[str, Any]) -> keys.PublicKey:
    """The key of an issuing agency: its address names it, and T-Road's authority has certified its seal."""
    issuer_url = str(payload.get("iss", ""))
    base, _, code = issuer_url.rpartition("/issuers/")
    if not base.endswith("/credentials"):
        raise tokens.TokenError("its issuer is not known")
    return _key_of(roots, code, header)


def _key_of(roots: Roots, code: str, header: Mapping[str, Any]) -> keys.PublicKey:
    """The key of the agency's seal; an agency may run anywhere, so only its certificate counts."""
    try:
        name = directory.agency(code).name.zh
    except Problem:
        raise tokens.TokenError("its issuer is not known") from None
    found = tokens.trusted_certificate(header, roots, clock.now())
    if name not in {certificates.organisation(found), certificates.common_name(found)}:
        raise tokens.TokenError("it is signed by another agency")
    return certificates.public_key(found)


def _look_up(roots: Roots, uri: str, index: int) -> status.Status:
    """Our own lists from the tables, other agencies' by their address, kept for as long as they say."""
    base, _, place = uri.partition("/credentials/lists/")
    code, _, number = place.partition("/")
    if base == settings.ORIGIN and number.isascii() and number.isdigit() and len(number) < 7:
        row = Place.objects.filter(agency=code, list_number=int(number), index=index).first()
        if row is not None:
            return status.Status(row.status)
    text = lists.fetched(uri)
    found = status.read(text, uri=uri, key=_key_of(roots, code, tokens.header_of(text)), now=clock.now())
    try:
        return status.Status(found[index])
    except (IndexError, ValueError):
        raise tokens.TokenError("its list does not hold it") from None


def _roots(agency: str) -> list[x509.Certificate]:
    _, chain = exchange.seal_certificate(agency=agency)
    return x509.load_pem_x509_certificates("".join(chain).encode())[-1:] if chain else []


def _list_key(agency: str, number: int) -> bytes:
    return bytes.fromhex(blind_index(f"{agency} {number}", "credentials.status.place"))
