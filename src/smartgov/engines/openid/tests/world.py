"""A provider in memory with made-up people, a key, and a relying party that talks to it without a network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwk

from smartgov.engines.httpd import Request
from smartgov.engines.openid import authorizing, jose, levels, machine, pushing
from smartgov.engines.openid.client import RelyingParty
from smartgov.engines.openid.errors import NotAnsweredToClientError
from smartgov.engines.openid.keyring import KeyPlan
from smartgov.engines.openid.memory import MemoryStore
from smartgov.engines.openid.model import Authentication, Client, DetailType
from smartgov.engines.openid.provider import Provider
from smartgov.engines.pki import keys
from smartgov.shared import clock
from smartgov.shared.text import Text

ISSUER = "https://id.example.test"
CALLBACK = "https://shop.example.test/callback"
FACTS = {"name": "林美玲", "email": "lin@example.test", "email_verified": True, "national_id": "A289999990"}


class FileSigner:
    """One key, in force since yesterday."""

    def __init__(self) -> None:
        self.keys = {}
        self.list: list[KeyPlan] = []
        self.add(clock.now() - timedelta(days=1))

    def add(self, not_before: Any) -> str:
        key = keys.generate_p256()
        public = keys.public_jwk(key.public_key())
        self.keys[public["kid"]] = jwk.ECKey.import_key(key)
        self.list.append(KeyPlan(public["kid"], public, not_before))
        return public["kid"]

    def plans(self) -> Sequence[KeyPlan]:
        return self.list

    def sign(self, claims: dict[str, Any], *, kid: str, typ: str) -> str:
        return jose.sign(claims, self.keys[kid], kid=kid, typ=typ)


class Folk:
    """Made-up people; whoever is in `gone` is no longer there."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.known: dict[tuple[str, str], str] = {}

    def claims(self, subject: str, names: frozenset[str], client: Client) -> dict[str, Any]:
        return {name: value for name, value in FACTS.items() if name in names}

    def pseudonym(self, subject: str, sector: str, generation: int) -> str:
        made = hashlib.sha256(f"{subject}/{sector}/{generation}".encode()).hexdigest()[:32]
        self.known[sector, made] = subject
        return made

    def still_holds(self, authentication: Authentication) -> bool:
        return authentication.subject not in self.gone

    def find(self, client: Client, sub: str) -> str | None:
        return self.known.get((client.pairwise_sector, sub))


def check_payment(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A made-up kind of rich request."""
    if set(given) != {"amount"} or not isinstance(given["amount"], int):
        raise ValueError("amount is a whole number, and all there is")
    return given


PAYMENT = DetailType(
    "payment", check_payment, lambda given: Text(f"Pay {given['amount']}", f"支付 {given['amount']}"), True
)


class World:
    """The provider, one FAPI 2.0 client and one of the plain profile, and a person."""

    def __init__(self, **client: Any) -> None:
        self.key = keys.generate_p256()
        public = keys.public_jwk(self.key.public_key())
        base = Client("shop", Text("Shop", "商店"), Text("To ship", "出貨"), (CALLBACK,), (public,))
        scopes = frozenset({"openid", "profile", "email", "offline_access"})
        self.client = replace(base, **{"scopes": scopes, "details": frozenset({"payment"}), **client})
        self.store, self.people, self.signer = MemoryStore(self.client), Folk(), FileSigner()
        self.provider = Provider(
            ISSUER,
            self.store,
            self.people,
            self.signer,
            b"s" * 32,
            {"payment": PAYMENT},
            lambda: levels.SUPPORTED[:4],
            now=clock.now,
        )
        self.rp = self.relying_party()

    def relying_party(self, client_id: str = "shop", **other: Any) -> RelyingParty:
        made = {"issuer": ISSUER, "client_id": client_id, "key": self.key, "redirect_uri": CALLBACK, "send": self.send}
        return RelyingParty(**{**made, "scope": "openid profile", **other})

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        answer = machine.answer(self.provider, Request(method, parts.path, parts.query, dict(headers), body))
        return answer.status, answer.headers, answer.body

    def event(self, **other: Any) -> Authentication:
        made = Authentication("person-1", "session-1", clock.now(), 2, ("swk", "user", "mfa"), phishing_resistant=True)
        return replace(made, **other)

    def visit(self, address: str, event: Authentication | None = None, *, agree: bool = True) -> str:
        """What a browser does in which a person is signed in and agrees: where it is sent at the end."""
        event = event or self.event()
        given = dict(parse_qsl(urlsplit(address).query))
        authorization, client = pushing.arrive(self.provider, given)
        if not authorizing.open_for(self.provider, authorization, "browser"):
            raise NotAnsweredToClientError("request", "taken")
        found = authorizing.opened(self.provider, authorization.id, "browser")
        assert found is not None
        step = authorizing.next_step(self.provider, client, found[0], event)
        if step.kind == "refuse":
            assert step.error is not None
            return authorizing.refusal(self.provider, found[0], step.error)
        assert step.kind in {"consent", "finish"}, step
        if step.kind == "consent":
            assert agree
        consented = step.kind == "consent"
        return authorizing.finish(self.provider, client, found[0], event, step, agreed=consented)

    def sign_in(self, event: Authentication | None = None, **wanted: Any) -> Any:
        """A whole sign-in."""
        address, kept = self.rp.begin(**wanted)
        return self.rp.finish(urlsplit(self.visit(address, event)).query, kept)


def plain(**other: Any) -> dict[str, Any]:
    """The members that make a client of the plain profile."""
    return {"profile": "plain", "sunset": date(2099, 1, 1), "sender": "none", **other}
