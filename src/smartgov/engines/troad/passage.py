"""One call on its way through the provider's gateway: admitted, recorded, carried out, released.

Both ways in use it, that of other gateways and that of the own member's systems, so that neither can skip a check.
What belongs into the transactions of request and answer is attached to their log entries.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from smartgov.engines.httpd import Response
from smartgov.engines.troad import epochs, handover, limits, rights, single_place
from smartgov.engines.troad.backend import ask_service
from smartgov.engines.troad.contract import Operation
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.idempotency import Claim
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask, Grant
from smartgov.engines.troad.snapshot import Snapshot
from smartgov.engines.troad.store import Effect, Entry
from smartgov.shared.problems import Problem

_NOT_DONE = frozenset({429, 503})
"""With these a service says that it did nothing: the key is free again."""
_SILENT = frozenset({502, 504})
"""With these somebody behind the service was silent: what it did is not known."""
_NOT_ASKED = frozenset({"service-unreachable", "service-unknown"})


@dataclass(slots=True)
class Passage:
    """A call that was admitted; `answer` is what the service said, before it is cut."""

    core: Core
    ask: Ask
    grant: Grant
    operation: Operation | None
    claim: Claim | None
    since: int = 0
    """From when on this gateway is in charge of what may happen only once (Unix seconds)."""
    answer: Response | None = None
    counted: bool = False

    def record(self, entry: Entry) -> None:
        """Attach to the request's entry what must commit with it: quota, claim on the key, a consent not used yet."""
        terms = self.grant.service.terms
        if terms.per_day:
            entry.effects.append(limits.count(self.ask.client, self.grant.service.id, terms.per_day, self.core.now()))
        if self.claim is not None or self._single_use:
            entry.effects.append(self._refuse_handed_over)
            self.core.moving.running += 1
            self.counted = True
        if self.claim is not None:
            entry.effects.append(self.claim.take)
        if self._single_use:
            entry.effects.append(self._refuse_spent)

    async def carry_out(self) -> None:
        """Ask the service and hold its answer to the contract, or take the answer kept for this key."""
        if self.claim is not None and self.claim.stored is not None:
            self.answer = self.claim.stored
            return
        terms = self.grant.service.terms
        answer = await ask_service(self.core, self.ask, self.grant)
        if len(answer.body) > terms.body_bytes:
            raise refuse("answer-invalid", places=["body"], limit=terms.body_bytes)
        if self.operation is not None:
            contract = self.core.contract(terms.contract)
            contract.answer(self.operation, answer.status, answer.headers.get("content-type", ""), answer.body)
        self.answer = answer

    async def release(self) -> Response:
        """The answer cut to the fields that are granted now: what may have ended meanwhile is checked once more."""
        answer = self.answer
        assert answer is not None
        again = await authorise(self.core, self.ask, self.core.configuration.current())
        if not 200 <= answer.status < 300:
            return answer
        return Response(answer.status, answer.headers, rights.cut(answer.body, again.fields))

    def settle(self, entry: Entry, answer: Response) -> None:
        """Attach to the answer's entry what its release uses up, and what is kept for the key."""
        consent = self.grant.consent
        if self._single_use and consent is not None and answer.status < 500 and not self._spent_by_this_key():
            entry.spend = ("consent", consent.jti, consent.expires)
        if self.claim is not None and self.claim.mine:
            entry.effects.append(self._keep(self.claim, answer))

    def fail(self, entry: Entry, problem: Problem) -> None:
        """Attach to the refusal's entry what becomes of the key."""
        claim = self.claim
        if claim is None or not claim.mine:
            return
        if self.answer is not None:  # it was carried out, and may be told when rights or consent are there again
            entry.effects.append(self._keep(claim, self.answer))
        elif problem.slug in _NOT_ASKED:
            entry.effects.append(claim.release)
        else:
            entry.effects.append(claim.lose)

    def end(self) -> None:
        """Whatever happened: this process no longer works on the call."""
        if self.counted:
            self.core.moving.running -= 1
            self.counted = False
        if self.claim is not None:
            self.claim.end()

    def _keep(self, claim: Claim, answer: Response) -> Effect:
        spent = self.grant.consent.jti if self._single_use and self.grant.consent else ""

        def effect(db: sqlite3.Connection) -> None:
            if answer.status in _NOT_DONE:
                claim.release(db)
            elif answer.status in _SILENT:
                claim.lose(db)
            elif self.grant.service.durability == "meta":
                claim.finish_bare(db)  # what keeps no bodies keeps none for a repeat either
            else:
                claim.finish(db, answer, spent)

        return effect

    @property
    def _single_use(self) -> bool:
        return self.grant.consent is not None and self.grant.consent.single_use

    def _spent_by_this_key(self) -> bool:
        consent = self.grant.consent
        return self.claim is not None and consent is not None and self.claim.consent == consent.jti

    def _refuse_handed_over(self, db: sqlite3.Connection) -> None:
        """Once more within the transaction: it may have been handed over since the call was admitted."""
        handover.refuse_given(handover.given_by(epochs.stored(db)), self.since)

    def _refuse_spent(self, db: sqlite3.Connection) -> None:
        consent = self.grant.consent
        if consent is None or self._spent_by_this_key():
            return
        if db.execute("SELECT 1 FROM spent WHERE kind = 'consent' AND jti = ?", (consent.jti,)).fetchone():
            raise refuse("consent-used")


async def admit(core: Core, ask: Ask, snapshot: Snapshot) -> Passage:
    """The call, if size, rights, consent, contract and rate allow it; else the Problem that says what does not."""
    service = snapshot.services.get(ask.target.service_id)
    if service is None:
        raise refuse("service-unknown")
    terms = service.terms
    if len(ask.body) > terms.body_bytes:
        raise refuse("body-too-large", limit=terms.body_bytes)
    own, present = snapshot.members[service.member], core.now()
    begins = core.moving.begins(own.once_since)
    single_place.refuse_elsewhere(ask, own, core.home.gateway, present, core.moving.given, begins)
    grant = await authorise(core, ask, snapshot)
    operation = None
    if terms.contract:
        operation = core.contract(terms.contract).request(ask.method, ask.target.path, ask.query, ask.headers, ask.body)
    now = present.timestamp()
    core.buckets.take(ask.client, service.id, terms.per_minute, now)
    claim = core.claims.of(ask, int(now), core.moving.unsure(own.once_since), service.retain_days)
    return Passage(core, ask, grant, operation, claim, single_place.in_charge_since(own, core.home.gateway))


async def authorise(core: Core, ask: Ask, snapshot: Snapshot) -> Grant:
    """The right to this call, with a consent whose state is known to be at most 60 seconds old."""
    grant = rights.authorise(ask, snapshot, core.reader, core.now())
    if grant.consent is not None:
        await core.consents.check(grant.consent, snapshot)
    return grant
