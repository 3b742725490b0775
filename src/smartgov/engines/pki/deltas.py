"""Delta revocation lists (RFC 5280 section 5.2.4): what came and went since a complete list, and when one may be laid
on what is known. They are built like other lists, by `revocation.build`.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509

from smartgov.engines.pki import revocation
from smartgov.engines.pki.revocation import Head, Revocation, RevocationList, refused


def read(crl: bytes, authority: x509.Certificate) -> RevocationList:
    """A delta list of `authority`; ValueError when it is none."""
    return revocation.read(crl, authority, delta=True)


def is_delta(crl: bytes) -> bool:
    """Whether a list (DER or PEM) says that it is a delta list; False for what is no list."""
    try:
        revocation.parse(crl).extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    except (ValueError, x509.ExtensionNotFound):
        return False
    return True


def take_in(
    crl: bytes, authority: x509.Certificate, *, digest: str | None = None, known: Head | None
) -> RevocationList:
    """A delta list fetched from outside, to be laid on the rows of `known` (`changes`). Problem `crl-refused` with a
    `reason`: digest, form, no-base or rollback.
    """
    revocation.require_digest(crl, digest)
    try:
        found = read(crl, authority)
        changes(found)
    except ValueError as error:
        raise refused("form", f"{error}.".capitalize(), "不是該憑證機構的增量廢止清冊。") from error
    require_base(found, known)
    return found


def require_base(delta: RevocationList, known: Head | None) -> None:
    """Problem `crl-refused` unless `delta` may be laid on the list of `known`.

    RFC 5280 5.2.4: the same issuer, a complete list that is not older than the delta's base, and a delta that is newer
    than what is known. `known.number` is that of the list with the deltas that were laid on it before.
    """
    base, number = delta.base, delta.head.number
    if known is None or known.number is None or known.issuer != delta.head.issuer or base is None or number is None:
        raise refused("no-base", "The complete list that it starts from is not known.", "尚未匯入其所依據的完整清冊。")
    if known.number < base:
        raise refused(
            "no-base",
            f"It starts from list {base}, and only list {known.number} is known.",
            f"其依據第 {base} 號清冊，現有者僅第 {known.number} 號。",
        )
    if number <= known.number or delta.head.this_update < known.this_update:
        raise refused("rollback", "A newer list is known already.", "已有較新的清冊。")


def changes(delta: RevocationList) -> tuple[list[Revocation], list[int]]:
    """What a delta list changes: rows that are on the list now, and serials that have left it (removeFromCRL)."""
    rows = list(delta.rows())
    gone = [row.serial for row in rows if row.reason == revocation.LEFT]
    return [row for row in rows if row.reason != revocation.LEFT], gone


def difference(
    base: RevocationList, newest: RevocationList, left: Iterable[int] = ()
) -> tuple[list[Revocation], list[int]]:
    """What a delta list from one complete list to a later one says: rows that came or changed, serials that are gone.

    `left` are serials that have left lists since then, and may have come after `base`: whoever holds a list in between
    has them (RFC 5280 5.2.4).
    """
    before = {row.serial: row for row in base.rows()}
    after = {row.serial: row for row in newest.rows()}
    gone = (before.keys() | set(left)) - after.keys()
    return [row for row in after.values() if before.get(row.serial) != row], sorted(gone)
