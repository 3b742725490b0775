"""The consents of the bench: signed with the key of a third gateway, which alone says whether they still stand.

That gateway is a process of its own. Before anything is measured one consent is taken back there, and the answering
gateway, which nobody else tells, has to refuse it; so have a call without consent and the second use of a single one.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from smartgov.engines.httpd import sync
from smartgov.engines.troad import artefacts
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.client import LocalGateway
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

if TYPE_CHECKING:
    from bench.gateways import Gateways

FIELDS = ("born_on", "filling", "id", "mother_id")
"""Fewer than the right grants: the answer is cut to what both allow."""
PEOPLE = 1000
PROBE = "probe-"
"""The exchanges that are refused on purpose are known by it."""
_LIFE = timedelta(hours=6)


def person(number: int) -> str:
    """Whom question `number` is about."""
    return national_id.make(number % PEOPLE, 2)


class Consents:
    """Artefacts for the questions to these gateways, made before the rounds in which they are used."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self._portal = homes.load(gateways.folder / "portal")
        self._key = self._portal.p256("consent")
        self._made: dict[tuple[str, int, int], str] = {}

    def prepare(self, profile: str, numbers: range) -> None:
        """Have those that these questions will show: one a question (`once`), else one a person and service."""
        for number in numbers:
            key = self._key_of(profile, number)
            if key not in self._made:
                self._made[key] = self._make(profile, number, ":".join(map(str, key)))

    def of(self, profile: str, number: int) -> str:
        """The artefact that question `number` shows."""
        return self._made[self._key_of(profile, number)]

    def forget_used(self) -> None:
        """Those of one use are not needed any more."""
        self._made = {key: made for key, made in self._made.items() if key[0] != "once"}

    def check(self) -> None:
        """SystemExit unless what must be refused is refused, each for its own reason."""
        asked = 0

        def refused(slug: str, profile: str, consent: str | None, number: int = 0) -> None:
            nonlocal asked
            asked += 1
            try:
                self._ask(f"{PROBE}{asked:08d}", profile, consent, number)
            except Problem as problem:
                if problem.slug == slug:
                    return
                raise SystemExit(f"refused with {problem.slug} where {slug} was due") from None
            raise SystemExit(f"answered where {slug} was due")

        expires = (clock.now() + _LIFE).isoformat()
        portal = LocalGateway(
            f"http://127.0.0.1:{self._portal.local_port}",
            homes.secret(self._portal.path, "portal"),
            f"{self._portal.member}/portal",
        )
        portal.revoke_consent(jti="taken-back", expires_at=expires)
        refused("consent-revoked", "full", self._make("full", 0, "taken-back"))
        refused("consent-required", "full", None)
        refused("consent-foreign", "full", self._make("full", 1, "of-another"))
        single = self._make("once", 0, "single")
        self._ask(f"{PROBE}00000000", "once", single, 0)
        refused("consent-used", "once", single)
        sync.close()

    @cached_property
    def _asker(self) -> LocalGateway:
        way = self._gateways.ways[0]
        return LocalGateway(way.url, way.secret, way.client)

    def _ask(self, exchange: str, profile: str, consent: str | None, number: int) -> None:
        self._asker.call(
            self._gateways.service(profile, number),
            "POST",
            "/births/query",
            json={"where": {"id": 0}},
            subject=person(number),
            purpose=self._gateways.purpose,
            consent=consent,
            exchange_id=exchange,
        )

    def _key_of(self, profile: str, number: int) -> tuple[str, int, int]:
        if profile == "once":
            return profile, number, 0
        return profile, number % PEOPLE, number % len(self._gateways.ways) ** 2

    def _make(self, profile: str, number: int, jti: str) -> str:
        asking, answering = self._gateways.pair(number)
        terms = {
            "provider": self._gateways.service(profile, number),
            "requester": self._gateways.ways[number % len(self._gateways.ways)].client,
            "fields": FIELDS,
            "purpose": self._gateways.purpose,
            "expires_at": (clock.now() + _LIFE).isoformat(),
            "jti": jti,
            "single_use": profile == "once",
        }
        return artefacts.make_consent(
            issuer=self._portal.member,
            key=self._key,
            to=answering.recipient,
            subject=person(number),
            pairwise=f"{number % PEOPLE:064x}",
            holder=asking.message_kid,
            terms=terms,
            now=clock.now(),
        )
