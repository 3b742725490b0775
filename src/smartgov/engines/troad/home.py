"""The home folder of one gateway: its settings, keys and secrets. Whoever owns the folder speaks for the agency."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smartgov.engines import trust
from smartgov.engines.httpd.taking import WRITE_SECONDS
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import own_keys, systems, terms
from smartgov.engines.trust import Offer
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

ABILITIES = systems.ABILITIES


@dataclass(frozen=True, slots=True)
class Subsystem:
    """An information system behind this gateway: its secret, its services (code to base url), its abilities."""

    name: str
    secret: str
    services: Mapping[str, str] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    open: bool = False
    """Whether it need not show its secret: whoever reaches the loopback door may then speak in its name."""


@dataclass(frozen=True, slots=True)
class Timestamps:
    """The time-stamping authority: its address, its root certificate (PEM), how often it is asked (seconds).

    `bound`: for how long exchanges go on without a stamp over what was recorded (seconds; 0 is for ever).
    """

    url: str
    root: Path
    every: int
    bound: int


@dataclass(frozen=True, slots=True)
class Home:
    """A gateway's settings as read from `gateway.yaml`."""

    path: Path
    member: str
    code: str
    host: str
    port: int
    local_port: int
    bundle: Path
    centre_url: str
    retain_days: int
    subsystems: Mapping[str, Subsystem]
    timestamps: Timestamps | None = None
    max_body: int = terms.BODY_BYTES
    outlasting: Path = Path()
    """The file, not in this folder, that says what a restore has to do again."""
    centre: str = ""
    """Address of the centre's doors (`https://host`): there certificates and offers are renewed."""
    revocation: Mapping[str, Any] = field(default_factory=dict)
    """The policy for old revocation lists, as `peers.policy_of` reads it."""
    write_seconds: float = WRITE_SECONDS
    """Who takes nothing for so long of what was written to it is cut off, at both doors."""

    @property
    def gateway(self) -> str:
        """The id of this gateway, which is also the origin of its log."""
        return f"{self.member}/{self.code}"

    def p256(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The private key `keys/<name>.key`."""
        return keys.load_p256(self.path / "keys" / f"{name}.key")

    def log_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints."""
        return cast(Ed25519PrivateKey, keys.load_private(self.path / "keys" / "log.key"))

    def witness_key(self) -> Ed25519PrivateKey:
        """The key that co-signs the checkpoints of other members' logs."""
        return cast(Ed25519PrivateKey, keys.load_private(self.path / "keys" / "witness.key"))

    def secret_key(self, name: str) -> bytes:
        """The 32 raw bytes of `keys/<name>.key` (`body` or `index`)."""
        return (self.path / "keys" / f"{name}.key").read_bytes()

    def contract(self, digest: str) -> bytes | None:
        """The OpenAPI document with this SHA-256, or None when it is not here or has been changed."""
        try:
            document = (self.path / "contracts" / digest).read_bytes()
        except FileNotFoundError:
            return None
        return document if sha256(document).hexdigest() == digest else None

    def anchor(self) -> bytes:
        """The first root of the configuration, with which this gateway was set up."""
        return (self.path / "certs" / "root.json").read_bytes()


def create(
    home: Path | str,
    *,
    member: str,
    code: str = "gw1",
    port: int,
    local_port: int,
    subsystems: Mapping[str, Mapping[str, Any]],
    may: Mapping[str, Sequence[str]] | None = None,
    host: str = "127.0.0.1",
    centre_url: str = "",
    anchor: bytes | None = None,
    retain_days: int = 180,
    timestamps: tuple[str, bytes] | None = None,
) -> dict[str, Any]:
    """Make (or re-configure, keeping keys, secrets and all else that was set) a gateway's home; gives `describe(home)`.

    `subsystems` maps names to `{"services": {code: base url}}`, `may` maps names to some of `ABILITIES`;
    `anchor` is the first root of the configuration; `timestamps` the address of an authority and its root. `member`
    is `TW/GOV/<code>`; a bare code is completed.
    """
    path = Path(home)
    member = member if "/" in member else f"TW/GOV/{member}"
    granted = _granted(may or {})
    for folder in ("keys", "certs", "secrets"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    own_keys.make(path, f"{member}/{code}")
    settings = {
        "member": member,
        "code": code,
        "host": host,
        "port": port,
        "local_port": local_port,
        "centre_url": centre_url,
        "bundle": "configuration.json",
        "retain_days": retain_days,
        "subsystems": {
            name: {
                "secret_file": systems.make_secret(path, name),
                "services": dict(entry.get("services") or {}),
                "may": granted.get(name, []),
                **({"open": True} if entry.get("open") else {}),
            }
            for name, entry in subsystems.items()
        },
    }
    if timestamps is not None:
        settings["timestamps"] = {"url": timestamps[0], "root": "certs/timestamps.pem", "every": 60, "bound": 14_400}
        _write(path / "certs" / "timestamps.pem", timestamps[1].decode())
    kept = content.parse((path / "gateway.yaml").read_text()) if (path / "gateway.yaml").exists() else {}
    _write(path / "gateway.yaml", yaml.safe_dump({**kept, **settings}, sort_keys=False, allow_unicode=True))
    if anchor is not None:
        set_anchor(path, anchor)
    return describe(path)


def load(home: Path | str) -> Home:
    """Read `gateway.yaml`; Problem `home-missing` without one, KeyError or ValueError when it is not complete."""
    path = Path(home)
    if not (path / "gateway.yaml").exists():
        raise _missing(path)
    data = content.parse((path / "gateway.yaml").read_text())
    return Home(
        path=path,
        member=data["member"],
        code=data["code"],
        host=data.get("host", "127.0.0.1"),
        port=int(data["port"]),
        local_port=int(data["local_port"]),
        bundle=path / data.get("bundle", "configuration.json"),
        centre_url=data.get("centre_url") or "",
        retain_days=int(data.get("retain_days", 180)),
        subsystems={
            name: _subsystem(path, name, entry)
            for name, entry in systems.merged(data["subsystems"], systems.read(path)).items()
        },
        timestamps=_timestamps(path, data.get("timestamps")),
        max_body=int(data.get("max_body", terms.BODY_BYTES)),
        outlasting=outlasting(path, data),
        centre=(data.get("centre") or "").rstrip("/"),
        revocation=dict(data.get("revocation") or {}),
        write_seconds=_seconds(data, "write_seconds", WRITE_SECONDS),
    )


def _missing(path: Path) -> Problem:
    return Problem(
        "home-missing",
        404,
        what=Text(f"There is no gateway in {path}.", f"{path} 中沒有閘道。"),
        why=Text("The folder has no gateway.yaml.", "該資料夾沒有 gateway.yaml。"),
        todo=Text(
            "Name the home folder of a gateway; `smartgov gateway init` makes a new one.",
            "請指定閘道的資料夾；`smartgov gateway init` 可建立新閘道。",
        ),
    )


def outlasting(home: Path, settings: Mapping[str, Any]) -> Path:
    """Where a gateway keeps what outlasts a restore: as `outlasting` says, else beside its home."""
    return Path(settings.get("outlasting") or home.with_name(f"{home.resolve().name}.outlasting.jsonl"))


def describe(home: Path | str) -> dict[str, Any]:
    """What the configuration publishes: `gateway` (an entry of `members[].gateways`), `subsystems` and `services` ids,
    and the public keys `consent_key`, `token_key` and `seal_key` as JWK.
    """
    at = load(home)
    certificate = certificates.from_pem((at.path / "certs" / "tls.pem").read_bytes())
    public = {name: keys.public_jwk(at.p256(name).public_key()) for name in own_keys.P256}
    return {
        "member": at.member,
        "gateway": {
            "code": at.code,
            "host": at.host,
            "port": at.port,
            "tls_fingerprint": certificates.fingerprint(certificate),
            "tls_certificate": certificates.pem(certificate).decode(),
            "message_key": public["message"],
            "log_key": keys.public_jwk(at.log_key().public_key()),
            "witness_key": keys.public_jwk(at.witness_key().public_key()),
            "reference_key": public["reference"],
            "log_origin": at.gateway,
            "configuration_key": public["configuration"],
            "signatures": ["batch"],
        },
        "subsystems": [f"{at.member}/{name}" for name in at.subsystems],
        "services": [f"{at.member}/{name}/{code}" for name, entry in at.subsystems.items() for code in entry.services],
        "consent_key": public["consent"],
        "token_key": public["token"],
        "seal_key": public["seal"],
    }


def set_anchor(home: Path | str, root: bytes) -> None:
    """Let the gateway trust the configuration that begins with this root, and no other."""
    keys.write_secret(Path(home) / "certs" / "root.json", root)


def set_bundle(home: Path | str, bundle: bytes) -> None:
    """Put a published configuration in place; a running gateway takes it up with its next message."""
    keys.write_secret(load(home).bundle, bundle)


def add_contract(home: Path | str, document: bytes) -> str:
    """Keep an OpenAPI document (JSON or YAML) for this home's services; returns the digest that an offer names."""
    digest = sha256(document).hexdigest()
    keys.write_secret(Path(home) / "contracts" / digest, document)
    return digest


def sign_offer(
    home: Path | str,
    *,
    member: str,
    services: list[dict[str, Any]],
    rights: list[dict[str, Any]],
    version: int,
    now: datetime,
    gateways: trust.Vouched | None = None,
    once: Mapping[str, Any] | None = None,
) -> Offer:
    """What this home's member offers, signed with its own key. Of `gateways`, its own entry is what lies here.

    `once` (see `trust.sign_offer`) is by default what the offer that this home accepted last says: signing anew never
    moves it. Without any such word it is this gateway.
    """
    at, own = load(home), describe(home)["gateway"]
    vouched = {**(gateways or {}), at.code: trust.thumbprints(own)}
    return trust.sign_offer(
        at.p256("configuration"),
        member=member,
        services=services,
        rights=rights,
        version=version,
        now=now,
        gateways=vouched,
        once=once or once_before(at) or {"gateway": at.code, "since": 0},
    )


def once_before(at: Home) -> Mapping[str, Any] | None:
    """The member's word on `once` in the offer that this home accepted last; None where it has accepted none."""
    try:
        accepted = json.loads((at.path / "trust" / "members.json").read_text())
    except FileNotFoundError:
        return None
    said: Mapping[str, Any] | None = (accepted.get(at.member, {}).get("offer") or {}).get("once")
    return said


def configuration_key(home: Path | str) -> ec.EllipticCurvePublicKey:
    """The public half of the key with which this home's member signs its offers."""
    return load(home).p256("configuration").public_key()


def set_seal_certificate(home: Path | str, certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> None:
    """Install the certificate of the seal key; ValueError when it is for another key."""
    path = Path(home)
    if keys.thumbprint(certificates.public_key(certificate)) != keys.thumbprint(load(path).p256("seal").public_key()):
        raise ValueError("the certificate is not for this seal key")
    _write(path / "certs" / "seal.pem", certificates.pem(certificate).decode())
    _write(path / "certs" / "seal-chain.pem", "".join(certificates.pem(one).decode() for one in chain))


def change(home: Path | str, **settings: Any) -> None:
    """Write these settings into `gateway.yaml` and leave the others; a gateway reads them at its start."""
    path = Path(home) / "gateway.yaml"
    data = {**content.parse(path.read_text()), **settings}
    _write(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def set_certificate(home: Path | str, certificate: x509.Certificate) -> None:
    """Install a certificate of the TLS key; ValueError when it is for another key."""
    path = Path(home)
    if keys.thumbprint(certificates.public_key(certificate)) != keys.thumbprint(load(path).p256("tls").public_key()):
        raise ValueError("the certificate is not for this TLS key")
    _write(path / "certs" / "tls.pem", certificates.pem(certificate).decode())


def certificate(home: Path | str) -> x509.Certificate:
    """The certificate of the TLS key."""
    return certificates.from_pem((Path(home) / "certs" / "tls.pem").read_bytes())


def secret(home: Path | str, subsystem: str) -> str:
    """The secret between a subsystem and its gateway."""
    return load(home).subsystems[subsystem].secret


def _granted(may: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    granted = {name: sorted(abilities) for name, abilities in may.items()}
    if strange := {ability for abilities in granted.values() for ability in abilities} - ABILITIES:
        raise ValueError(f"unknown abilities: {sorted(strange)}")
    return granted


def _subsystem(path: Path, name: str, entry: Mapping[str, Any]) -> Subsystem:
    shared = (path / entry["secret_file"]).read_text().strip()
    if len(shared) < 32:
        raise ValueError(f"the secret of {name} is too short")
    services, may = dict(entry.get("services") or {}), frozenset(entry.get("may") or ())
    return Subsystem(name, shared, services, may, open=entry.get("open") is True)


def _seconds(settings: Mapping[str, Any], name: str, default: float) -> float:
    given = float(settings.get(name, default))
    if not 1 <= given <= 3600:
        raise ValueError(f"{name} is from 1 to 3600")
    return given


def _timestamps(path: Path, entry: Mapping[str, Any] | None) -> Timestamps | None:
    if not entry:
        return None
    return Timestamps(entry["url"], path / entry["root"], int(entry.get("every", 60)), int(entry.get("bound", 14_400)))


def _write(path: Path, text: str) -> None:
    keys.write_secret(path, text.encode())  # atomic, and 0600 does no harm to what is public
