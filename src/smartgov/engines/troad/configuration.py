"""The configuration of a running gateway: reread when its file changes, fetched from the centre, never rolled back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from smartgov.engines.httpd import Client, frames
from smartgov.engines.pki import keys
from smartgov.engines.troad import past
from smartgov.engines.troad import snapshot as snapshots
from smartgov.engines.troad.batch_signature import Roots
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Snapshot
from smartgov.engines.trust import Follower, View
from smartgov.shared import clock
from smartgov.shared.problems import Problem

log = structlog.get_logger()
CENTRE_SECONDS = 20.0
LOOK_SECONDS = 0.005
"""The file is looked at again after so long: often enough for the next message, not for every one under load."""


class Configuration:
    """Gives the snapshot in force and keeps the TLS contexts at the certificates it lists."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._view: View | None = None
        self._snapshot: Snapshot | None = None
        self._as_it_is_until = 0.0
        """When the next part of the configuration, or all of it, ends (Unix seconds)."""
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0
        self.roots = Roots()
        """Batch signatures verified under the present configuration."""
        self._unreadable: tuple[str, ...] = ()
        self.server_tls = _context(home, ssl.PROTOCOL_TLS_SERVER)
        self.client_tls = _context(home, ssl.PROTOCOL_TLS_CLIENT)
        self._look()

    def current(self) -> Snapshot:
        """The snapshot in force; Problem `configuration-missing` or `configuration-expired`."""
        if time.monotonic() >= self._look_at:
            self._look()
        view = self._view
        if view is None or self._snapshot is None:
            raise refuse("configuration-missing")
        if clock.timestamp() >= self._as_it_is_until:
            now = clock.now()
            if now >= view.usable_until:
                raise refuse("configuration-expired", expired_at=view.expires_at.isoformat())
            self._index(view, now)
        return self._snapshot

    def state(self) -> dict[str, object]:
        """Version, times and what an operator must see, for the health answer."""
        self._look()
        if self._view is None:
            return {"version": None, "expires_at": None, "expired": True, "in_grace": False, "digest": "", "alarms": []}
        now = clock.now()
        return {
            "version": self._view.version,
            "expires_at": self._view.expires_at.isoformat(),
            "expired": now >= self._view.usable_until,
            "in_grace": self._view.expires_at <= now < self._view.usable_until,
            "digest": self._view.digest,
            "alarms": [*self._view.alarms, *(f"offer-unreadable:{service}" for service in self._unreadable)],
        }

    def present(self) -> None:
        """Show the certificate that lies in the home now; connections that stand keep the one that they began with."""
        for context in (self.server_tls, self.client_tls):
            context.load_cert_chain(self._home.path / "certs" / "tls.pem", self._home.path / "keys" / "tls.key")

    def offer_ends(self, member: str) -> datetime | None:
        """When the offer of a member that this gateway has accepted ends."""
        return self._view.offer_ends.get(member) if self._view else None

    def own_offer(self) -> tuple[Mapping[str, Any], int] | None:
        """What the own member offers, as it was accepted, and its number."""
        if self._view is None or (offer := self._view.offers.get(self._home.member)) is None:
            return None
        return offer, self._view.offer_versions[self._home.member]

    async def follow_centre(self, client: Client) -> None:
        """Ask the centre for a newer configuration again and again; a centre that is down changes nothing."""
        while True:
            try:
                answer = await client.request("GET", self._home.centre_url, timeout=10)
                if answer.status == 200 and self._take(answer.body):
                    keys.write_secret(self._home.bundle, answer.body)
            except (OSError, ValueError) as error:
                log.info("centre_not_reached", error=type(error).__name__)
            await asyncio.sleep(CENTRE_SECONDS)

    def _look(self) -> None:
        if (present := time.monotonic()) < self._look_at:
            return
        self._look_at = present + LOOK_SECONDS
        path: Path = self._home.bundle
        try:
            stat = path.stat()
        except FileNotFoundError:
            return
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._seen = seen
            self._take(path.read_bytes())

    def _take(self, bundle: bytes) -> bool:
        """Accept what verifies and is not older than what was accepted before; whether something changed."""
        now, before = clock.now(), self._view
        try:
            follower = Follower(self._home.path / "trust", self._home.anchor())
            fresh = follower.take(bundle, now)
            self._index(fresh, now)
        except (Problem, ValueError, KeyError, TypeError, OSError) as error:
            log.warning("configuration_refused", reason=str(error)[:200])
            return False
        past.keep(self._home.path, bundle, fresh.digest, now)
        for alarm in fresh.alarms:
            log.error("configuration_alarm", alarm=alarm)
        log.info("configuration_taken", version=fresh.version, digest=fresh.digest)
        return before is None or fresh.digest != before.digest

    def _index(self, view: View, now: datetime) -> None:
        """Put `view` in force as it stands at `now`: offers that have ended are left out."""
        data, self._unreadable = snapshots.readable(view.merged(now))
        fresh = snapshots.parse(data)
        self._view, self._snapshot = view, fresh
        self._as_it_is_until = min(view.next_end(now), view.usable_until).timestamp()
        self.roots.forget()
        # Certificates can only be added to a live context; that a removed one is refused is seen to by its fingerprint.
        listed = [gateway.tls_certificate for gateway in fresh.gateways.values() if gateway.tls_certificate]
        pem = "".join([*fresh.anchors, *listed])
        if pem:
            self.server_tls.load_verify_locations(cadata=pem)
            self.client_tls.load_verify_locations(cadata=pem)


def _context(home: Home, purpose: int) -> ssl.SSLContext:
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the certificate itself is compared with the registered one
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(home.path / "certs" / "tls.pem", home.path / "keys" / "tls.key")
    context.set_alpn_protocols([frames.ALPN, "http/1.1"])
    if purpose == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0  # a resumed session would outlive the removal of its certificate
    return context
