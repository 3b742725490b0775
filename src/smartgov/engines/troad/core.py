"""What the parts of one gateway share: its home, keys, log, configuration, clients and counters."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.httpd import Client
from smartgov.engines.pki import keys
from smartgov.engines.pki.token import TokenKey
from smartgov.engines.troad import batch_signature, handover, idempotency, records, traffic, wire
from smartgov.engines.troad import contract as contracts
from smartgov.engines.troad.alarms import Alarms
from smartgov.engines.troad.artefacts import Reader
from smartgov.engines.troad.behind import Behind
from smartgov.engines.troad.comparing import Comparing
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.consent_status import ConsentStatus
from smartgov.engines.troad.heads import Heads
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.idempotency import Claims
from smartgov.engines.troad.limits import Buckets
from smartgov.engines.troad.maintenance import Maintenance
from smartgov.engines.troad.moving import Moving
from smartgov.engines.troad.peers import Peers, policy_of
from smartgov.engines.troad.restoring import Restoring
from smartgov.engines.troad.stated import Stated
from smartgov.engines.troad.store import Entry, Store, Unsigned
from smartgov.engines.troad.traffic import Traffic
from smartgov.engines.troad.ways import Ways
from smartgov.shared import clock
from smartgov.shared.problems import Problem

CONNECTIONS = 256
"""To one peer or one information system at a time; more calls wait."""


class Core:
    """The parts of one gateway that all its doors use."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store = Store(
            home.path / "log.sqlite3",
            origin=home.gateway,
            log_key=home.log_key(),
            body_key=home.secret_key("body"),
        )
        self.configuration = Configuration(home)
        self.message_key: ec.EllipticCurvePrivateKey = home.p256("message")
        self.message_kid = keys.thumbprint(self.message_key.public_key())
        self.store.sign = partial(batch_signature.sign, self.message_key)
        self.store.writer.may_sign = not isinstance(self.message_key, TokenKey)
        self.reader = Reader(home.member, home.gateway, home.p256("reference"))
        self.alarms = Alarms()
        self.known = Peers(self.configuration, self.alarms, policy_of(home.revocation), self.now)
        self.peers = Client(
            ssl=self.configuration.client_tls,
            limit=CONNECTIONS,
            max_body=home.max_body,
            judge=self.known.judge,
            write_seconds=home.write_seconds,
        )
        self.services = Client(limit=CONNECTIONS, max_body=home.max_body)
        self.contract = contracts.cached(home.contract)
        self.buckets = Buckets()
        self.maintenance = Maintenance(home.path)
        self.behind = Behind(self)
        self.running = 0
        """Exchanges that are being worked on now."""
        self.consents = ConsentStatus(self)
        self.traffic = Traffic(self.now())
        self.heads = Heads(self)
        self.restoring = Restoring(self)
        self.comparing = Comparing(self)
        self.stated = Stated(self)
        self.ways = Ways(self)
        self._index_key = home.secret_key("index")
        self.moving = Moving(self)
        with self.store.reading() as (db, _):
            claim_key = handover.claim_key(db, home)
        self.claims = Claims(
            self._index_key,
            home.secret_key("body"),
            self.restoring.refuse_unsure_key,
            key=claim_key,
            keyed=int(self.store.fact(idempotency.KEYED) or 0),
        )

    def now(self) -> datetime:
        """The present instant."""
        return clock.now()

    def pseudonym(self, person: str | None) -> str | None:
        """The keyed pseudonym of a national id in this gateway's log."""
        return None if person is None else records.pseudonym(self._index_key, person)

    def pairwise(self, person: str, party: str) -> str:
        """The name of a person towards one party: HMAC-SHA-256 in hex, another one for every party."""
        return records.pseudonym(self._index_key, f"pairwise\n{party}\n{person}")

    def entry(self, record: dict[str, object], exchange: str = "", made: float | None = None) -> Entry:
        """A log entry made now, or at `made` (Unix seconds)."""
        return Entry(record, int(self.now().timestamp() if made is None else made), exchange)

    def sign(self, entry: Entry, fields: dict[str, str], base: bytes, digest: bytes, *, batch: bool) -> None:
        """Sign a message whose `signature-input` stands in `fields`: now, or with all others that commit with `entry`.

        `digest` is the SHA-256 of its base. The signature is in `fields` and in the record once that is committed.
        """
        if batch:
            entry.unsigned = Unsigned(digest, fields)
            return
        wire.attach(fields, keys.sign(self.message_key, base))
        entry.record["signature"] = fields["signature"]

    def count(self, side: str, service: str, peer: str, outcome: str, started: datetime) -> None:
        """Count one exchange with `peer` (a member, empty when it is not known)."""
        now = self.now()
        self.traffic.count(side, service, peer, outcome, (now - started).total_seconds(), now)

    def count_cut(self, certificate: bytes | None) -> None:
        """Count a connection that was cut because its other side, which showed this certificate, did not read."""
        try:
            peer = self.known.of(certificate).id if certificate else ""
        except Problem:
            peer = traffic.ELSEWHERE
        self.traffic.cut[peer] += 1
