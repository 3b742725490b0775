"""The provider's storage: one transaction a verb, with its audit entry, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity.models import OpenidAuthorization, OpenidRelation, OpenidToken
from smartgov.blocks.identity.openid import parties
from smartgov.blocks.ops.api import Statement, Statements, moment_in, text_in, text_out, written
from smartgov.engines.openid.model import (
    CONSENT_LIFE,
    FOLLOWS,
    REFRESH_LIFE,
    Authorization,
    Client,
    Granted,
    IssuedToken,
    Mark,
    Relation,
)
from smartgov.engines.openid.stored import asked_from_json, asked_to_json, granted_from_json, granted_to_json
from smartgov.shared import clock
from smartgov.shared.actor import Actor

# The database's own uniqueness decides, so two processes cannot both be first.
_MARK = "INSERT INTO identity_openidmark (key, expires_at) VALUES {} ON CONFLICT (key) DO NOTHING RETURNING key"
_COLUMNS = (
    "id",
    "client",
    "state",
    "way",
    "asked",
    "granted",
    "created_at",
    "expires_at",
    "request_key",
    "browser",
    "code_key",
    "code_expires_at",
    "number",
    "subject",
)
_TOKEN = (
    "key",
    "kind",
    "authorization_id",
    "client",
    "scopes",
    "bound",
    "audience",
    "sub",
    "actor",
    "issued_at",
    "expires_at",
    "used_at",
)
_LONGEST_ACCESS = timedelta(hours=1)


# Within a door's own transaction a verb needs no savepoint: whatever raises here undoes the whole request.
_together = transaction.atomic(savepoint=False)


class DatabaseStore:
    """Implements `engines.openid.store.Store`."""

    def client(self, client_id: str) -> Client | None:
        """See `Store`."""
        return parties.found(client_id)

    def seen_before(self, *marks: Mark) -> list[Mark]:
        """See `Store`."""
        named = {f"{mark.kind}:{mark.value}": mark for mark in marks}
        given = [value for name, mark in named.items() for value in (name, mark.expires_at)]
        marking = _marking(len(named))
        first = {marking.found(row)[0] for row in marking.run(given).fetchall()}
        return [mark for name, mark in named.items() if name not in first]

    def add(self, authorization: Authorization) -> None:
        """See `Store`."""
        _authorizations.insert(
            {
                "id": authorization.id,
                "client": authorization.client,
                "state": authorization.state,
                "way": authorization.way,
                "asked": asked_to_json(authorization.asked),
                "request_key": authorization.request_key or None,
                "browser": "",
                "code_key": None,
                "code_expires_at": None,
                "subject": authorization.subject or None,
                "session": None,
                "granted": None,
                "number": authorization.number,
                "ended": "",
                "created_at": authorization.created_at,
                "expires_at": authorization.expires_at,
                "keep_until": authorization.expires_at,
            }
        )

    def by_request(self, key: str) -> Authorization | None:
        """See `Store`."""
        return _found(request_key=key)

    def by_code(self, key: str) -> Authorization | None:
        """See `Store`."""
        return _found(code_key=key)

    def by_id(self, authorization: str) -> Authorization | None:
        """See `Store`."""
        return _found(id=authorization)

    def open(self, authorization: str, *, browser: str, expires_at: datetime) -> bool:
        """See `Store`."""
        changes = {"browser": browser, "expires_at": expires_at, "keep_until": expires_at}
        return _move(authorization, ("pushed",), "opened", **changes)

    @_together
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
        event = granted.authentication
        lasting = REFRESH_LIFE if "offline_access" in granted.scopes else _LONGEST_ACCESS
        changes = {
            "granted": granted_to_json(granted),
            "subject": event.subject,
            "session": event.session,
            "code_key": code_key or None,
            "code_expires_at": code_expires_at,
            "keep_until": clock.now() + lasting,
        }
        if not _move(authorization.id, ("pushed", "opened", "approved"), "granted", **changes):
            return False
        if agreed is not None:
            _agree(event.subject, authorization.client, granted, agreed)
        actor = Actor("citizen", subject=event.subject, acting_for=event.acting_for or None, assurance=event.level)
        _note(actor, "openid.granted", authorization.id, {"client": authorization.client, "acr": granted.acr})
        return True

    def approve(self, authorization: str, granted: Granted) -> bool:
        """See `Store`."""
        return _move(authorization, ("opened",), "approved", granted=granted_to_json(granted))

    def waiting_for(self, subject: str) -> list[Authorization]:
        """See `Store`."""
        rows = OpenidAuthorization.objects.filter(subject=subject, way="ciba", state="pushed")
        live = rows.filter(expires_at__gt=clock.now()).order_by("created_at")
        return [_authorization_of(*values) for values in live.values_list(*_COLUMNS)]

    def refuse(self, authorization: str) -> bool:
        """See `Store`."""
        return _move(authorization, ("pushed", "opened", "approved"), "refused")

    @_together
    def redeem(self, authorization: str, tokens: Sequence[IssuedToken]) -> bool:
        """See `Store`."""
        if not _move(authorization, ("granted",), "redeemed"):
            return False
        self.add_tokens(tokens)
        return True

    def add_tokens(self, tokens: Sequence[IssuedToken]) -> None:
        """See `Store`."""
        _tokens.insert(*(_row_of(token) for token in tokens))

    def token(self, key: str) -> tuple[IssuedToken, Authorization] | None:
        """See `Store`."""
        found = _tokens.pair(_TOKEN, _authorizations, _COLUMNS, by="authorization_id", key=key)
        return (_token_of(*found[0]), _authorization_of(*found[1])) if found else None

    @_together
    def rotate(self, key: str, tokens: Sequence[IssuedToken]) -> bool:
        """See `Store`."""
        if not OpenidToken.objects.filter(key=key, used_at=None).update(used_at=clock.now()):
            return False
        self.add_tokens(tokens)
        return True

    @_together
    def revoke(self, authorization: str, reason: str) -> None:
        """See `Store`."""
        if _move(authorization, ("granted", "redeemed"), "revoked", ended=reason):
            _note(_SYSTEM, "openid.revoked", authorization, {"reason": reason})

    def revoke_token(self, key: str) -> None:
        """See `Store`."""
        OpenidToken.objects.filter(key=key).delete()

    def relation(self, subject: str, client: str) -> Relation:
        """See `Store`."""
        row = _relations.values(("generation", "scopes", "claims", "until"), subject=subject, client=client)
        if row is None:
            return Relation()
        generation, scopes, claims, until = row
        return Relation(generation, frozenset(scopes), frozenset(claims), until)


_authorizations, _tokens = Statements(OpenidAuthorization), Statements(OpenidToken)
_relations = Statements(OpenidRelation)
_SYSTEM = Actor.for_system("portal", "identity")


@lru_cache(maxsize=4)
def _marking(count: int) -> Statement:
    text = _MARK.format(", ".join(["(%s, %s)"] * count))
    return written(text, [text_in(), moment_in()] * count, [text_out()])


def _move(authorization: str, origins: tuple[str, ...], state: str, **changes: Any) -> bool:
    assert all(state in FOLLOWS[origin] for origin in origins)
    return bool(_authorizations.update({"state": state, **changes}, id=authorization, state=origins))


def _found(**key: str) -> Authorization | None:
    values = _authorizations.values(_COLUMNS, **key)
    return _authorization_of(*values) if values else None


def _authorization_of(
    name: str,
    client: str,
    state: Any,
    way: Any,
    asked: Any,
    granted: Any,
    created_at: datetime,
    expires_at: datetime,
    request_key: str | None,
    browser: str,
    code_key: str | None,
    code_expires_at: datetime | None,
    number: str,
    subject: str | None,
) -> Authorization:
    """The value of a row, whose columns come in the order of `_COLUMNS`."""
    return Authorization(
        id=name,
        client=client,
        state=state,
        asked=asked_from_json(asked),
        way=way,
        created_at=created_at,
        expires_at=expires_at,
        request_key=request_key or "",
        browser=browser,
        code_key=code_key or "",
        code_expires_at=code_expires_at,
        granted=granted_from_json(granted, UTC) if granted else None,
        number=number,
        subject=subject or "",
    )


def _row_of(token: IssuedToken) -> dict[str, Any]:
    return {
        "key": token.key,
        "kind": token.kind,
        "authorization_id": token.authorization,
        "client": token.client,
        "scopes": " ".join(token.scopes),
        "bound": token.bound,
        "audience": token.audience,
        "sub": token.sub,
        "actor": token.actor,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def _token_of(
    key: str,
    kind: Any,
    authorization: str,
    client: str,
    scopes: str,
    bound: str,
    audience: str,
    sub: str,
    actor: Any,
    issued_at: datetime,
    expires_at: datetime,
    used_at: datetime | None,
) -> IssuedToken:
    """The value of a row, whose columns come in the order of `_TOKEN`."""
    return IssuedToken(
        key=key,
        kind=kind,
        authorization=authorization,
        client=client,
        scopes=tuple(scopes.split()),
        issued_at=issued_at,
        expires_at=expires_at,
        bound=bound,
        audience=audience,
        sub=sub,
        actor=actor,
        used_at=used_at,
    )


def _agree(subject: str, client: str, granted: Granted, claims: frozenset[str]) -> None:
    now = clock.now()
    row, _ = OpenidRelation.objects.select_for_update().get_or_create(
        subject=subject, client=client, defaults={"kept_until": now + CONSENT_LIFE}
    )
    in_force = row.until is not None and row.until > now
    row.scopes = sorted({*granted.scopes, *(row.scopes if in_force else ())})
    row.claims = sorted({*claims, *(row.claims if in_force else ())})
    row.agreed_at, row.until, row.withdrawn_at, row.kept_until = now, now + CONSENT_LIFE, None, now + CONSENT_LIFE
    row.save()


def _note(actor: Actor, action: str, authorization: str, detail: dict[str, str]) -> None:
    audit.record(actor=actor, action=action, object_type="authorization", object_id=authorization, detail=detail)
