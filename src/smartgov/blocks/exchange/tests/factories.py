"""A recorded transport and a recorded centre: what would leave through gateways, and what would be published."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from smartgov.blocks.exchange import domain, refusals
from smartgov.blocks.exchange.domain import Answer, Call
from smartgov.engines.pki import keys

CONFIGURATION: dict[str, Any] = {
    "members": [
        {
            "id": f"TW/GOV/{code}",
            "name": {"en": code.upper(), "zh": f"{code}機關"},
            "gateways": [{"log_key": {"kty": "OKP"}, "log_origin": f"TW/GOV/{code}/gw1"}],
        }
        for code in ("portal", "ris")
    ],
    "services": [{"id": "TW/GOV/ris/household/people.v1", "member": "TW/GOV/ris", "personal": True}],
    "rights": [
        {
            "client": "TW/GOV/ris/cases",
            "service": "TW/GOV/ris/household/people.v1",
            "endpoints": ["POST /people/query"],
            "basis": {"kind": "statute", "code": "household-registration-act-5", "citation": "Article 5"},
            "fields": ["name"],
            "purpose": "birth.registration",
        }
    ],
}


TRAFFIC: dict[str, Any] = {
    "gateway": "TW/GOV/ris/gw1",
    "since": "2026-11-28T00:00:00+00:00",
    "minutes": [0] * 59 + [12],
    "rows": [
        {
            "side": "provider",
            "service": "TW/GOV/ris/household/people.v1",
            "peer": "TW/GOV/nhi",
            "answered": 990,
            "refused": {"right-missing": 10},
            "p50_ms": 12.0,
            "p99_ms": 80.0,
        }
    ],
}


class Recorded:
    """Keeps calls; gateways in `down` do not answer."""

    def __init__(self, down: Sequence[str] = ()) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.claims: list[dict[str, Any]] = []
        self.down = down
        self.handed_over = ""
        """An agency whose gateway has handed over."""

    def call(self, agency: str, call: Call) -> Answer:
        self.calls.append((agency, call))
        return Answer(200, {"items": []}, "x", "log 1 2", "TW/GOV/ris", datetime(2026, 11, 22, tzinfo=UTC))

    def seal(self, agency: str, data: bytes) -> bytes:
        return agency.encode() + data

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        return agency, []

    def consent(self, agency: str, **claims: Any) -> str:
        self.claims.append({"agency": agency, **claims})
        return "artefact"

    def revoke_consent(self, agency: str, **claims: Any) -> None:
        self.claims.append({"agency": agency, **claims})

    def token(self, agency: str, **claims: Any) -> str:
        self.claims.append({"agency": agency, **claims})
        return "token"

    def trail(self, agency: str, *, member: str, gateway: str, token: str, have: int) -> dict[str, Any]:
        return {"agency": agency, "member": member, "gateway": gateway, "token": token, "have": have}

    def health(self, agency: str) -> dict[str, Any]:
        if agency in self.down:
            raise refusals.gateway_unreachable(agency)
        alarms = {"gateway-passed-over:TW/GOV/hpa/gw1": "gateway-silent", "certificate-ends": ""}
        end = "2026-11-23T00:00:00+00:00"
        said = {"healthy": True, "log_size": 7, "configuration_expires": end, "alarms": alarms}
        if agency == self.handed_over:
            alarms["once-handed-over"] = "until the offer names TW/GOV/portal/gw2"
            said["once"] = {"gateway": "TW/GOV/portal/gw2", "state": "handed-over"}
        return said

    def traffic(self, agency: str) -> dict[str, Any]:
        if agency in self.down:
            raise refusals.gateway_unreachable(agency)
        return TRAFFIC

    def systems(self, agency: str) -> dict[str, Any]:
        if agency in self.down:
            raise refusals.gateway_unreachable(agency)
        return {"household": {"services": {"people.v1": "http://127.0.0.1:9001"}, "may": []}}

    def configuration(self, agency: str) -> tuple[dict[str, Any], datetime]:
        return CONFIGURATION, datetime(2026, 11, 23, tzinfo=UTC)


class RecordedCentre:
    """Signs nothing and keeps what it is to deliver; it fails while it is `broken`."""

    def __init__(self) -> None:
        self.delivered: list[dict[str, Any]] = []
        self.broken = False
        self.documents: Mapping[str, Mapping[str, bytes]] = {}

    @property
    def last(self) -> dict[str, Any]:
        return self.delivered[-1]

    def gateway(self, member: str) -> dict[str, Any]:
        """A member's first gateway as it stands in the tables."""
        from smartgov.blocks.exchange.models import Gateway

        return dict(Gateway.objects.filter(member=member)[0].described)

    def publish(
        self, data: Mapping[str, Any], now: datetime, documents: Mapping[str, Mapping[str, bytes]]
    ) -> domain.Published:
        self.documents = documents
        if self.broken:
            raise OSError
        published = domain.Published(len(self.delivered) + 1, now + timedelta(hours=24))
        ends = published.expires_at.isoformat()
        self.delivered.append({**data, "version": published.version, "expires_at": ends})
        return published


def described(*, port: int, code: str = "gw1") -> dict[str, Any]:
    """What a gateway with fresh keys says of itself."""
    message, reference, log = keys.generate_p256(), keys.generate_p256(), keys.generate_ed25519()
    return {
        "code": code,
        "host": "127.0.0.1",
        "port": port,
        "tls_fingerprint": secrets.token_hex(32),
        "message_key": keys.public_jwk(message.public_key()),
        "reference_key": keys.public_jwk(reference.public_key()),
        "log_key": keys.public_jwk(log.public_key()),
    }


def two_members() -> None:
    """`ris` with its register's system, and `nhi` with its case system, as the centre has registered them."""
    from smartgov.blocks.exchange import api
    from smartgov.shared.actor import Actor
    from smartgov.shared.text import Text

    clerk = Actor("officer", seat="seat-1", agency="portal")
    for code, port in (("ris", 1), ("nhi", 2)):
        member = f"TW/GOV/{code}"
        api.register_member(actor=clerk, member=member, name=Text(code.upper(), "機關"))
        api.register_gateway(actor=clerk, member=member, described=described(port=port))
    for subsystem in ("TW/GOV/ris/household", "TW/GOV/nhi/cases"):
        api.register_subsystem(actor=clerk, subsystem=subsystem)
