"""The provider's storage: one transaction a verb, with its audit entry, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity.models import (
    OpenidAuthorization,
    OpenidRelation,
    OpenidToken,
)
from smartgov.blocks.identity.openid import parties
from smartgov.blocks.ops.api import Statements
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
        given: list[Any] = []
        for name, mark in named.items():
            given += [name, connection.ops.adapt_datetimefield_value(mark.expires_at)]
        with connection.cursor() as cursor:
            cursor.execute(_MARK.format(", ".join(["(%s, %s)"] * len(named))), given)
            first = {name for (name,) in cursor.fetchall()}
        return [mark for name, mark in named.items() if name not in first]

    def add(self, authorization: Authorization) -> None:
        """See `Store`."""
        _authorizations.insert(
            OpenidAuthorization(
                id=authorization.id,
                client=authorization.client,
                state=authorization.state,
                way=authorization.way,
                asked=asked_to_json(authorization.asked),
                request_key=authorization.request_key or None,
                number=authorization.number,
                subject=authorization.subject,
                created_at=authorization.created_at,
                expires_at=authorization.expires_at,
                keep_until=authorization.expires_at,
            )
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
        return [_authorization_of(row) for row in rows.filter(expires_at__gt=clock.now()).order_by("created_at")]

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
        row = _tokens.first(key=key)
        found = _found(id=row.authorization_id) if row else None
        return (_token_of(row), found) if row and found else None

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


def _move(authorization: str, origins: tuple[str, ...], state: str, **changes: Any) -> bool:
    assert all(state in FOLLOWS[origin] for origin in origins)
    return bool(_authorizations.update({"state": state, **changes}, id=authorization, state=origins))


def _found(**key: str) -> Authorization | None:
    row = _authorizations.first(**key)
    return _authorization_of(row) if row else None


def _authorization_of(row: OpenidAuthorization) -> Authorization:
    return Authorization(
        id=row.id,
        client=row.client,
        state=row.state,  # type: ignore[arg-type]
        asked=asked_from_json(row.asked),
        way=row.way,  # type: ignore[arg-type]
        created_at=row.created_at,
        expires_at=row.expires_at,
        request_key=row.request_key or "",
        browser=row.browser,
        code_key=row.code_key or "",
        code_expires_at=row.code_expires_at,
        granted=granted_from_json(row.granted, UTC) if row.granted else None,
        number=row.number,
        subject=row.subject,
    )


def _row_of(token: IssuedToken) -> OpenidToken:
    return OpenidToken(
        key=token.key,
        kind=token.kind,
        authorization_id=token.authorization,
        client=token.client,
        scopes=" ".join(token.scopes),
        bound=token.bound,
        audience=token.audience,
        sub=token.sub,
        actor=token.actor,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )


def _token_of(row: OpenidToken) -> IssuedToken:
    return IssuedToken(
        key=row.key,
        kind="access" if row.kind == "access" else "refresh",
        authorization=row.authorization_id,
        client=row.client,
        scopes=tuple(row.scopes.split()),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        bound=row.bound,
        audience=row.audience,
        sub=row.sub,
        actor=row.actor,
        used_at=row.used_at,
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
