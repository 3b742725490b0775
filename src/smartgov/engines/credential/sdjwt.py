"""SD-JWT (RFC 9901) and SD-JWT VC: made with a signer elsewhere, cut by the holder to what is asked, checked strictly.

Every member of a claim that is an object can be shown alone. Digests are sorted and padded with decoys to a multiple
of eight, so that their number tells nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from smartgov.engines.credential import tokens
from smartgov.engines.credential.tokens import TokenError
from smartgov.engines.pki import keys

TYPE = "dc+sd-jwt"
BINDING_TYPE = "kb+jwt"
_PAD = 8
_RESERVED = {"_sd", "...", "_sd_alg"}
_ALWAYS_SHOWN = {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"}
_MOST_DISCLOSURES = 500
FindKey = Callable[[Mapping[str, Any], Mapping[str, Any]], keys.PublicKey]
"""Gets the unverified header and payload, gives the issuer's key; TokenError for an issuer that is not trusted."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A credential that holds: what was shown (with the registered members), and who may show it."""

    claims: dict[str, Any]
    header: dict[str, Any]
    bound: bool
    """Whether the holder's key signed this presentation."""

    @property
    def vct(self) -> str:
        """The type of the credential."""
        return str(self.claims.get("vct", ""))

    @property
    def status(self) -> tuple[str, int] | None:
        """Address of the status list and index in it."""
        found = self.claims.get("status")
        place = found.get("status_list") if isinstance(found, dict) else None
        if not isinstance(place, dict) or not isinstance(place.get("idx"), int):
            return None
        return str(place.get("uri", "")), int(place["idx"])


@dataclass(slots=True)
class _Disclosures:
    """What is collected while a credential is made."""

    texts: list[str] = field(default_factory=list)

    def hide(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """An object of which nothing can be read: digests in place of members, objects within likewise."""
        digests = []
        for name, value in claims.items():
            if name in _RESERVED:
                raise ValueError(f"{name} cannot be the name of a claim")
            shown = self.hide(value) if isinstance(value, Mapping) else value
            text = _encode([_salt(), name, shown])
            self.texts.append(text)
            digests.append(digest(text))
        digests += [digest(_salt()) for _ in range(-len(digests) % _PAD)]
        return {"_sd": sorted(digests)}


def issue(
    claims: Mapping[str, Any],
    *,
    vct: str,
    issuer: str,
    holder: Mapping[str, str],
    sign: tokens.Sign,
    x5c: Sequence[str],
    issued_at: datetime,
    expires_at: datetime,
    status: tuple[str, int] | None = None,
) -> str:
    """A credential of `claims` for the holder's key (a public JWK), each claim to be shown or not.

    `status` is its place in a status list. ValueError for a claim that has a reserved name.
    """
    if clash := _ALWAYS_SHOWN & set(claims):
        raise ValueError(f"{sorted(clash)} are set here")
    found = _Disclosures()
    payload: dict[str, Any] = {
        **found.hide(claims),
        "_sd_alg": "sha-256",
        "iss": issuer,
        "vct": vct,
        "iat": _rounded(issued_at),
        "exp": int(expires_at.timestamp()),
        "cnf": {"jwk": {name: holder[name] for name in ("kty", "crv", "x", "y")}},
    }
    if status is not None:
        payload["status"] = {"status_list": {"uri": status[0], "idx": status[1]}}
    token = tokens.compact({"typ": TYPE, "x5c": list(x5c)}, payload, sign)
    return "~".join([token, *found.texts, ""])


def attach(facts: Mapping[str, Any], *, sign: tokens.Sign, x5c: Sequence[str], **members: Any) -> str:
    """A credential without a holder's key, all of it shown: the facts that lie inside a sealed document."""
    found = _Disclosures()
    payload = {**found.hide(facts), "_sd_alg": "sha-256", **members}
    token = tokens.compact({"typ": TYPE, "x5c": list(x5c)}, payload, sign)
    return "~".join([token, *found.texts, ""])


def verify(
    presentation: str,
    find_key: FindKey,
    *,
    now: datetime,
    audience: str | None = None,
    nonce: str | None = None,
    binding_life: int = 300,
) -> Verified:
    """What a credential or presentation says; TokenError when anything about it is wrong.

    With `audience` and `nonce` the holder's key has to have signed this presentation for them, at most
    `binding_life` seconds ago. A disclosure that nothing refers to, or that says a thing twice, is refused.
    """
    token, texts, binding = _parts(presentation)
    header, payload = tokens.header_of(token), tokens.payload_of(token)
    payload = tokens.opened(token, find_key(header, payload), TYPE)
    tokens.check_times(payload, now)
    if payload.get("_sd_alg", "sha-256") != "sha-256":
        raise TokenError("it uses another digest")
    shown = _Shown(texts)
    claims = shown.resolve({name: value for name, value in payload.items() if name != "_sd_alg"}, top=True)
    shown.require_all_used()
    if (audience is None) != (nonce is None):
        raise ValueError("audience and nonce come together")
    if audience is not None and nonce is not None:
        _check_binding(binding, presentation, payload, audience, nonce, now, binding_life)
    return Verified(claims, header, bool(binding) and audience is not None)


def holder_of(credential: str) -> dict[str, str]:
    """The public JWK that a credential is bound to, unverified."""
    found = tokens.payload_of(credential.split("~", 1)[0]).get("cnf", {}).get("jwk")
    if not isinstance(found, dict):
        raise TokenError("it is bound to no key")
    return found


def select(credential: str, paths: Iterable[Path]) -> str:
    """The credential cut to the claims at `paths` (and what encloses them): the holder's choice, ending in `~`."""
    token, texts, _ = _parts(credential)
    known = {digest(text): text for text in texts}
    wanted = {tuple(path) for path in paths}
    chosen: list[str] = []

    def walk(value: Any, here: Path) -> None:
        if not isinstance(value, dict):
            return
        for hidden in value.get("_sd", ()):
            text = known.get(hidden)
            if text is None:
                continue
            _, name, inner = _decode(text)
            place = (*here, name)
            if any(path[: len(place)] == place or place[: len(path)] == path for path in wanted):
                chosen.append(text)
                walk(inner, place)
        for name, inner in value.items():
            if name != "_sd":
                walk(inner, (*here, name))

    walk(tokens.payload_of(token), ())
    return "~".join([token, *chosen, ""])


def bind(cut: str, sign: tokens.Sign, *, audience: str, nonce: str, now: datetime) -> str:
    """A presentation: `cut` with the holder's signature for one audience and nonce."""
    payload = {"aud": audience, "nonce": nonce, "iat": int(now.timestamp()), "sd_hash": digest(cut)}
    return cut + tokens.compact({"typ": BINDING_TYPE}, payload, sign)


def digest(text: str) -> str:
    """Base64url of the SHA-256 over the ASCII text, as SD-JWT has it."""
    return keys.b64url(sha256(text.encode("ascii")).digest())


class _Shown:
    """The disclosures of a presentation, and which were used."""

    def __init__(self, texts: list[str]) -> None:
        self._by_digest = {digest(text): _decode(text) for text in texts}
        if len(self._by_digest) != len(texts):
            raise TokenError("a disclosure comes twice")
        self._used: set[str] = set()
        self._seen: set[str] = set()

    def resolve(self, value: Any, *, top: bool = False) -> Any:
        """`value` with what was disclosed in its place and all other digests gone."""
        if isinstance(value, list):
            return self._list(value)
        if not isinstance(value, dict):
            return value
        found = {name: self.resolve(inner) for name, inner in value.items() if name != "_sd"}
        hidden = value.get("_sd", [])
        if not isinstance(hidden, list):
            raise TokenError("its digests are malformed")
        for one in hidden:
            parts = self._take(one)
            if parts is None:
                continue
            if len(parts) != 3 or parts[1] in found or parts[1] in _RESERVED:
                raise TokenError("a disclosure has a wrong name")
            if top and parts[1] in _ALWAYS_SHOWN:
                raise TokenError("a disclosure sets what may not be hidden")
            found[parts[1]] = self.resolve(parts[2])
        return found

    def _list(self, values: list[Any]) -> list[Any]:
        found = []
        for one in values:
            if isinstance(one, dict) and set(one) == {"..."}:
                parts = self._take(one["..."])
                if parts is None:
                    continue
                if len(parts) != 2:
                    raise TokenError("a disclosure has a wrong form")
                found.append(self.resolve(parts[1]))
            else:
                found.append(self.resolve(one))
        return found

    def _take(self, one: Any) -> list[Any] | None:
        if not isinstance(one, str) or one in self._seen:
            raise TokenError("a digest comes twice")
        self._seen.add(one)
        if one in self._by_digest:
            self._used.add(one)
        return self._by_digest.get(one)

    def require_all_used(self) -> None:
        """TokenError when a disclosure belongs to nothing."""
        if len(self._used) != len(self._by_digest):
            raise TokenError("a disclosure belongs to nothing")


def _parts(text: str) -> tuple[str, list[str], str]:
    token, *rest = text.split("~")
    if not rest or len(rest) > _MOST_DISCLOSURES or not text.isascii():
        raise TokenError("it is no credential")
    return token, rest[:-1], rest[-1]


def _check_binding(
    binding: str, presentation: str, payload: Mapping[str, Any], audience: str, nonce: str, now: datetime, life: int
) -> None:
    if not binding:
        raise TokenError("the holder did not sign")
    jwk = payload.get("cnf", {}).get("jwk") if isinstance(payload.get("cnf"), dict) else None
    try:
        key = keys.from_jwk(jwk or {})
    except ValueError:
        raise TokenError("it is bound to no key") from None
    found = tokens.opened(binding, key, BINDING_TYPE)
    tokens.check_times(found, now)
    made = found.get("iat")
    if not isinstance(made, int) or now.timestamp() - made > life:
        raise TokenError("the holder's signature is too old")
    cut = presentation[: len(presentation) - len(binding)]
    for name, wanted in (("aud", audience), ("nonce", nonce), ("sd_hash", digest(cut))):
        if not secrets.compare_digest(str(found.get(name, "")).encode(), wanted.encode()):
            raise TokenError(f"the holder signed another {name}")


def _encode(parts: list[Any]) -> str:
    return keys.b64url(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode())


def _decode(text: str) -> list[Any]:
    try:
        found = json.loads(keys.from_b64url(text))
    except (ValueError, RecursionError):
        raise TokenError("a disclosure is malformed") from None
    if not isinstance(found, list) or len(found) not in {2, 3}:
        raise TokenError("a disclosure is malformed")
    if len(found) == 3 and not isinstance(found[1], str):
        raise TokenError("a disclosure has a wrong name")
    return found


def _salt() -> str:
    return keys.b64url(secrets.token_bytes(16))


def _rounded(at: datetime) -> int:
    # To the day: the instant of issue would tell the credentials of one batch, or of one person, from others.
    return int(at.timestamp()) // 86400 * 86400
