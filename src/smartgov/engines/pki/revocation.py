"""Certificate revocation lists (RFC 5280 section 5): numbered lists built and read, and what a list says about one
certificate under the caller's own policy for lists that are old. Lists of outside authorities are taken in as rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

HOLD = "certificateHold"
LEFT = x509.ReasonFlags.remove_from_crl.value
"""The reason of a row in a delta list whose certificate is on the list no more."""
_BACKDATED = timedelta(minutes=5)  # so that a reader whose clock is a little slow accepts a new list
_UNDERSTOOD = {
    x509.CRLNumber.oid,
    x509.AuthorityKeyIdentifier.oid,
    x509.AuthorityInformationAccess.oid,
    x509.FreshestCRL.oid,
}
_IN_ENTRIES = {x509.CRLReason.oid, x509.InvalidityDate.oid}
_ListKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


@dataclass(frozen=True, slots=True)
class Revocation:
    """One row of a list: which serial, since when (aware), and the reason by its RFC 5280 name."""

    serial: int
    at: datetime
    reason: str = "unspecified"

    @property
    def is_hold(self) -> bool:
        """Whether the certificate is only suspended and may come back."""
        return self.reason == HOLD


@dataclass(frozen=True, slots=True)
class Head:
    """What a list says of itself. `issuer` is `issuer_id` of its authority, `digest` the SHA-256 (hex) of its DER."""

    issuer: str
    number: int | None
    this_update: datetime
    next_update: datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature and scope were checked; rows are read from the DER when they are asked for."""

    head: Head
    der: bytes
    _parsed: x509.CertificateRevocationList

    def find(self, serial: int) -> Revocation | None:
        """The row of `serial`, if it is on the list."""
        entry = self._parsed.get_revoked_certificate_by_serial_number(serial)
        return None if entry is None else _row(entry)

    def rows(self) -> Iterator[Revocation]:
        """Every row, in the list's order; a national list is long, so they are never all in memory."""
        return (_row(entry) for entry in self._parsed)

    @property
    def base(self) -> int | None:
        """The number of the complete list that a delta list starts from; None for a complete one."""
        try:
            return self._parsed.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number
        except x509.ExtensionNotFound:
            return None

    def __len__(self) -> int:
        return len(self._parsed)


@dataclass(frozen=True, slots=True)
class Policy:
    """How old a list may be, and whether what cannot be known `refuse`s or only `warn`s.

    A list is stale after its own next update plus `grace`, and after `longest_age` since it was made if that is sooner.
    Signatures refuse; a log-in at a low level may warn. The caller decides, never the list.
    """

    longest_age: timedelta | None = None
    grace: timedelta = timedelta(0)
    unknown: Literal["refuse", "warn"] = "refuse"

    def is_stale(self, head: Head, now: datetime) -> bool:
        """Whether the list of `head` is too old at the aware instant `now`; one without a next update needs an age."""
        ends = [head.next_update + self.grace] if head.next_update else []
        if self.longest_age is not None:
            ends.append(head.this_update + self.longest_age)
        return not ends or now > min(ends)


STRICT = Policy()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known about one certificate. `accepted` is the policy's answer; the rest is for the report.

    `source` names where it is from (`crl 17`), `made_at` when that was made (its age follows), `stale` that it is older
    than the policy allows. `since` and `reason` are the revocation's own.
    """

    status: Literal["good", "suspended", "revoked", "unknown"]
    accepted: bool
    source: str = ""
    made_at: datetime | None = None
    stale: bool = False
    since: datetime | None = None
    reason: str = ""


def issuer_id(authority: x509.Certificate) -> str:
    """SHA-256 (hex) over the authority's public key: a renewed certificate of the same key keeps it."""
    spki = authority.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(spki).hexdigest()


def reason_flag(reason: str) -> x509.ReasonFlags:
    """The RFC 5280 reason of that name; ValueError for any other, and for one that only delta lists use."""
    flag = x509.ReasonFlags(reason)
    if flag is x509.ReasonFlags.remove_from_crl:
        raise ValueError("removeFromCRL belongs into delta lists only")
    return flag


def build(
    *,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    number: int,
    revoked: Iterable[Revocation],
    made_at: datetime,
    life: timedelta,
    base: int | None = None,
    gone: Iterable[int] = (),
    delta_at: str = "",
) -> bytes:
    """The DER list of `revoked`, signed by `key` (a file or a module) in the name of `authority`.

    `number` must rise with every list of an authority. Readers look for the next one after `life`. With `base` it is a
    delta list on the complete list of that number: `revoked` is what came since, `gone` the serials that left it.
    `delta_at` says in a complete list where deltas on it are to be had (freshestCRL, RFC 5280 5.2.6).
    ValueError when a row's reason is none, or a serial comes twice.
    """
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(made_at - _BACKDATED)
        .next_update(made_at + life)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    if delta_at:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(delta_at)], None, None, None)
        builder = builder.add_extension(x509.FreshestCRL([point]), critical=False)
    left = [Revocation(serial, made_at, LEFT) for serial in gone]
    rows = sorted([*revoked, *left], key=lambda row: row.serial)
    if base is None and any(row.reason == LEFT for row in rows):
        raise ValueError("removeFromCRL belongs into delta lists only")
    if len({row.serial for row in rows}) != len(rows):
        raise ValueError("a serial comes twice")
    for row in rows:
        builder = builder.add_revoked_certificate(_entry(row))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def read(crl: bytes, authority: x509.Certificate, *, delta: bool = False) -> RevocationList:
    """A list (DER or PEM) of `authority`; ValueError when it is none, or speaks of a part of the certificates only.

    Its age is not looked at: that is `check`'s and its policy's. A delta list is refused, unless it is what is asked
    for (`deltas.read`); then a complete one is.
    """
    parsed = parse(crl)
    key = authority.public_key()
    if not isinstance(key, _ListKey) or parsed.issuer != authority.subject or not parsed.is_signature_valid(key):
        raise ValueError("the revocation list is not signed by this authority")
    # RFC 5280 5.2: a list with a critical extension that is not understood says nothing about any certificate.
    understood = {*_UNDERSTOOD, x509.DeltaCRLIndicator.oid} if delta else _UNDERSTOOD
    if any(extension.critical and extension.oid not in understood for extension in parsed.extensions):
        raise ValueError("the revocation list covers a part of the certificates only")
    der = parsed.public_bytes(serialization.Encoding.DER)
    head = Head(
        issuer_id(authority), _number(parsed), parsed.last_update_utc, parsed.next_update_utc, sha256(der).hexdigest()
    )
    found = RevocationList(head, der, parsed)
    if not delta and found.base is not None:
        raise ValueError("the revocation list covers a part of the certificates only")
    if delta and (found.base is None or head.number is None):
        raise ValueError("this is no delta list with a number")
    return found


def parse(crl: bytes) -> x509.CertificateRevocationList:
    """The form of a list (DER or PEM), nothing of it checked; ValueError when it is none."""
    return x509.load_pem_x509_crl(crl) if crl.startswith(b"-----") else x509.load_der_x509_crl(crl)


def take_in(
    crl: bytes, authority: x509.Certificate, *, digest: str | None = None, known: Head | None = None
) -> RevocationList | None:
    """A list fetched from outside, or None when it is the one that is `known` already.

    `digest` is the SHA-256 (hex) that its publisher announced by another way. Whoever stores it replaces the rows
    `(issuer, serial)` of that issuer in one transaction, with the head. A list older than the known one is refused:
    it could hide a revocation. Problem `crl-refused` (422) with a `reason`: digest, form or rollback.
    """
    require_digest(crl, digest)
    try:
        found = read(crl, authority)
    except ValueError as error:
        raise refused("form", f"{error}.".capitalize(), "不是該憑證機構的完整廢止清冊。") from error
    if known is None:
        return found
    if known.digest == found.head.digest:
        return None
    if _older(found.head, known):
        raise refused("rollback", "A newer list is known already.", "已有較新的清冊。")
    return found


def require_digest(crl: bytes, published: str | None) -> None:
    """Problem `crl-refused` unless the list has the published SHA-256 (hex), where one was published."""
    if published is not None and not compare_digest(sha256(crl).hexdigest(), published.lower()):
        raise refused("digest", "Its digest is not the published one.", "雜湊值與公布的不符。")


def judge(
    head: Head | None,
    row: Revocation | None,
    *,
    now: datetime,
    policy: Policy = STRICT,
    signed_at: datetime | None = None,
) -> Finding:
    """What `row` (None: not on the list) of the list of `head` (None: there is no list) means at `now`.

    With `signed_at` (an instant that somebody trusted vouches for) a later revocation does not count, and the list has
    to be one that was fresh at that instant or was made after it: what is kept with a signature stays good evidence.
    """
    if head is None:
        return Finding("unknown", policy.unknown == "warn")
    source = "crl" if head.number is None else f"crl {head.number}"
    stale = policy.is_stale(head, now if signed_at is None else min(now, signed_at))
    if row is not None and (signed_at is None or row.at <= signed_at):
        status: Literal["suspended", "revoked"] = "suspended" if row.is_hold else "revoked"
        return Finding(status, False, source, head.this_update, stale, row.at, row.reason)
    return Finding("good", not stale or policy.unknown == "warn", source, head.this_update, stale)


def check(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    lists: Iterable[RevocationList],
    *,
    now: datetime,
    policy: Policy = STRICT,
    signed_at: datetime | None = None,
) -> Finding:
    """What the newest of `lists` that belongs to `authority` says about `certificate`; see `judge`."""
    own = issuer_id(authority)
    mine = [one for one in lists if one.head.issuer == own and one.head.this_update <= now + _BACKDATED]
    if certificate.issuer != authority.subject or not mine:
        return judge(None, None, now=now, policy=policy)
    newest = max(mine, key=lambda one: (one.head.this_update, one.head.number or 0))
    row = newest.find(certificate.serial_number)
    return judge(newest.head, row, now=now, policy=policy, signed_at=signed_at)


def _entry(row: Revocation) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(row.serial).revocation_date(row.at)
    flag = x509.ReasonFlags.remove_from_crl if row.reason == LEFT else reason_flag(row.reason)
    if flag is not x509.ReasonFlags.unspecified:  # RFC 5280 5.3.1: rather left out than said
        entry = entry.add_extension(x509.CRLReason(flag), critical=False)
    return entry.build()


def _row(entry: x509.RevokedCertificate) -> Revocation:
    reason = x509.ReasonFlags.unspecified
    for extension in entry.extensions:
        if extension.critical and extension.oid not in _IN_ENTRIES:  # an indirect list: the serial is another's
            raise ValueError("the revocation list speaks of another authority's certificates")
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
    return Revocation(entry.serial_number, entry.revocation_date_utc, reason.value)


def _number(parsed: x509.CertificateRevocationList) -> int | None:
    try:
        return parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None


def _older(new: Head, known: Head) -> bool:
    if new.number is not None and known.number is not None and new.number != known.number:
        return new.number < known.number
    return new.this_update <= known.this_update


def refused(reason: str, why_en: str, why_zh: str) -> Problem:
    """A list from outside that is not taken in; `reason` is for programs."""
    return Problem(
        "crl-refused",
        422,
        what=Text("The revocation list is not taken in.", "未採用此憑證廢止清冊。"),
        why=Text(why_en, why_zh),
        todo=Text("Fetch it anew from its publisher; the known list stays in force.", "請重新下載；原有清冊仍然有效。"),
        reason=reason,
    )
