"""A phone with real keys, an authority and time stamps, all in this process; and people who use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typst

from smartgov.blocks.exchange.tests.seals import SealHouse
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.models import Account, CitizenCertificate
from smartgov.blocks.identity.tests import certified as state
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.signing import api, outside
from smartgov.blocks.signing.ports import Answer
from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki import signing as engine
from smartgov.engines.pki.authority import Authority, Record, State, trail
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.simulators.phone import home as phones
from smartgov.simulators.phone import tasks
from smartgov.simulators.phone.tickets import Ticket, Tickets
from smartgov.simulators.timestamp.authority import Authority as TimeAuthority


class Handset:
    """The phone simulator without its pages: one person's phone, and the courier to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.persona = phones.enrol(home, persona="mother", name="陳美玲")
        self.tickets = Tickets()
        self.latest: Ticket | None = None

    def ask(self, *, key_id: str, **body: Any) -> tuple[str, str]:
        """Take a task as the simulator takes it."""
        self.latest = self.tickets.add(body, persona=self.persona.id)
        return self.latest.id, ""

    def approve(self, **changes: Any) -> None:
        """The person approves; `changes` are what a dishonest phone would do instead."""
        ticket = self.latest
        assert ticket is not None
        assert ticket.task is not None
        for name, value in changes.items():
            setattr(ticket, name, value)
        content = ticket.content(clock.now())
        ticket.payload, ticket.key_id = content.decode(), self.persona.key_id
        ticket.signature = keys.b64url(phones.sign(self.home, self.persona.id, content))
        ticket.outcome = ticket.outcome or tasks.do(self.home, self.persona.id, ticket.task)
        ticket.decided = "approved"

    def refuse(self) -> None:
        """The person refuses."""
        assert self.latest is not None
        self.latest.decided = "refused"

    def read(self, ticket: str) -> Answer:
        """The answer so far."""
        found = self.tickets.get(ticket)
        if found.status == "pending":
            return Answer("waiting")
        if found.status != "approved":
            return Answer("refused")
        issued = str(json.loads(found.payload)["issued"])
        return Answer("approved", found.key_id, keys.der_of(found.signature), issued, found.outcome)


class Office:
    """An authority in this process, behind the port."""

    def __init__(self, home: Path, name: str = "Test Citizens' Authority") -> None:
        self.real = Authority.create(home, name, address="http://127.0.0.1:1")

    def request(self, csr: str, **facts: str) -> Record:
        """Hand in a request."""
        return self.real.request(csr.encode(), **facts)

    def step(self, record: str, step: str, *, by: str, **detail: Any) -> Record:
        """One step."""
        if step == "activate":
            return self.real.activate(record, keys.from_b64url(detail["signature"]), by=by)
        if step == "revoke":
            return self.real.revoke(record, detail["reason"], by=by)
        return getattr(self.real, step)(record, by=by, **detail)  # type: ignore[no-any-return]

    def get(self, record: str) -> Record:
        """One record."""
        return self.real.get(record)

    def records(self, *, state: str = "", holder: str = "") -> Sequence[Record]:
        """Records."""
        return self.real.records(state=State(state) if state else None, holder=holder or None)

    def trail(self) -> Sequence[trail.Entry]:
        """The trail."""
        return self.real.entries()

    def trail_key(self) -> keys.PublicKey:
        """The key of its trail."""
        return self.real.trail_key

    def certificate(self) -> bytes:
        """Its certificate."""
        return certificates.pem(self.real.certificate)

    def crl(self) -> bytes:
        """Its list."""
        return self.real.crl()

    def ocsp(self, question: bytes) -> bytes:
        """Its answer."""
        return self.real.answer(question)


class Tower:
    """Time stamps in this process; `down` makes them unreachable."""

    def __init__(self, home: Path) -> None:
        self.real, self.down = TimeAuthority(home), False

    def stamp(self, request: bytes) -> bytes:
        """One stamp."""
        if self.down:
            raise ConnectionRefusedError
        return self.real._stamp(request)

    def root(self) -> bytes:
        """Its root."""
        return self.real.root()


@dataclass
class World:
    """The services in force."""

    phone: Handset
    authority: Office
    clocktower: Tower
    seals: Office


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Services of this process instead of the machine's."""
    made = World(
        Handset(folder / "phone"),
        Office(folder / "authority"),
        Tower(folder / "timestamp"),
        Office(folder / "government", "Test Government Authority"),
    )
    with outside.replaced(phone=made.phone, authority=made.authority, clocktower=made.clocktower, seals=made.seals):
        yield made


class Gateway(SealHouse):
    """An agency's gateway with a seal and those who vouch for it; `down` makes it silent."""

    def configuration(self, agency: str) -> tuple[dict[str, Any], datetime]:
        """What a member's gateway says of the country."""
        gateway = {"log_key": "k", "log_origin": "o", "code": "1"}
        member = {"id": "TW/GOV/ris", "name": {"en": "a", "zh": "甲"}, "gateways": [gateway]}
        return {"members": [member], "services": [], "rights": []}, clock.now()


def refused(act: Callable[[], object]) -> str:
    """The slug of the Problem that this ends with."""
    with pytest.raises(Problem) as caught:
        act()
    return caught.value.slug


def a_citizen(found: World, name: str = "陳美玲", nid: str = "") -> Actor:
    """Somebody signed in at level two, with the phone of this world."""
    subject = people.a_person(name, nid=nid)
    identity.add_mobile_key(actor=people.SEEDER, subject=subject, jwk=found.phone.persona.public_jwk)
    return Actor("citizen", subject=subject, assurance=2)


def certified(found: World, who: Actor) -> Record:
    """A certificate in force, by way of the phone."""
    approval = api.begin_certificate(actor=who)
    found.phone.approve()
    assert api.settle(actor=who, approval_id=approval)
    approval = api.begin_activation(actor=who)
    found.phone.approve()
    assert api.settle(actor=who, approval_id=approval)
    record = api.own_certificate(actor=who)
    assert record is not None
    return record


def a_pdf(words: str = "委託書") -> bytes:
    """A small document."""
    source = f'#set text(lang: "zh")\n= {words}\nSynthetic.'
    return bytes(typst.compile(source.encode(), format="pdf"))


def laid(who: Actor, *, opened: bool = True, content: bytes = b"") -> str:
    """A document on the desk, opened unless told otherwise."""
    made = api.upload(actor=who, name="委託書.pdf", content=content or a_pdf())
    if opened:
        api.open_document(actor=who, document_id=made)
    return made


def signed(found: World, who: Actor) -> bytes:
    """A document that went through the whole desk."""
    document = laid(who)
    approval = api.begin_signature(actor=who, document_id=document, reason="同意")
    found.phone.approve()
    assert api.settle(actor=who, approval_id=approval)
    return api.signed_document(actor=who, document_id=document)[1]


def trust_of(found: World, **more: Any) -> engine.Trust:
    """What a reader in this world trusts."""
    roots = (found.authority.real.certificate,)
    times = (certificates.from_pem(found.clocktower.root()),)
    return engine.Trust(roots, times, (found.authority.crl(),), **more)


def officer(agency: str = "ris", role: str = "credential_manager") -> Actor:
    """Somebody in a seat."""
    seat = people.a_seat(agency, role)
    return Actor("officer", subject=identity.person_of_seat(seat), seat=seat, agency=agency, assurance=2)


def a_card(ministry: state.World, subject: str) -> state.Card:
    """A card of the state that was linked to this person by a sign-in."""
    account = Account.objects.get(subject=subject)
    made = ministry.card(account.national_id or people.a_national_id(), "林美玲")
    CitizenCertificate.objects.create(
        account=account,
        means="card",
        authority=revocation.issuer_id(ministry.anchors()[0]),
        number_index=subject,
        certificate=certificates.pem(made.certificate).decode(),
    )
    return made


def a_paper(ministry: state.World, who: Actor) -> str:
    """A document that waits for this person's card."""
    a_card(ministry, str(who.subject))
    return api.begin_paper(actor=who, document_id=laid(who), choice="card")
