"""A store in memory: for tests and for trying things out. One process, gone at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock

from smartgov.engines.openid.model import (
    CONSENT_LIFE,
    Authorization,
    Client,
    Granted,
    IssuedToken,
    Mark,
    Relation,
    State,
)
from smartgov.shared import clock


class MemoryStore:
    """Implements `Store`."""

    def __init__(self, *clients: Client) -> None:
        self.clients = {client.id: client for client in clients}
        self.marks: dict[tuple[str, str], datetime] = {}
        self.authorizations: dict[str, Authorization] = {}
        self.tokens: dict[str, IssuedToken] = {}
        self.relations: dict[tuple[str, str], Relation] = {}
        self.reasons: dict[str, str] = {}
        self._lock = RLock()

    def client(self, client_id: str) -> Client | None:
        """See `Store`."""
        return self.clients.get(client_id)

    def seen_before(self, *marks: Mark) -> Sequence[Mark]:
        """See `Store`."""
        with self._lock:
            seen = [mark for mark in marks if self.marks.get((mark.kind, mark.value), clock.now()) > clock.now()]
            self.marks.update({(mark.kind, mark.value): mark.expires_at for mark in marks if mark not in seen})
            return seen

    def add(self, authorization: Authorization) -> None:
        """See `Store`."""
        self.authorizations[authorization.id] = authorization

    def by_request(self, key: str) -> Authorization | None:
        """See `Store`."""
        return next((found for found in self.authorizations.values() if found.request_key == key), None)

    def by_code(self, key: str) -> Authorization | None:
        """See `Store`."""
        return next((found for found in self.authorizations.values() if found.code_key == key), None)

    def by_id(self, authorization: str) -> Authorization | None:
        """See `Store`."""
        return self.authorizations.get(authorization)

    def open(self, authorization: str, *, browser: str, expires_at: datetime) -> bool:
        """See `Store`."""
        with self._lock:
            return self._move(authorization, {"pushed"}, "opened", browser=browser, expires_at=expires_at)

    def grant(
        self,
        authorization: Authorization,
        granted: Granted,
        *,
        code_key: str,
        code_expires_at: datetime,
        agreed: frozenset[str] | None,
    ) -> bool:
        """See `Store`."""
        with self._lock:
            changes = {"granted": granted, "code_key": code_key, "code_expires_at": code_expires_at}
            if not self._move(authorization.id, {"pushed", "opened", "approved"}, "granted", **changes):
                return False
            if agreed is not None:
                self._agree(authorization.client, granted, agreed)
            return True

    def approve(self, authorization: str, granted: Granted) -> bool:
        """See `Store`."""
        with self._lock:
            return self._move(authorization, {"opened"}, "approved", granted=granted)

    def waiting_for(self, subject: str) -> Sequence[Authorization]:
        """See `Store`."""
        found = self.authorizations.values()
        return [each for each in found if (each.subject, each.way, each.state) == (subject, "ciba", "pushed")]

    def refuse(self, authorization: str) -> bool:
        """See `Store`."""
        with self._lock:
            return self._move(authorization, {"pushed", "opened", "approved"}, "refused")

    def redeem(self, authorization: str, tokens: Sequence[IssuedToken]) -> bool:
        """See `Store`."""
        with self._lock:
            done = self._move(authorization, {"granted"}, "redeemed")
            if done:
                self.add_tokens(tokens)
            return done

    def add_tokens(self, tokens: Sequence[IssuedToken]) -> None:
        """See `Store`."""
        self.tokens.update({token.key: token for token in tokens})

    def token(self, key: str) -> tuple[IssuedToken, Authorization] | None:
        """See `Store`."""
        found = self.tokens.get(key)
        return (found, self.authorizations[found.authorization]) if found else None

    def rotate(self, key: str, tokens: Sequence[IssuedToken]) -> bool:
        """See `Store`."""
        with self._lock:
            if self.tokens[key].used_at is not None:
                return False
            self.tokens[key] = replace(self.tokens[key], used_at=clock.now())
            self.add_tokens(tokens)
            return True

    def revoke(self, authorization: str, reason: str) -> None:
        """See `Store`."""
        with self._lock:
            self.reasons[authorization] = reason
            self._move(authorization, {"granted", "redeemed"}, "revoked")

    def revoke_token(self, key: str) -> None:
        """See `Store`."""
        self.tokens.pop(key, None)

    def relation(self, subject: str, client: str) -> Relation:
        """See `Store`."""
        return self.relations.get((subject, client), Relation())

    def _move(self, authorization: str, origin: set[str], state: State, **changes: object) -> bool:
        found = self.authorizations.get(authorization)
        if found is None or found.state not in origin:
            return False
        self.authorizations[authorization] = replace(found, state=state, **changes)  # type: ignore[arg-type]
        return True

    def _agree(self, client: str, granted: Granted, claims: frozenset[str]) -> None:
        subject = granted.authentication.subject
        before = self.relation(subject, client)
        self.relations[subject, client] = Relation(
            before.generation,
            before.scopes | set(granted.scopes),
            before.claims | claims,
            clock.now() + CONSENT_LIFE,
        )
