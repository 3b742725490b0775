"""The request to join: written by the gateway with every key it has, read by the centre before an officer sees it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines import trust
from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import letters
from smartgov.engines.troad.joining.letters import Letter
from smartgov.engines.troad.names import is_part
from smartgov.engines.troad.own_keys import ED25519, P256
from smartgov.engines.troad.single_place import LOST_SECONDS, MOVING_SECONDS
from smartgov.engines.trust import Offer, Rotation
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KIND = "join"
JOINING = Text("The request to join is not accepted.", "加入申請未被接受。")
COMMAND = Text("The command was not carried out.", "指令未執行。")
PUBLISHED = ("message", "log", "witness", "reference", "configuration")
"""Keys that the configuration lists, as `<name>_key`."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom the centre rings up: an office, not a person."""

    office: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose keys have all been shown to be held by its writer.

    `fingerprint` is what two people compare; `described` is the gateway as the configuration will list it, without its
    certificate; `offer` is the member's first statement about its keys, `rotation` its proof if it is a member already.
    """

    fingerprint: str
    member: str
    code: str
    name: Text
    contact: Contact
    host: str
    port: int
    subsystems: tuple[str, ...]
    described: Mapping[str, Any]
    tls_key: ec.EllipticCurvePublicKey
    configuration_key: ec.EllipticCurvePublicKey
    offer: Offer
    rotation: Rotation | None
    written: datetime

    @property
    def gateway(self) -> str:
        """The gateway's id."""
        return f"{self.member}/{self.code}"


def write(
    home: Path,
    *,
    name: Text,
    contact: Contact,
    to: str,
    now: datetime,
    rotation: Rotation | None = None,
    in_charge: str = "",
) -> dict[str, Any]:
    """The letter by which the member of this home asks to join at the centre `to`, signed by each of its keys.

    `in_charge`: the code of the gateway that took keys by the member's word so far, where it is known. Another one than
    this may go on taking them from those who work by an older configuration, so this one waits until nobody does.
    The wait counts from the moment at which it is listed (`waiting`), which nobody knows here.
    """
    at = homes.load(home)
    signers: dict[str, keys.PrivateKey] = {one: at.p256(one) for one in P256}
    signers |= {"log": at.log_key(), "witness": at.witness_key()}
    # Who comes in place of another gateway does not know which keys that one has taken.
    began = math.ceil(now.timestamp()) if rotation else 0
    since = began + (waiting(rotation, in_charge == at.code) if rotation else 0)
    offer = homes.sign_offer(
        home,
        member=at.member,
        services=[],
        rights=[],
        version=began or 1,
        now=now,
        once={"gateway": at.code, "since": since},
    )
    content = {
        "member": at.member,
        "code": at.code,
        "name": name.as_dict(),
        "contact": {"office": contact.office, "email": contact.email, "phone": contact.phone},
        "host": at.host,
        "port": at.port,
        "subsystems": sorted(at.subsystems),
        "offer": offer.as_json(),
        **({"rotation": rotation.as_json()} if rotation else {}),
    }
    return letters.write(KIND, content, signers, to=to, now=now)


def waiting(rotation: Rotation, was_in_charge: bool) -> int:
    """For how long (seconds) a gateway with new keys takes no idempotency keys once it is listed, unless it was in
    charge of them with the old ones: then that it starts says that the old one has stopped.
    """
    if was_in_charge:
        return 0
    return MOVING_SECONDS if rotation.by_carried_key() else LOST_SECONDS


def read(letter: Letter) -> Request:
    """What a letter asks for. Problem `join-invalid` with what is wrong with it."""
    content = letter.content
    try:
        host, port = str(content["host"]), int(content["port"])
        subsystems = tuple(str(one) for one in content["subsystems"])
        request = Request(
            fingerprint=letter.digest,
            member=str(content["member"]),
            code=str(content["code"]),
            name=Text.of(content["name"]),
            contact=Contact(**{part: str(content["contact"][part])[:120] for part in ("office", "email", "phone")}),
            host=host,
            port=port,
            subsystems=subsystems,
            described=_described(letter, str(content["code"]), str(content["member"]), host, port),
            tls_key=_p256(letter, "tls"),
            configuration_key=_p256(letter, "configuration"),
            offer=Offer.of(content["offer"]),
            rotation=Rotation.of(content["rotation"]) if "rotation" in content else None,
            written=letter.written,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise refused(f"A part is missing or wrong: {error}.", f"缺少或錯誤的部分：{error}。") from None
    _check(request)
    return request


def grouped(fingerprint: str) -> str:
    """A fingerprint as people compare it: groups of four, eight in a line."""
    groups = [fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4)]
    return "\n".join(" ".join(groups[i : i + 8]) for i in range(0, len(groups), 8))


def refused(why_en: str, why_zh: str, what: Text = JOINING) -> Problem:
    """A request that no officer needs to see."""
    return Problem(
        "join-invalid",
        422,
        what=what,
        why=Text(why_en, why_zh),
        todo=Text("Correct it and run the command again.", "請修正後重新執行指令。"),
    )


def _check(request: Request) -> None:
    parts = request.member.split("/")
    if len(parts) != 3 or not all(is_part(part) for part in (*parts, request.code)) or len(request.gateway) > 80:
        raise refused("The member's name does not read like TW/GOV/xyz.", "成員名稱格式應如 TW/GOV/xyz。")
    if not _HOST.fullmatch(request.host) or not 0 < request.port < 65536:
        raise refused("Host or port cannot be reached by anybody.", "主機或連接埠不正確。")
    if not _MAIL.fullmatch(request.contact.email) or not request.contact.office.strip():
        raise refused("The contact has no office or no e-mail address.", "聯絡窗口缺少單位或電子郵件。")
    if len(request.subsystems) > 20 or not all(is_part(one) for one in request.subsystems):
        raise refused("A name of an information system cannot be used.", "資訊系統名稱不正確。")
    texts = (request.name.en, request.name.zh)
    if not all(text.strip() and len(text) <= 120 for text in texts):
        raise refused("The member's name is missing in one language.", "缺少成員的中文或英文名稱。")
    trust.check_offer(request.offer, request.configuration_key)
    said = request.offer.body
    if said["services"] or said["rights"] or request.offer.member != request.member:
        raise refused("Services and rights come after joining.", "加入後才能登錄服務與權限。")
    own = {**trust.thumbprints(request.described), "tls_key": keys.thumbprint(request.tls_key)}
    if said.get("gateways") != {request.code: own}:
        raise refused("Its signed list of keys is another one than it shows.", "已簽署的金鑰清單與出示者不同。")


def _described(letter: Letter, code: str, member: str, host: str, port: int) -> dict[str, Any]:
    if missing := {*P256, *ED25519} - set(letter.keys):
        raise KeyError(", ".join(sorted(missing)))
    if len({keys.thumbprint(key) for key in letter.keys.values()}) != len(letter.keys):
        raise ValueError("one key for two purposes")
    if not all(isinstance(letter.keys[name], Ed25519PublicKey) for name in ED25519):
        raise ValueError("log and witness keys are Ed25519")
    for name in P256:
        _p256(letter, name)
    published = {f"{name}_key": letter.jwk(name) for name in PUBLISHED}
    return {"code": code, "host": host, "port": port, "log_origin": f"{member}/{code}", **published}


def _p256(letter: Letter, name: str) -> ec.EllipticCurvePublicKey:
    key = letter.keys[name]
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError(f"the key {name} is not on P-256")
    return key
