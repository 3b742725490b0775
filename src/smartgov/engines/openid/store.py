"""What the provider needs kept. Each verb is one transaction, seen by all processes and surviving restarts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from smartgov.engines.openid.model import (
    Authentication,
    Authorization,
    Client,
    Granted,
    IssuedToken,
    Mark,
    Relation,
)


class Store(Protocol):
    """Storage. Secrets come as digests; whatever changes a state does so only from the state that it names."""

    def client(self, client_id: str) -> Client | None:
        """A registered client, active or not."""
        ...

    def seen_before(self, *marks: Mark) -> Sequence[Mark]:
        """Remember the marks; returns those that were seen before (and have not expired)."""
        ...

    def add(self, authorization: Authorization) -> None:
        """Keep a new authorization."""
        ...

    def by_request(self, key: str) -> Authorization | None:
        """The authorization whose request_uri or auth_req_id has this digest."""
        ...

    def by_code(self, key: str) -> Authorization | None:
        """The authorization whose code has this digest, whatever its state."""
        ...

    def by_id(self, authorization: str) -> Authorization | None:
        """An authorization."""
        ...

    def open(self, authorization: str, *, browser: str, expires_at: datetime) -> bool:
        """pushed -> opened, bound to the browser's digest; False when somebody was there before."""
        ...

    def grant(
        self,
        authorization: Authorization,
        granted: Granted,
        *,
        code_key: str,
        code_expires_at: datetime,
        agreed: frozenset[str] | None,
    ) -> bool:
        """pushed, opened or approved -> granted; `agreed` claims (None: nothing new) go into the relation."""
        ...

    def approve(self, authorization: str, granted: Granted) -> bool:
        """opened -> approved, from another device; the browser that waits then gets its code."""
        ...

    def refuse(self, authorization: str) -> bool:
        """pushed, opened or approved -> refused."""
        ...

    def redeem(self, authorization: str, tokens: Sequence[IssuedToken]) -> bool:
        """granted -> redeemed, with the tokens in the same transaction; False when it was redeemed before."""
        ...

    def add_tokens(self, tokens: Sequence[IssuedToken]) -> None:
        """Keep tokens of a redeemed authorization (refresh, exchange)."""
        ...

    def token(self, key: str) -> tuple[IssuedToken, Authorization] | None:
        """A token by its digest, with the authorization it came from; whether they still count is the caller's."""
        ...

    def rotate(self, key: str, tokens: Sequence[IssuedToken]) -> bool:
        """Mark a refresh token used and keep its successors; False when it was used before."""
        ...

    def revoke(self, authorization: str, reason: str) -> None:
        """granted or redeemed -> revoked; every token of it ends."""
        ...

    def revoke_token(self, key: str) -> None:
        """End one access token."""
        ...

    def waiting_for(self, subject: str) -> Sequence[Authorization]:
        """Back-channel requests that wait for this person's answer."""
        ...

    def relation(self, subject: str, client: str) -> Relation:
        """What a person and a client have agreed; an empty one when nothing."""
        ...


class People(Protocol):
    """What only the platform knows of people."""

    def claims(self, subject: str, names: frozenset[str], client: Client) -> dict[str, Any]:
        """Values of the claims that this client may have of this person; a missing value is left out."""
        ...

    def pseudonym(self, subject: str, sector: str, generation: int) -> str:
        """The `sub` of a person for a sector: differs for every sector and generation, and leads nowhere."""
        ...

    def still_holds(self, authentication: Authentication) -> bool:
        """Whether the person is still there and, for a mandate, whether it is still in force. Asked at each refresh."""
        ...

    def find(self, client: Client, sub: str) -> str | None:
        """The subject behind a pseudonym of this client, for back-channel requests; None when there is none."""
        ...
