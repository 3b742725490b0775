"""Whose TLS certificate is it, and does it still count: asked of every connection, and of every request on it.

A gateway is known by the certificate that the configuration lists, or by a later one for the same key which an
authority of the configuration (`anchors`) has issued to the gateway's name: so certificates are short and renewed
without a new configuration. Certificates of an authority are looked up in its revocation list (`revocation_lists`);
a list that is too old for this gateway's policy counts as an answer that is missing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography import x509

from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki.revocation import Policy, RevocationList
from smartgov.engines.troad.alarms import Alarms
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Gateway, Snapshot
from smartgov.shared.problems import Problem

LISTS, ANCHORS = "revocation_lists", "anchors"
ALARM = "revocation-list-old"
GRACE = timedelta(hours=24)
_MOST_KNOWN = 4096
_STANDS = 1.0
"""For so long (seconds) a judgement stands: on a busy connection it is not made for every message."""


def policy_of(settings: Mapping[str, Any]) -> Policy:
    """The policy of `gateway.yaml`: `revocation: {grace: seconds, unknown: refuse | warn}`; default a day, refuse."""
    unknown = settings.get("unknown", "refuse")
    if unknown not in {"refuse", "warn"}:
        raise ValueError("revocation.unknown is refuse or warn")
    grace = timedelta(seconds=int(settings.get("grace", GRACE.total_seconds())))
    if grace > GRACE:
        raise ValueError("revocation.grace is at most a day")
    return Policy(grace=grace, unknown=unknown)


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    listed: RevocationList | None


class Peers:
    """Answers for the configuration that is in force at the moment of the question."""

    def __init__(
        self, configuration: Configuration, alarms: Alarms, policy: Policy, now: Callable[[], datetime]
    ) -> None:
        self._configuration, self._alarms, self._policy, self._now = configuration, alarms, policy, now
        self._snapshot: Snapshot | None = None
        self._authorities: list[_Authority] = []
        self._by_key: dict[str, Gateway] = {}
        self._judged: dict[bytes, tuple[Gateway, float]] = {}

    def of(self, der: bytes | None) -> Gateway:
        """The gateway that shows this certificate (DER).

        Problem `peer-unknown`, `peer-certificate-ended`, `peer-revoked` or `revocation-unknown`.
        """
        snapshot, present = self._look(), self._now().timestamp()
        if not der:
            raise refuse("peer-unknown")
        known = self._judged.get(der)
        if known is not None and 0 <= present - known[1] < _STANDS:
            return known[0]
        gateway = snapshot.by_tls.get(sha256(der).hexdigest()) or self._renewed(der)
        if gateway is None:
            raise refuse("peer-unknown")
        self._refuse_ended(der, gateway, self._now())
        if len(self._judged) >= _MOST_KNOWN:
            self._judged.clear()
        self._judged[der] = (gateway, present)
        return gateway

    def judge(self, expected: str, shown: bytes) -> bool:
        """For the client: whether the certificate `shown` is one that counts of the gateway listed with `expected`."""
        try:
            gateway = self.of(shown)
        except Problem:
            return False
        return gateway.tls_fingerprint == expected

    def watch(self) -> None:
        """Raise, or end, the alarm of an old revocation list; refusing is `of`'s, when the policy's grace is over."""
        try:
            self._look()
        except Problem:
            return
        now, ended = self._now(), ""
        for one in self._authorities:
            if one.listed is None or one.listed.head.next_update is None or now > one.listed.head.next_update:
                ended = one.certificate.subject.rfc4514_string()
        if ended:
            self._alarms.set(ALARM, ended)
        else:
            self._alarms.clear(ALARM)

    def _look(self) -> Snapshot:
        snapshot = self._configuration.current()
        if snapshot is not self._snapshot:
            self._authorities = _authorities(snapshot)
            self._by_key = {key: gateway for gateway in snapshot.gateways.values() if (key := _key_of(gateway))}
            self._snapshot, self._judged = snapshot, {}
        return snapshot

    def _renewed(self, der: bytes) -> Gateway | None:
        certificate = _parsed(der)
        if certificate is None or self._authority_of(certificate) is None:
            return None
        try:
            gateway = self._by_key.get(keys.thumbprint(certificates.public_key(certificate)))
        except ValueError:
            return None
        return gateway if gateway and certificates.common_name(certificate) == gateway.id[:64] else None

    def _refuse_ended(self, der: bytes, gateway: Gateway, now: datetime) -> None:
        certificate = _parsed(der)
        if certificate is None:
            raise refuse("peer-unknown")
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            raise refuse("peer-certificate-ended", gateway=gateway.id)
        authority = self._authority_of(certificate)
        if authority is None:
            return  # it signed itself, and the signed configuration lists it: dropped from there, it is gone
        lists = [] if authority.listed is None else [authority.listed]  # an empty list is false
        found = revocation.check(certificate, authority.certificate, lists, now=now, policy=self._policy)
        if found.status in {"revoked", "suspended"}:
            raise refuse("peer-revoked", gateway=gateway.id)
        if not found.accepted:
            raise refuse("revocation-unknown", gateway=gateway.id)

    def _authority_of(self, certificate: x509.Certificate) -> _Authority | None:
        for one in self._authorities:
            if certificate.issuer == one.certificate.subject and _issued(certificate, one.certificate):
                return one
        return None


def _authorities(snapshot: Snapshot) -> list[_Authority]:
    """The authorities of the configuration, each with its newest list; a list that does not verify is none."""
    found = []
    lists = [base64.b64decode(text) for text in snapshot.data.get(LISTS, ())]
    for pem in snapshot.anchors:
        authority = certificates.from_pem(pem.encode())
        own = [one for raw in lists if (one := _own_list(raw, authority)) is not None]
        newest = max(own, key=lambda one: (one.head.this_update, one.head.number or 0), default=None)
        found.append(_Authority(authority, newest))
    return found


def _own_list(raw: bytes, authority: x509.Certificate) -> RevocationList | None:
    try:
        return revocation.read(raw, authority)
    except ValueError:
        return None


@lru_cache(maxsize=_MOST_KNOWN)
def _parsed(der: bytes) -> x509.Certificate | None:
    try:
        return certificates.from_der(der)
    except ValueError:
        return None


@lru_cache(maxsize=_MOST_KNOWN)
def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    # Its own validity is judged at each use; whether the signature holds does not change.
    return certificates.was_issued_by(certificate, authority, at=certificate.not_valid_before_utc)


def _key_of(gateway: Gateway) -> str:
    return _thumbprint(gateway.tls_certificate) if gateway.tls_certificate else ""


@lru_cache(maxsize=_MOST_KNOWN)
def _thumbprint(pem: str) -> str:
    try:
        return keys.thumbprint(certificates.public_key(certificates.from_pem(pem.encode())))
    except ValueError:
        return ""
