"""The configuration of a running gateway: reread when its file changes, fetched from the centre, never rolled back."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from smartgov.engines.httpd import Client
from smartgov.engines.pki import keys
from smartgov.engines.troad import snapshot as snapshots
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Snapshot
from smartgov.shared import clock
from smartgov.shared.problems import Problem

log = structlog.get_logger()
CENTRE_SECONDS = 20.0


class Configuration:
    """Gives the snapshot in force and keeps the TLS contexts at the certificates it lists."""

    def __init__(self, home: Home, *, oldest: int = 0) -> None:
        self._home, self._oldest = home, oldest
        self._snapshot: Snapshot | None = None
        self._seen: tuple[int, int] | None = None
        self.server_tls = _context(home, ssl.PROTOCOL_TLS_SERVER)
        self.client_tls = _context(home, ssl.PROTOCOL_TLS_CLIENT)
        self._look()

    def current(self) -> Snapshot:
        """The snapshot in force; Problem `configuration-missing` or `configuration-expired`."""
        self._look()
        if self._snapshot is None:
            raise refuse("configuration-missing")
        if snapshots.expired(self._snapshot, clock.now()):
            raise refuse("configuration-expired", expired_at=self._snapshot.expires_at.isoformat())
        return self._snapshot

    @property
    def version(self) -> int:
        """The highest version accepted so far."""
        return self._oldest

    def state(self) -> dict[str, object]:
        """Version and times, for the health answer."""
        self._look()
        if self._snapshot is None:
            return {"version": None, "expires_at": None, "expired": True}
        return {
            "version": self._snapshot.version,
            "expires_at": self._snapshot.expires_at.isoformat(),
            "expired": snapshots.expired(self._snapshot, clock.now()),
        }

    async def follow_centre(self, client: Client) -> None:
        """Ask the centre for a newer snapshot again and again; a centre that is down changes nothing."""
        while True:
            try:
                answer = await client.request("GET", self._home.centre_url, timeout=10)
                if answer.status == 200 and self._take(answer.body.decode("ascii").strip()):
                    keys.write_secret(self._home.snapshot, answer.body)
            except (OSError, ValueError) as error:
                log.info("centre_not_reached", error=type(error).__name__)
            await asyncio.sleep(CENTRE_SECONDS)

    def _look(self) -> None:
        path: Path = self._home.snapshot
        try:
            stat = path.stat()
        except FileNotFoundError:
            return
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._seen = seen
            self._take(path.read_text().strip())

    def _take(self, token: str) -> bool:
        """Accept a snapshot by the configuration key that is not older than the last one."""
        try:
            fresh = snapshots.read(token, self._home.anchor())
        except (Problem, ValueError, KeyError, IndexError, TypeError, OSError) as error:
            log.warning("configuration_refused", reason=str(error)[:200])
            return False
        if fresh.version < self._oldest or (self._snapshot and fresh.version == self._snapshot.version):
            log.warning("configuration_ignored", version=fresh.version, oldest=self._oldest)
            return False
        self._snapshot, self._oldest = fresh, fresh.version
        self._trust(fresh)
        log.info("configuration_taken", version=fresh.version, members=len(fresh.members))
        return True

    def _trust(self, fresh: Snapshot) -> None:
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
    if purpose == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0  # a resumed session would outlive the removal of its certificate
    return context
