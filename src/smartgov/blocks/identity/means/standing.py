"""Whether a certificate is still good: asked of its authority, by OCSP first, then by its list.

Signing takes only what is known to be good now. A sign-in goes on when nobody can say, at a lower level and noted.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import structlog
from cryptography import x509

from smartgov.blocks.identity.means import connected, refusals
from smartgov.engines.pki import revocation
from smartgov.engines.pki.authority import ocsp
from smartgov.engines.pki.revocation import Finding, RevocationList
from smartgov.engines.pki.signing import Evidence
from smartgov.shared import clock

logger = structlog.get_logger()
_KEPT_FOR = timedelta(hours=1)
_UNKNOWN = Finding("unknown", False)
_lists: dict[str, tuple[datetime, RevocationList]] = {}


def of(certificate: x509.Certificate, issuer: x509.Certificate, signed_at: datetime | None = None) -> Finding:
    """What the authority says now; `unknown` when neither its responder nor a fresh list can be had.

    With `signed_at`, an instant that somebody trusted vouches for, what was revoked later does not count.
    """
    if (asked := _asked(certificate, issuer, signed_at)) is not None:
        return asked[0]
    return _listed(certificate, issuer, signed_at) or _UNKNOWN


def evidence(certificate: x509.Certificate, issuer: x509.Certificate) -> Evidence:
    """For a signature, as `require_good`: the authority's answer or its list, which shows later that it was good."""
    asked = _asked(certificate, issuer)
    found = asked[0] if asked else _listed(certificate, issuer) or _UNKNOWN
    if found.status in {"revoked", "suspended"}:
        raise refusals.revoked()
    if not found.accepted:
        raise refusals.standing_unknown()
    if asked:
        return Evidence(ocsps=(asked[1],))
    return Evidence(crls=(_lists[revocation.issuer_id(issuer)][1].der,))


def require_not_revoked(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """For a sign-in: Problem `certificate-revoked`; else whether it is known to be good."""
    found = of(certificate, issuer)
    if found.status in {"revoked", "suspended"}:
        raise refusals.revoked()
    if not found.accepted:
        logger.warning("certificate_standing_unknown", source=found.source, stale=found.stale)
    return found.accepted


def require_good(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """For a signature: fails closed. Problems `certificate-revoked` and `certificate-standing-unknown`."""
    if not require_not_revoked(certificate, issuer):
        raise refusals.standing_unknown()


def _asked(
    certificate: x509.Certificate, issuer: x509.Certificate, signed_at: datetime | None = None
) -> tuple[Finding, bytes] | None:
    nonce = secrets.token_bytes(16)
    question = ocsp.request_for(certificate, issuer, nonce)
    try:
        answer = connected.current().certifier.ocsp(question)
        found = ocsp.check(answer, certificate, issuer, now=clock.now(), nonce=nonce, signed_at=signed_at)
    except (OSError, ValueError) as error:
        logger.warning("ocsp_unanswered", reason=type(error).__name__)
        return None
    return None if found.status == "unknown" else (found, answer)


def _listed(
    certificate: x509.Certificate, issuer: x509.Certificate, signed_at: datetime | None = None
) -> Finding | None:
    name, now = revocation.issuer_id(issuer), clock.now()
    kept = _lists.get(name)
    if kept is None or now - kept[0] > _KEPT_FOR:
        try:
            kept = (now, revocation.read(connected.current().certifier.crl(), issuer))
        except (OSError, ValueError) as error:
            logger.warning("crl_unread", reason=type(error).__name__)
            return None
        _lists[name] = kept
    found = revocation.check(certificate, issuer, [kept[1]], now=now, signed_at=signed_at)
    return found if found.accepted or found.status != "good" else None


def forget() -> None:
    """Fetch lists anew (for tests, which live through many authorities)."""
    _lists.clear()
