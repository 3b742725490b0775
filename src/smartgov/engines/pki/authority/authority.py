"""The authority's verbs: request, prove, issue, activate, suspend, resume, revoke, extend, renew, expire; its list and
its answers. Each verb is one transaction of the store and leaves one signed entry in the trail.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.authority import life, ocsp, refusals, trail
from smartgov.engines.pki.authority.life import PROFILES, Proof, Record, State
from smartgov.engines.pki.authority.lists import Lists
from smartgov.engines.pki.authority.store import SqliteStore, Store
from smartgov.shared import clock, ids


class Authority:
    """An authority with its store. Keys and certificates lie in `home` (`certificates.CertificateAuthority`'s folder).

    `address` is where askers reach `/crl`, `/delta` and `/ocsp`; it stands in every certificate, so it never changes.
    """

    def __init__(self, home: Path, store: Store | None = None, *, address: str = "") -> None:
        self.home = home
        self._ca = certificates.CertificateAuthority.load(home)
        self._store = store or SqliteStore(home / "authority.sqlite3")
        if not (home / "trail.key").exists():  # a folder of `certificates.CertificateAuthority` becomes one of ours
            keys.save_private(home / "trail.key", keys.generate_ed25519())
        self._trail_key = keys.load_private(home / "trail.key")
        self._address = address.rstrip("/")
        self._lock = threading.Lock()
        self._lists = Lists(self._ca, self._store, self._address)
        self._responder = ocsp.responder(home, self._ca)

    @classmethod
    def create(cls, home: Path, common_name: str, *, address: str = "") -> Authority:
        """A new authority in an empty folder; FileExistsError when there is one."""
        certificates.CertificateAuthority.create(home, common_name)
        return cls(home, address=address)

    @property
    def certificate(self) -> x509.Certificate:
        """The authority's own certificate."""
        return self._ca.certificate

    @property
    def trail_key(self) -> keys.PublicKey:
        """The key that the trail is signed with."""
        return self._trail_key.public_key()

    # -- the life of a certificate --------------------------------------------------------------------------------

    def request(
        self,
        csr: bytes,
        *,
        profile: str,
        holder: str,
        common_name: str,
        organisation: str,
        by: str,
        renews: str = "",
    ) -> Record:
        """Take a request (PKCS#10, PEM or DER). Only its key counts: names are what the caller has established.

        Its signature shows that whoever asks holds the key. A key is certified for one holder and one request only.
        Problem `request-unusable` (422).
        """
        key = _requested_key(csr)
        record = Record(
            id=ids.uuid7(),
            profile=profile,
            holder=holder,
            common_name=common_name,
            organisation=organisation,
            public_key=base64.b64encode(keys.spki(key)).decode(),
            state=State.REQUESTED,
            asked_by=by,
            asked_at=clock.now(),
            renews=renews,
        )
        if profile not in PROFILES:
            raise refusals.unusable("There is no such kind of certificate.", "沒有這種憑證。")
        with self._change():
            if any(one.public_key == record.public_key for one in self._store.of_holder(holder)):
                raise refusals.unusable("This key was used before.", "此金鑰已使用過。")
            self._keep(record, "request", by)
        return record

    def prove(self, record: str, *, method: str, level: int, reference: str = "", by: str) -> Record:
        """Note how the holder's identity was proved; Problem `proof-too-weak` (403) below the profile's level."""
        with self._change():
            found = self._get(record)
            if level < PROFILES[found.profile].proof_level:
                raise refusals.too_weak()
            proof = Proof(method, by, clock.now(), level, reference)
            return self._step(replace(found, proof=proof), "prove", by, method=method, level=level)

    def reject(self, record: str, *, by: str) -> Record:
        """End a request without a certificate."""
        with self._change():
            return self._step(self._get(record), "reject", by)

    def issue(self, record: str, *, by: str) -> Record:
        """Sign the certificate. It is on hold, in list and answers, until its holder activates it.

        Problem `four-eyes` (403) when the profile wants another person than the one who proved the identity.
        """
        with self._change():
            found = self._get(record)
            life.after("issue", found.state)
            profile = PROFILES[found.profile]
            if profile.four_eyes and found.proof and found.proof.by == by:
                raise refusals.four_eyes()
            now = clock.now()
            issued = self._signed(found, now + profile.life)
            return self._step(replace(issued, held_at=now, challenge=secrets.token_urlsafe(32)), "issue", by)

    def activate(self, record: str, signature: bytes, *, by: str) -> Record:
        """Put it in force: `signature` is the certified key's, over `activation_text` (r || s).

        The certificate that it renews is revoked as superseded in the same moment. Problem `not-the-key` (403).
        """
        with self._change():
            found = self._get(record)
            life.after("activate", found.state)
            key = certificates.public_key(certificates.from_pem(found.certificate.encode()))
            if not keys.verify(key, signature, activation_text(found)):
                raise refusals.not_the_key()
            activated = self._step(replace(found, held_at=None, challenge=""), "activate", by)
            old = self._store.get(found.renews) if found.renews else None
            if old and "revoke" in life.steps_from(old.state):
                self._revoke(old, "superseded", by)
            return activated

    def suspend(self, record: str, *, by: str) -> Record:
        """Put it on hold."""
        with self._change():
            return self._step(replace(self._get(record), held_at=clock.now()), "suspend", by)

    def resume(self, record: str, *, by: str) -> Record:
        """End a suspension."""
        with self._change():
            return self._step(replace(self._get(record), held_at=None), "resume", by)

    def revoke(self, record: str, reason: str, *, by: str) -> Record:
        """Revoke it for good, for one of `life.REASONS`; Problem `reason-unknown` (422) for any other."""
        if reason not in life.REASONS:
            raise refusals.reason_unknown()
        with self._change():
            return self._revoke(self._get(record), reason, by)

    def extend(self, record: str, *, by: str) -> Record:
        """The one extension of its life, for the same key and holder, in its last sixty days: a new certificate in
        force at once, counted from the end of the old one. Problem `no-extension` (409).
        """
        with self._change():
            found = self._get(record)
            extension = PROFILES[found.profile].extension
            now = clock.now()
            if found.state is not State.ACTIVE or found.is_extension or not extension or found.not_after is None:
                raise refusals.no_extension()
            if not found.not_after - life.EXTENSION_WINDOW <= now < found.not_after:
                raise refusals.no_extension()
            if any(one.extension_of == found.id for one in self._store.of_holder(found.holder)):
                raise refusals.no_extension()
            more = replace(found, id=ids.uuid7(), extension_of=found.id, asked_by=by, asked_at=now)
            signed = self._signed(more, found.not_after + extension)
            self._keep(signed, "extend", by, extends=found.id)
            return signed

    def expire(self) -> int:
        """Note which certificates have ended; returns how many. They need no place on the list any more."""
        with self._change():
            now = clock.now()
            ended = [one for one in self._living() if one.not_after is not None and one.not_after <= now]
            for one in ended:
                self._step(one, "expire", "authority")
            return len(ended)

    # -- what others ask ------------------------------------------------------------------------------------------

    def get(self, record: str) -> Record:
        """One record; Problem `certificate-unknown` (404)."""
        return self._get(record)

    def records(self, *, state: State | None = None, holder: str | None = None) -> list[Record]:
        """Records, newest first."""
        return self._store.of_holder(holder) if holder is not None else self._store.all(state=state)

    def crl(self) -> bytes:
        """The list in force; a new one is made when half of the last one's life is over."""
        kept = self._lists.in_force()
        if kept is not None:
            return kept
        with self._change():
            return self._lists.make()

    def delta(self) -> bytes:
        """The delta list (RFC 5280 5.2.4) to the list in force, from the one that was in force a day ago.

        So whoever holds a complete list that has not run out can lay it on that. It is made once for each list.
        """
        return self._lists.delta_to(self.crl())

    def answer(self, request: bytes) -> bytes:
        """The DER answer to a DER request."""
        asked = self._responder.asked(request)
        if asked is None:
            return ocsp.malformed() if ocsp.is_no_request(request) else ocsp.unauthorized()
        return self._responder.answer(asked, self._store.by_serial(asked.serial_number), clock.now())

    def entries(self) -> list[trail.Entry]:
        """Everything that was ever done here, signed and chained."""
        return self._store.trail()

    # -- within ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._lock, self._store.change():
            yield

    def _get(self, record: str) -> Record:
        found = self._store.get(record)
        if found is None:
            raise refusals.unknown()
        return found

    def _step(self, record: Record, step: str, by: str, **detail: Any) -> Record:
        moved = replace(record, state=life.after(step, record.state))
        self._keep(moved, step, by, **detail)
        return moved

    def _keep(self, record: Record, step: str, by: str, **detail: Any) -> None:
        self._store.put(record)
        about: dict[str, Any] = {"record": record.id, "state": str(record.state), **detail}
        if record.serial is not None:
            about["serial"] = str(record.serial)
        last = self._store.last_entry()
        self._store.append(trail.entry(last, self._trail_key, at=clock.now(), by=by, step=step, detail=about))
        if step in {"issue", "activate", "suspend", "resume", "revoke"}:
            self._lists.make()
            self._responder.sign_ahead(record, clock.now())

    def _revoke(self, record: Record, reason: str, by: str) -> Record:
        at = record.held_at or clock.now()  # who was suspended counts as revoked from that day
        return self._step(replace(record, revoked_at=at, held_at=None, reason=reason), "revoke", by, reason=reason)

    def _signed(self, record: Record, end: datetime) -> Record:
        usage = PROFILES[record.profile].usage
        key = load_der_public_key(base64.b64decode(record.public_key))
        assert isinstance(key, keys.PublicKey)
        made = self._ca.issue(
            key,
            common_name=record.common_name,
            organisation=record.organisation,
            usage=usage,  # type: ignore[arg-type]
            serial=record.holder,
            not_after=end,
            crl_url=f"{self._address}/crl" if self._address else "",
            ocsp_url=f"{self._address}/ocsp" if self._address else "",
        )
        pem = certificates.pem(made).decode()
        return replace(record, serial=made.serial_number, certificate=pem, not_after=made.not_valid_after_utc)

    def _living(self) -> list[Record]:
        states = (State.ISSUED, State.ACTIVE, State.SUSPENDED)
        return [one for state in states for one in self._store.all(state=state, limit=-1)]


def activation_text(record: Record) -> bytes:
    """What the holder signs to activate: nothing else is ever signed in this form."""
    return f"smartgov certificate activation\n{record.serial}\n{record.challenge}".encode()


def _requested_key(csr: bytes) -> keys.PublicKey:
    try:
        text = csr.startswith(b"-----")
        found = x509.load_pem_x509_csr(csr) if text else x509.load_der_x509_csr(csr)
        if not found.is_signature_valid:
            raise refusals.unusable("It is not signed by the key that it names.", "申請檔並非由其所載金鑰簽署。")
        key = found.public_key()
    except ValueError:
        raise refusals.unusable("It is not a PKCS#10 request.", "不是 PKCS#10 申請檔。") from None
    if not isinstance(key, keys.PublicKey) or (hasattr(key, "curve") and key.curve.name != "secp256r1"):
        raise refusals.unusable("Only P-256 and Ed25519 keys are certified.", "僅受理 P-256 與 Ed25519 金鑰。")
    return key
