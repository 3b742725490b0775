"""The authority's lists of revocations: the complete one, numbered anew with every change, and the delta list on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from smartgov.engines.pki import certificates, deltas, revocation
from smartgov.engines.pki.authority.life import Record, State
from smartgov.engines.pki.authority.store import Store
from smartgov.shared import clock

LIFE = timedelta(hours=24)


class Lists:
    """The lists of one authority, kept in its store. `address` is where askers reach `/delta`; empty for nowhere."""

    def __init__(self, ca: certificates.CertificateAuthority, store: Store, address: str) -> None:
        self._ca, self._store = ca, store
        self._delta_at = f"{address}/delta" if address else ""
        self._delta: tuple[int, bytes] | None = None

    def in_force(self) -> bytes | None:
        """The last complete list; None when there is none yet, or half of its life is over."""
        last = self._store.last_list()
        if last is None:
            return None
        ends = revocation.read(last[1], self._ca.certificate).head.next_update
        return last[1] if ends and clock.now() < ends - LIFE / 2 else None

    def make(self) -> bytes:
        """Make and keep the next complete list, within a change of the store."""
        last, now = self._store.last_list(), clock.now()
        number = last[0] + 1 if last else 1
        der = self._build(number, map(_row, self._store.on_list()), now, delta_at=self._delta_at)
        self._store.put_list(number, now.isoformat(), der)
        return der

    def delta_to(self, complete: bytes) -> bytes:
        """The delta list (RFC 5280 5.2.4) to this complete list, from the one that was in force a day ago."""
        newest = revocation.read(complete, self._ca.certificate)
        number, made_at = newest.head.number, clock.now()
        assert number is not None
        if self._delta is None or self._delta[0] != number:
            found = self._store.list_before((made_at - LIFE).isoformat())
            assert found is not None
            base = revocation.read(found[1], self._ca.certificate)
            listed, gone = deltas.difference(base, newest, self._left_since(base.head.this_update))
            self._delta = (number, self._build(number, listed, made_at, base=found[0], gone=gone))
        return self._delta[1]

    def _build(
        self,
        number: int,
        revoked: Iterable[revocation.Revocation],
        made_at: datetime,
        *,
        base: int | None = None,
        gone: Iterable[int] = (),
        delta_at: str = "",
    ) -> bytes:
        return revocation.build(
            key=self._ca.key,
            authority=self._ca.certificate,
            number=number,
            revoked=revoked,
            made_at=made_at,
            life=LIFE,
            base=base,
            gone=gone,
            delta_at=delta_at,
        )

    def _left_since(self, moment: datetime) -> Iterator[int]:
        """Serials that have left the list since then, by the trail: some came after `moment` and left again."""
        for entry in self._store.newest_entries():
            deed = entry.content
            if datetime.fromisoformat(deed["at"]) < moment:
                return
            if deed["step"] in {"activate", "resume", "expire"}:
                yield int(deed["detail"]["serial"])


def _row(record: Record) -> revocation.Revocation:
    assert record.serial is not None
    if record.state is State.REVOKED:
        assert record.revoked_at is not None
        return revocation.Revocation(record.serial, record.revoked_at, record.reason)
    assert record.held_at is not None
    return revocation.Revocation(record.serial, record.held_at, revocation.HOLD)
