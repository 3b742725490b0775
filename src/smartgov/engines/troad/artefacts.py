"""Two signed statements about a person: the consent artefact and the trail token.

Both name the person by a reference encrypted to the gateway that will read them, and both can be spent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.pki import jws, keys
from smartgov.engines.troad import reference
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.reference import Recipient
from smartgov.engines.troad.snapshot import Issuer
from smartgov.shared.problems import Problem

CONSENT, TOKEN = "consent+jwt", "trail+jwt"
TOKEN_SECONDS = 60
KEPT = 4096
"""Consents that a gateway keeps as read: one is looked at when a call is admitted and when its answer is released."""
TRAIL_ASSURANCE = 2
"""How surely the person must have been recognised (the identity provider's levels 1 to 3) to see who looked."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The gateway that reads an artefact: its member, id and reference key."""

    member: str
    gateway: str
    key: ec.EllipticCurvePrivateKey
    kept: OrderedDict[str, tuple[str, Issuer, float, Consent]] = field(
        default_factory=OrderedDict, compare=False, repr=False
    )
    """Artefacts as they were read: kid and issuer of that moment, Unix seconds, what they say."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A read consent: person `subject` lets `requester`, whose gateway has the message key `holder`, have `fields`
    of `service` for `purpose`.
    """

    jti: str
    service: str
    requester: str
    subject: str
    fields: frozenset[str]
    purpose: str
    single_use: bool
    expires: int
    holder: str = ""
    issuer: str = ""
    issued: int = 0
    signed_by: str = ""
    """Thumbprint of the key that signed it: whether it was taken back is known to the gateway that has that key."""


@dataclass(frozen=True, slots=True)
class Token:
    """A read trail token: person `subject`, asking through the gateway with message key `holder`."""

    jti: str
    subject: str
    holder: str
    expires: int
    issued: int = 0
    mandate: str = ""
    """The mandate under which somebody else looks for the subject, and what it keeps from her."""
    excludes: tuple[str, ...] = ()


def make_consent(
    *,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    to: Recipient,
    subject: str,
    pairwise: str,
    holder: str,
    terms: Mapping[str, Any],
    now: datetime,
    others: Iterable[Recipient] = (),
) -> str:
    """The artefact for `subject` (a national id), who is `pairwise` to this provider; `holder` is the thumbprint of the
    message key of the requester's gateway. `to` is the gateway at which the provider counts what may happen only once,
    `others` are its further ones; a consent for a single use is for that one only, because each spends in its own log.

    `terms`: provider (a service id), requester, fields, purpose, expires_at (ISO 8601), jti, single_use.
    """
    expires = int(datetime.fromisoformat(terms["expires_at"]).timestamp())
    claims = {
        "iss": issuer,
        "aud": terms["provider"],
        "sub": pairwise,
        "cnf": {"kid": holder},
        "requester": terms["requester"],
        "fields": sorted(terms["fields"]),
        "purpose": terms["purpose"],
        "single_use": bool(terms.get("single_use", False)),
        "jti": terms["jti"],
        "iat": int(now.timestamp()),
        "exp": expires,
        "sub_ref": reference.make(subject, to, rid=terms["jti"], exp=expires),
    }
    further = () if claims["single_use"] else tuple(others)
    if further:
        made = {one.gateway: reference.make(subject, one, rid=terms["jti"], exp=expires) for one in further}
        claims["sub_refs"] = made
    return jws.sign(claims, key, keys.thumbprint(key.public_key()), CONSENT)


def read_consent(artefact: str, issuers: Mapping[str, Issuer], reader: Reader, now: datetime) -> Consent:
    """A consent by a trusted issuer for this provider; Problem `consent-invalid` or `consent-foreign`.

    What was read is kept: its signature and its person do not change, but its issuer must be trusted as then (the very
    same entry of the configuration) and its time must not be over.
    """
    seconds, known = now.timestamp(), reader.kept.get(artefact)
    if known is not None:
        kid, issuer, since, consent = known
        if issuers.get(kid) is issuer and since <= seconds < consent.expires:
            reader.kept.move_to_end(artefact)
            return consent
    consent = _read(artefact, issuers, reader, now)
    kid = str(jws.peek(artefact)["kid"])
    reader.kept[artefact] = kid, issuers[kid], seconds, consent
    if len(reader.kept) > KEPT:
        reader.kept.popitem(last=False)
    return consent


def _read(artefact: str, issuers: Mapping[str, Issuer], reader: Reader, now: datetime) -> Consent:
    claims = _claims(artefact, issuers, CONSENT, now, "consent-invalid")
    if not str(claims.get("aud")).startswith(f"{reader.member}/"):
        raise refuse("consent-foreign")
    try:
        # A single use is one gateway's: what else its issuer may have put beside the reference is not looked at.
        others = {} if claims["single_use"] else claims.get("sub_refs", {})
        own = others.get(reader.gateway, claims["sub_ref"])
        subject = reference.open_(own, reader.key, gateway=reader.gateway, rid=claims["jti"], now=now)
        return Consent(
            jti=str(claims["jti"]),
            service=str(claims["aud"]),
            requester=str(claims["requester"]),
            subject=subject,
            fields=frozenset(claims["fields"]),
            purpose=str(claims["purpose"]),
            single_use=bool(claims["single_use"]),
            expires=int(claims["exp"]),
            holder=str(claims["cnf"]["kid"]),
            issuer=str(claims["iss"]),
            issued=int(claims["iat"]),
            signed_by=str(jws.peek(artefact)["kid"]),
        )
    except (KeyError, TypeError, AttributeError):
        raise refuse("consent-invalid") from None
    except Problem:
        raise refuse("consent-foreign") from None


def make_token(
    *,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    to: Recipient,
    subject: str,
    terms: Mapping[str, Any],
    holder: str,
    now: datetime,
) -> str:
    """The token with which `subject` asks one member for her trail. `terms`: audience, assurance, jti, and where
    somebody else asks `mandate`: its id and what it `excludes` (ids of members, systems or services, or `purpose:...`).
    """
    expires = int(now.timestamp()) + TOKEN_SECONDS
    claims = {
        "iss": issuer,
        "aud": terms["audience"],
        "assurance": int(terms.get("assurance", 0)),
        "jti": terms["jti"],
        "iat": int(now.timestamp()),
        "exp": expires,
        "cnf": {"kid": holder},
        "sub_ref": reference.make(subject, to, rid=terms["jti"], exp=expires),
    }
    if terms.get("mandate"):
        claims["mandate"] = {"id": terms["mandate"]["id"], "excludes": sorted(terms["mandate"]["excludes"])}
    return jws.sign(claims, key, keys.thumbprint(key.public_key()), TOKEN)


def read_token(text: str, issuers: Mapping[str, Issuer], reader: Reader, holder: str, now: datetime) -> Token:
    """A token by a trusted issuer for this member, carried by `holder`; else Problem `token-invalid`."""
    claims = _claims(text, issuers, TOKEN, now, "token-invalid")
    try:
        if claims["aud"] != reader.member or claims["cnf"]["kid"] != holder or claims["assurance"] < TRAIL_ASSURANCE:
            raise refuse("token-invalid")
        subject = reference.open_(claims["sub_ref"], reader.key, gateway=reader.gateway, rid=claims["jti"], now=now)
        issued, mandate = int(claims["iat"]), claims.get("mandate") or {"id": "", "excludes": ()}
        excludes = tuple(str(one) for one in mandate["excludes"])
        return Token(str(claims["jti"]), subject, holder, int(claims["exp"]), issued, str(mandate["id"]), excludes)
    except (KeyError, TypeError, Problem):
        raise refuse("token-invalid") from None


def _claims(text: str, issuers: Mapping[str, Issuer], typ: str, now: datetime, slug: str) -> dict[str, Any]:
    try:
        claims = jws.verify(text, {kid: issuer.key for kid, issuer in issuers.items()}, typ, now=now, leeway=0)
        owner = issuers[str(jws.peek(text)["kid"])].member
    except Problem:
        raise refuse(slug) from None
    if claims.get("iss") != owner:
        raise refuse(slug)
    return claims
