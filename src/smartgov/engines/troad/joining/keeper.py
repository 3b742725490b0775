"""What a running gateway keeps from ending: its certificate, and its member's offer. A centre that is down is asked
again; what comes too near to its end raises an alarm.

Nothing new is signed by itself: an order is for the same key, and an offer is renewed word by word.
"""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import single_place
from smartgov.engines.troad.joining import centre_door, letters, offering
from smartgov.engines.troad.joining.centre_door import CentreDoor
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
LOOK_SECONDS, EVERY = 2.0, 10
"""A configuration is looked at every two seconds, so that a new member's first connection finds it known."""
ORDER, ASK, HAND_IN = "certificate", "certificate-state", "offer-renewal"
ENDING, ENDED = "certificate-ends", "certificate-ended"
OFFER_ENDING = "offer-ends"


class Keeper:
    """Renews for one gateway; `run` does so for ever."""

    def __init__(self, core: Core) -> None:
        self._core, self._ordered = core, ""
        self._shown = homes.certificate(core.home.path).serial_number
        self._door = CentreDoor(core.services, core.home.centre) if core.home.centre else None

    async def run(self) -> None:
        """Look again and again whether something comes near to its end."""
        for turn in itertools.count():
            self._core.configuration.state()
            await self._core.behind.look()
            await self._core.moving.look()
            if turn % EVERY == 0 or self._ordered:
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Renew what is due, and say what is not renewed in time."""
        self._core.known.watch()
        certificate, now = homes.certificate(self._core.home.path), self._core.now()
        self._present(certificate)
        if self._door is not None:
            dues = (
                (is_due(certificate, now), self._certificate),
                (self._offer_due(now), self._offer),
                (True, self._documents),
            )
            for due, renew in dues:
                if due:
                    try:
                        await renew(self._door, now)
                    except Problem as problem:
                        log.warning("not_renewed", problem=problem.slug, what=renew.__name__.lstrip("_"))
        self._warn(homes.certificate(self._core.home.path), now)

    # -- the certificate --------------------------------------------------------------------------------------------

    async def _certificate(self, door: CentreDoor, now: datetime) -> None:
        """Order one when none is ordered, or take the one that was ordered."""
        if not self._ordered:
            letter = order(self._core.home, to=door.origin, now=now)
            self._ordered = str((await door.write(centre_door.ORDERS, letter))["order"])
            log.info("certificate_ordered", order=self._ordered)
        try:
            answer = await door.write(centre_door.ORDERED, ask(self._core.home, self._ordered, to=door.origin, now=now))
        except Problem as problem:
            if problem.status == 404:
                self._ordered = ""
            raise
        if answer["state"] == "issued":
            self._ordered = ""
            fresh = certificates.from_pem(answer["certificate"].encode())
            homes.set_certificate(self._core.home.path, fresh)
            self._present(fresh)
        elif answer["state"] == "refused":
            self._ordered = ""
            log.error("certificate_refused", reason=answer.get("reason", ""))

    def _present(self, certificate: x509.Certificate) -> None:
        """Show the certificate that lies in the home, whoever put it there."""
        if certificate.serial_number != self._shown:
            self._core.configuration.present()
            self._core.peers.renew()
            self._shown = certificate.serial_number
            log.info("certificate_renewed", ends=certificate.not_valid_after_utc.isoformat())

    def _warn(self, certificate: x509.Certificate, now: datetime) -> None:
        alarms, end = self._core.alarms, certificate.not_valid_after_utc
        alarms.set(ENDED, end.isoformat()) if now >= end else alarms.clear(ENDED)
        ending = now < end and is_ending(certificate, now)
        alarms.set(ENDING, end.isoformat()) if ending else alarms.clear(ENDING)

    # -- the offer --------------------------------------------------------------------------------------------------

    def _offer_due(self, now: datetime) -> bool:
        end = offer_end(self._core)
        if end is None:
            self._core.alarms.clear(OFFER_ENDING)
            return False
        left = end - now
        near = left.total_seconds() < 3 * 86_400
        self._core.alarms.set(OFFER_ENDING, end.isoformat()) if near else self._core.alarms.clear(OFFER_ENDING)
        return left.total_seconds() < 6 * 86_400

    async def _offer(self, door: CentreDoor, now: datetime) -> None:
        """Sign the present offer anew, word by word, with a later end."""
        home, said = self._core.home, self._core.configuration.own_offer()
        if said is None:
            return
        body, version = said
        offer = homes.sign_offer(
            home.path,
            member=home.member,
            services=list(body["services"]),
            rights=list(body["rights"]),
            gateways=body.get("gateways"),
            once=single_place.named(self._core.configuration.current().members.get(home.member)),
            version=version + 1,
            now=now,
        )
        letter = letters.write(
            HAND_IN, {"offer": offer.as_json()}, {"configuration": home.p256("configuration")}, to=door.origin, now=now
        )
        await door.write(centre_door.OFFERS, letter)
        log.info("offer_renewed", version=version + 1)

    # -- the documents ----------------------------------------------------------------------------------------------

    async def _documents(self, door: CentreDoor, now: datetime) -> None:
        """Fetch the OpenAPI documents that the own offer names and that are not here, as after a restore."""
        if (said := self._core.configuration.own_offer()) is None:
            return
        for digest in await offering.documents(door, self._core.home, list(said[0]["services"]), now):
            log.info("document_fetched", digest=digest)


def order(home: homes.Home, *, to: str, now: datetime) -> dict[str, Any]:
    """The letter that orders the next certificate of the TLS key: signed by it and by the member's own key."""
    tls = home.p256("tls")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, home.gateway[:64])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(tls, hashes.SHA256())
    content = {
        "gateway": home.gateway,
        "request": request.public_bytes(serialization.Encoding.PEM).decode(),
        "nonce": keys.b64url(letters.nonce()),
    }
    signers: dict[str, keys.PrivateKey] = {"tls": tls, "configuration": home.p256("configuration")}
    return letters.write(ORDER, content, signers, to=to, now=now)


def ask(home: homes.Home, about: str, *, to: str, now: datetime) -> dict[str, Any]:
    """The letter that asks what became of an order."""
    signers = {"configuration": home.p256("configuration")}
    return letters.write(ASK, {"gateway": home.gateway, "order": about}, signers, to=to, now=now)


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether half of its life is over: early enough to try for days before a third is left, and then to warn.

    One that the gateway signed itself is due at once: it is from the time before it joined.
    """
    return certificate.issuer == certificate.subject or _left(certificate, now) < 1 / 2


def is_ending(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether less than a third of its life is left, which does not happen while the centre answers."""
    return _left(certificate, now) < 1 / 3


def offer_end(core: Core) -> datetime | None:
    """When the offer of this member ends, as its gateway believes; None when it has none."""
    return core.configuration.offer_ends(core.home.member)


def _left(certificate: x509.Certificate, now: datetime) -> float:
    whole = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return (certificate.not_valid_after_utc - now) / whole
