"""The members, keys, services and rights on which every gateway decides, indexed for the questions that it asks.

How they are signed, published and trusted is `engines/trust`'s. Times are ISO 8601 with an offset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.pki import keys
from smartgov.engines.troad import terms, visibility
from smartgov.engines.troad.names import is_part, member_of
from smartgov.engines.troad.reference import Recipient
from smartgov.engines.troad.terms import Terms
from smartgov.engines.troad.visibility import Visibility
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Gateway:
    """One registered gateway and its public keys; `id` is `<member>/<code>`."""

    id: str
    member: str
    host: str
    port: int
    tls_fingerprint: str
    tls_certificate: str
    message_key: ec.EllipticCurvePublicKey
    message_kid: str
    log_key: Ed25519PublicKey
    log_origin: str
    recipient: Recipient
    witness_key: Ed25519PublicKey | None = None
    batch: bool = False
    """Whether it reads batch signatures."""

    @property
    def authority(self) -> str:
        """`host:port`, the authority of requests to it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Member:
    """An agency on T-Road."""

    id: str
    name: Text
    gateways: tuple[Gateway, ...]
    once: str = ""
    """The id of the gateway at which what may happen only once is counted; empty when the member names none that can
    be. It need not be listed any more.
    """
    once_since: int = 0
    """From when on that one takes idempotency keys (Unix seconds); 0: it always has."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a member offers; `related` are the JSON keys under which a request may name other persons.

    `paths` are its documented endpoints, `terms` its limits and the digest of its OpenAPI document.
    """

    id: str
    member: str
    personal: bool
    related: frozenset[str]
    visibility: Visibility
    paths: tuple[str, ...] = ()
    terms: Terms = field(default_factory=Terms)
    durability: str = "strict"
    retain_days: int | None = None
    """How long bodies are kept; None is as the gateway's settings say."""


@dataclass(frozen=True, slots=True)
class Right:
    """What one client may ask of one service; `fields` None means all, `expires_at` None no end of its own."""

    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: str
    basis_code: str
    fields: frozenset[str] | None
    purpose: str
    expires_at: datetime | None = None
    visibility: Visibility | None = None
    """A class for the uses under this right, which holds beside the service's."""

    def in_force(self, now: datetime) -> bool:
        """Whether it has not ended: a gateway must know by itself, for the centre may be down."""
        return self.expires_at is None or now < self.expires_at

    def covers(self, method: str, path: str) -> bool:
        """Whether one of its endpoints is this method and path."""
        return _covered(self.endpoints, method, path)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A key that may sign consents or trail tokens, and the member it belongs to."""

    member: str
    key: keys.PublicKey


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The configuration, indexed for the questions that a gateway asks."""

    version: int
    issued_at: datetime
    expires_at: datetime
    members: Mapping[str, Member]
    gateways: Mapping[str, Gateway]
    by_message_key: Mapping[str, Gateway]
    by_tls: Mapping[str, Gateway]
    subsystems: frozenset[str]
    services: Mapping[str, Service]
    rights: Mapping[tuple[str, str], tuple[Right, ...]]
    consent_issuers: Mapping[str, Issuer]
    token_issuers: Mapping[str, Issuer]
    revoked_consents: frozenset[str]
    anchors: tuple[str, ...]
    data: Mapping[str, Any]


def parse(data: Mapping[str, Any]) -> Snapshot:
    """Read the content of a configuration. KeyError or ValueError when it is not complete and consistent."""
    members = {entry["id"]: _member(entry) for entry in data["members"]}
    gateways = [gateway for member in members.values() for gateway in member.gateways]
    services = {entry["id"]: read_service(entry) for entry in data["services"]}
    rights: dict[tuple[str, str], tuple[Right, ...]] = {}
    for entry in data["rights"]:
        right = _right(entry)
        rights[right.client, right.service] = (*rights.get((right.client, right.service), ()), right)
    snapshot = Snapshot(
        version=int(data["version"]),
        issued_at=_time(data["issued_at"]),
        expires_at=_time(data["expires_at"]),
        members=members,
        gateways={gateway.id: gateway for gateway in gateways},
        by_message_key={gateway.message_kid: gateway for gateway in gateways},
        by_tls={gateway.tls_fingerprint: gateway for gateway in gateways},
        subsystems=frozenset(data["subsystems"]),
        services=services,
        rights=rights,
        consent_issuers=_issuers(data.get("consent_issuers", ())),
        token_issuers=_issuers(data.get("token_issuers", ())),
        revoked_consents=frozenset(data.get("revoked_consents", ())),
        anchors=tuple(data.get("anchors", ())),
        data=data,
    )
    _check(snapshot, len(gateways))
    return snapshot


def readable(data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The configuration without the services and rights that cannot be read, and the ids of those services.

    A member signs its own offer; what it signs wrongly closes its own services and nobody else's.
    """
    services, unreadable = [], list[str]()
    for entry in data["services"]:
        try:
            read_service(entry)
            services.append(entry)
        except (KeyError, TypeError, ValueError):
            unreadable.append(str(entry.get("id", "")))
    offered = {entry["id"] for entry in services}
    rights = []
    for entry in data["rights"]:
        try:
            if _right(entry).service in offered:
                rights.append(entry)
        except (KeyError, TypeError, ValueError):
            unreadable.append(str(entry.get("service", "")))
    return {**data, "services": services, "rights": rights}, tuple(sorted(set(unreadable)))


@lru_cache(maxsize=4096)
def _covered(endpoints: tuple[str, ...], method: str, path: str) -> bool:
    return any(endpoint_matches(endpoint, method, path) for endpoint in endpoints)


def endpoint_matches(endpoint: str, method: str, path: str) -> bool:
    """Whether `POST /births/query` or a pattern such as `* /cases/{id}/**` names this method and path."""
    wanted, _, template = endpoint.partition(" ")
    if wanted not in {"*", method}:
        return False
    pattern, actual = template.strip("/").split("/"), path.strip("/").split("/")
    if pattern[-1] == "**":
        pattern = pattern[:-1]
        actual = actual[: len(pattern)] if len(actual) >= len(pattern) else actual
    return len(pattern) == len(actual) and all(
        part in {"*", here} or (part[:1] == "{" and part[-1:] == "}" and bool(here))
        for part, here in zip(pattern, actual, strict=True)
    )


def _check(snapshot: Snapshot, gateways: int) -> None:
    if {len(snapshot.gateways), len(snapshot.by_message_key), len(snapshot.by_tls)} != {gateways}:
        raise ValueError("two gateways share an id, a message key or a TLS certificate")
    owners = [*snapshot.subsystems, *snapshot.services, *(client for client, _ in snapshot.rights)]
    if strange := {member_of(name) for name in owners} - set(snapshot.members):
        raise ValueError(f"not members: {sorted(strange)}")
    if strange := {service for _, service in snapshot.rights} - set(snapshot.services):
        raise ValueError(f"rights to unknown services: {sorted(strange)}")


def _member(entry: Mapping[str, Any]) -> Member:
    gateways = tuple(read_gateway(entry["id"], gateway) for gateway in entry["gateways"])
    once, since = _once(entry, gateways)
    return Member(entry["id"], Text.of(entry["name"]), gateways, once, since)


def _once(entry: Mapping[str, Any], gateways: tuple[Gateway, ...]) -> tuple[str, int]:
    """What the member's offer says of it; an offer from before there was such a word leaves it to the first listed.

    One that cannot be read closes this member's own keys, and nobody else's configuration.
    """
    if "once" not in entry:
        return (gateways[0].id if gateways else ""), 0
    try:
        code, since = entry["once"]["gateway"], entry["once"]["since"]
    except (KeyError, TypeError):
        return "", 0
    if not isinstance(code, str) or not is_part(code) or type(since) is not int or since < 0:
        return "", 0
    return f"{entry['id']}/{code}", since


def read_gateway(member: str, entry: Mapping[str, Any]) -> Gateway:
    """One gateway as `home.describe` publishes it. KeyError, TypeError or ValueError when it cannot be used."""
    witness = _key(json.dumps(entry["witness_key"], sort_keys=True)) if entry.get("witness_key") else None
    if witness is not None and not isinstance(witness, Ed25519PublicKey):
        raise ValueError("witness keys are Ed25519")
    message, log, reference = (
        _key(json.dumps(entry[name], sort_keys=True)) for name in ("message_key", "log_key", "reference_key")
    )
    if not isinstance(message, ec.EllipticCurvePublicKey) or not isinstance(reference, ec.EllipticCurvePublicKey):
        raise ValueError("message and reference keys are on P-256")
    if not isinstance(log, Ed25519PublicKey):
        raise ValueError("log keys are Ed25519")
    name = f"{member}/{entry['code']}"
    return Gateway(
        id=name,
        member=member,
        host=entry["host"],
        port=int(entry["port"]),
        tls_fingerprint=entry["tls_fingerprint"].lower(),
        tls_certificate=entry.get("tls_certificate", ""),
        message_key=message,
        message_kid=keys.thumbprint(message),
        log_key=log,
        log_origin=entry.get("log_origin", name),
        recipient=Recipient(name, reference, keys.thumbprint(reference)),
        witness_key=witness,
        batch="batch" in (entry.get("signatures") or ()),
    )


def read_service(entry: Mapping[str, Any]) -> Service:
    """One service as a signed offer words it. KeyError, TypeError or ValueError when it cannot be used."""
    durability = entry.get("durability", "strict")
    if durability not in {"strict", "soon", "meta"}:
        raise ValueError(f"{entry['id']} has no usable durability")
    return Service(
        id=entry["id"],
        member=member_of(entry["id"]),
        personal=bool(entry.get("personal", True)),
        related=frozenset(entry.get("related", ())),
        visibility=visibility.read(entry.get("visibility")),
        paths=tuple(entry.get("paths") or ()),
        terms=terms.read(entry),
        durability=durability,
        retain_days=None if entry.get("retain_days") is None else int(entry["retain_days"]),
    )


def _right(entry: Mapping[str, Any]) -> Right:
    basis = entry.get("basis") or {"kind": "none"}
    kind = basis["kind"]
    if kind not in {"statute", "consent", "subject", "none"} or (kind == "statute" and not basis.get("code")):
        raise ValueError(f"a right of {entry['client']} has no usable basis")
    fields = entry.get("fields")
    return Right(
        client=entry["client"],
        service=entry["service"],
        endpoints=tuple(entry["endpoints"]),
        basis=kind,
        basis_code=basis.get("code", ""),
        fields=None if fields is None else frozenset(fields),
        purpose=entry.get("purpose") or "",
        expires_at=_time(entry["expires_at"]) if entry.get("expires_at") else None,
        visibility=visibility.read(entry["visibility"]) if entry.get("visibility") else None,
    )


def _issuers(entries: Any) -> dict[str, Issuer]:
    issuers = [Issuer(entry["member"], _key(json.dumps(entry["key"], sort_keys=True))) for entry in entries]
    return {keys.thumbprint(issuer.key): issuer for issuer in issuers}


@lru_cache(maxsize=4096)
def _key(text: str) -> keys.PublicKey:
    return keys.from_jwk(json.loads(text))


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("times need an offset")
    return moment
