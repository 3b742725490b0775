"""Evidence without running gateways: a land of five members, all of whose keys are at hand, also the centre's.

What it makes by itself is sound, and verifiers say so; whoever holds its keys can forge what a colluding centre could.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smartgov.engines.ledger import Checkpoint, checkpoint, cosign, merkle
from smartgov.engines.pki import keys, timestamps
from smartgov.engines.troad import archive_check, batch_signature, bodies, verification, verify_evidence, wire
from smartgov.engines.trust import OnlineKeys, Pin, Pins, Repository, Rotation, proving, sign_offer, thumbprints
from smartgov.engines.trust import metadata as md
from smartgov.shared import canonical
from smartgov.simulators.timestamp.authority import Authority

RIS, HPA, PORTAL, MOI, EDU = (f"TW/GOV/{code}" for code in ("ris", "hpa", "portal", "moi", "edu"))
MEMBERS = (RIS, HPA, PORTAL, MOI, EDU)
WITNESSES = (PORTAL, MOI)
EXCHANGE = "019aa9c0-7b1f-7cc0-8d3e-3f1f5f0a7b11"
SERVICE = f"{HPA}/births/births.v1"


@dataclass
class Keys:
    """All keys of one member with one gateway."""

    own: md.PrivateKey = field(default_factory=keys.generate_p256)
    """The member's own, by which it signs offers."""
    message: md.PrivateKey = field(default_factory=keys.generate_p256)
    reference: md.PrivateKey = field(default_factory=keys.generate_p256)
    log: Ed25519PrivateKey = field(default_factory=keys.generate_ed25519)
    witness: Ed25519PrivateKey = field(default_factory=keys.generate_ed25519)

    def listed(self) -> dict[str, Any]:
        """The gateway `gw1` as a configuration lists it."""
        public = {
            f"{name}_key": keys.public_jwk(getattr(self, name).public_key())
            for name in ("message", "reference", "log", "witness")
        }
        return {"code": "gw1", "host": "127.0.0.1", "port": 23000, "tls_fingerprint": "00" * 32, **public}


class Land:
    """A centre with three root keys, members with their keys, and an authority for time stamps, in a folder."""

    def __init__(self, folder: Path, now: datetime | None = None) -> None:
        self.folder, self.now = folder, (now or datetime.now(UTC)).replace(microsecond=0)
        self.roots = [keys.generate_p256() for _ in range(3)]
        self.online = OnlineKeys(*(keys.generate_p256() for _ in range(3)))
        self.members = {member: Keys() for member in MEMBERS}
        self.rotations: list[Rotation] = []
        self.repository = Repository(folder / "repository")
        began = self.now - timedelta(days=90)
        self.anchor = self.repository.create(root_keys=self.roots, threshold=2, online=self.online.public(), now=began)
        self._authority = Authority(folder / "tsa")
        self._versions = dict.fromkeys(MEMBERS, 0)

    def thumbprint(self, member: str) -> str:
        """Of the member's own key."""
        return keys.thumbprint(self.members[member].own.public_key())

    def rotate(self, member: str, by: Iterable[md.PrivateKey] | None = None) -> None:
        """Give the member another own key; the statement is signed by the old one, or by these."""
        old, fresh = self.members[member].own, keys.generate_p256()
        self.rotations.append(
            Rotation.make(
                member=member, old=old.public_key(), new=fresh.public_key(), at=self.now, by=[old] if by is None else by
            )
        )
        self.members[member].own = fresh

    def configuration(
        self,
        issued: datetime | None = None,
        *,
        offers: Sequence[str] = MEMBERS,
        without_gateways: Sequence[str] = (),
        **changes: Any,
    ) -> dict[str, Any]:
        """Signed by the centre; with the offers of these members, of which some say nothing of their gateways.

        `changes` are to the list of members.
        """
        at = issued or self.now - timedelta(hours=1)
        self.repository.publish(
            {
                "issued_at": at.isoformat(),
                "instance": "TW",
                "members": [{"id": name, "gateways": [one.listed()]} for name, one in self.members.items()],
                **changes,
            },
            member_keys={member: one.own.public_key() for member, one in self.members.items()},
            offers=[self._offer(member, at, member in without_gateways) for member in self.members],
            keys_online=self.online,
            now=at,
            rotations=self.rotations,
        )
        files = json.loads(self.repository.bundle())["files"]
        return {"files": proving(files, offers)}

    def _offer(self, member: str, at: datetime, silent: bool) -> Any:
        self._versions[member] = self._versions.get(member, 0) + 1
        one = self.members[member]
        return sign_offer(
            one.own,
            member=member,
            services=[{"id": f"{member}/births/births.v1"}],
            rights=[],
            version=self._versions[member],
            now=at,
            gateways=None if silent else {"gw1": thumbprints(one.listed())},
        )

    def bundle(
        self,
        configuration: dict[str, Any] | None = None,
        *,
        by: Sequence[str] = WITNESSES,
        answerer: str = HPA,
        kind: str = "request",
        **changes: Any,
    ) -> dict[str, Any]:
        """Of one exchange that ris asked of hpa, out of ris's log, under a stamped head that `by` have co-signed.

        `answerer` signs the answer in hpa's place; `kind` is that of the question's record.
        """
        exact, parts = self._messages(answerer, kind)
        leaves = [merkle.leaf_hash(one) for one in (*self._others(), *exact, b'{"kind":"later"}')]
        whole = merkle.over(leaves)
        bundle = {
            "type": "troad-evidence-v1",
            "exchange": EXCHANGE,
            "gateway": f"{RIS}/gw1",
            "configuration": configuration or self.configuration(),
            "head": (head := self.head(leaves, by=by)),
            "stamp": self.stamp(head),
            "before": {
                "head": (before := self.head(leaves[:3], by=by, seconds=-60)),
                "stamp": self.stamp(before),
                "consistency": [one.hex() for one in merkle.consistency_proof(3, len(leaves), whole)],
            },
            "have": [],
            "entries": [
                {
                    "index": at,
                    "record": base64.b64encode(record).decode(),
                    "proof": [one.hex() for one in merkle.inclusion_proof(at, len(leaves), whole)],
                    **part,
                }
                for at, record, part in zip((3, 4), exact, parts, strict=True)
            ],
        }
        return {**bundle, **changes}

    def archive(self, file: Path, configuration: dict[str, Any]) -> Path:
        """The same log from its record 2 on, as a file."""
        exact, _ = self._messages()
        records = [*self._others(), *exact]
        leaves = [merkle.leaf_hash(one) for one in records]
        left, head = merkle.over(leaves)(0, 2), self.head(leaves)
        since = (self.now - timedelta(hours=1)).timestamp()
        first = {
            "type": "troad-archive-v1",
            "gateway": f"{RIS}/gw1",
            "first": 2,
            "size": len(leaves),
            "left": [left.hex()],
            "heads": [{"head": head, "stamp": self.stamp(head)}],
            "configurations": [{"from": since, **configuration}],
        }
        lines = [first]
        lines += [{"index": at, "record": base64.b64encode(records[at]).decode()} for at in range(2, len(leaves))]
        file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
        return file

    def anchors(self, folder: Path, **pins: Any) -> Path:
        """What a reader trusts; `pins` as in `pinned`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "root.json").write_bytes(self.anchor)
        (folder / "tsa.pem").write_bytes(self._authority.root())
        if pins:
            self.pinned(folder, **pins)
        return folder

    def pinned(
        self, folder: Path, *, members: Mapping[str, Sequence[tuple[str, datetime]]], only: bool = False
    ) -> None:
        """Put pins in a folder of anchors: by member thumbprints and since when."""
        made = {one: tuple(Pin(key, at.timestamp()) for key, at in given) for one, given in members.items()}
        Pins(made, only).write(folder, lambda at: datetime.fromtimestamp(at, UTC).isoformat())

    def head(self, leaves: Sequence[bytes], *, by: Sequence[str] = WITNESSES, seconds: int = 5) -> str:
        """A head of ris's log, signed, and co-signed by these, so long after the exchange."""
        head = Checkpoint(f"{RIS}/gw1", len(leaves), merkle.root(leaves))
        note = checkpoint.sign(head, self.members[RIS].log)
        at = int(self.now.timestamp()) + seconds
        return note + "".join(cosign.cosign(note, f"{one}/gw1", self.members[one].witness, at) for one in by)

    def stamp(self, note: str) -> str:
        """The authority's answer over a head; its time is that of the clock."""
        answer = self._authority._stamp(timestamps.request(cosign.text(note)))
        return base64.b64encode(answer).decode()

    def _others(self) -> list[bytes]:
        before = (self.now - timedelta(minutes=2)).isoformat()
        return [canonical.dumps({"kind": "note", "side": "own", "time": before, "n": n}) for n in range(3)]

    def _messages(self, answerer: str = HPA, kind: str = "request") -> tuple[list[bytes], list[dict[str, str]]]:
        """The records of a question and its answer as ris has them, and what goes with them where nothing is erased."""
        ris, hpa, created = self.members[RIS], self.members[answerer], int(self.now.timestamp())
        fields = {"content-type": "application/json", "x-road-client": f"{RIS}/cases", "x-road-id": EXCHANGE}
        fields |= {"troad-receiver": f"{HPA}/gw1", "troad-purpose": "birth-registration"}
        body, reply = b'{"where":{}}', '{"items":[{"hospital":"臺大醫院"}]}'.encode()
        salt, committed = bodies.commit(body)
        head = wire.Head("POST", "127.0.0.1:23000", f"/r1/{SERVICE}/births/query", "", fields | committed)
        base = wire.sign_request(head, ris.message, created=created, nonce="A" * 22)
        answer_salt, answer = bodies.commit(reply)
        answer["content-type"] = "application/json"
        kid = keys.thumbprint(hpa.message.public_key())
        answer_base = wire.open_answer(head, 200, answer, kid, created=created, nonce="B" * 22, tag=wire.BATCH_TAG)
        [_, value] = batch_signature.sign(hpa.message, [bytes(32), sha256(answer_base).digest()])
        wire.attach(answer, value)
        common = {"time": self.now.isoformat(), "id": EXCHANGE, "client": f"{RIS}/cases", "service": SERVICE}
        common |= {"side": "client", "gateway": f"{answerer}/gw1"}
        asked = {"kind": kind, "method": "POST", "path": "/births/query", **common}
        said = {"kind": "answer", "status": 200, **common}
        asked |= _proof(head.fields, base)
        records = [canonical.dumps(asked), canonical.dumps(said | _proof(answer, answer_base))]
        kept = [(salt, body, base), (answer_salt, reply, answer_base)]
        names = ("salt", "body", "base")
        return records, [
            {name: base64.b64encode(part).decode() for name, part in zip(names, one, strict=True)} for one in kept
        ]


def _proof(fields: Mapping[str, str], base: bytes) -> dict[str, str]:
    named = {"body": fields["troad-body"], "base": sha256(base).hexdigest()}
    return {**named, "input": fields["signature-input"], "signature": fields["signature"]}


def both(bundle: Any, anchors: Path) -> tuple[str, tuple[str, ...]]:
    """The one answer of both verifiers, about a bundle or the file of an archive."""
    found = archive_check.verify(bundle, anchors) if isinstance(bundle, Path) else verification.verify(bundle, anchors)
    with patch.object(verify_evidence, "openssl", _asked_once):
        word, reasons = verify_evidence.verify(bundle, anchors)
    assert (verify_evidence.STATUS[word], tuple(reasons)) == (found.verdict, found.reasons)
    return word, tuple(reasons)


_openssl, _said = verify_evidence.openssl, dict[Any, Any]()


def _asked_once(*arguments: str, **files: bytes) -> Any:
    """openssl says the same of the same bytes, and each time that it is started costs many times what it does."""
    asked = (arguments, tuple(sorted(files.items())))
    if asked not in _said:
        _said[asked] = _openssl(*arguments, **files)
    return _said[asked]
