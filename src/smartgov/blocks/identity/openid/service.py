"""The provider of this site, and the sign-in of a request as the provider understands it."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from smartgov.blocks.identity import domain, representing, sessions
from smartgov.blocks.identity.means import connected
from smartgov.blocks.identity.openid.details import TYPES
from smartgov.blocks.identity.openid.folk import AccountPeople
from smartgov.blocks.identity.openid.keyfiles import FileSigner
from smartgov.blocks.identity.openid.store import DatabaseStore
from smartgov.blocks.identity.people import metadata
from smartgov.engines.openid.levels import AAL1, AAL2, AAL3, PHR, PHRH
from smartgov.engines.openid.model import Authentication
from smartgov.engines.openid.provider import Provider
from smartgov.shared import sealed

# Which levels people of this platform can reach by signing in again; a means that reaches more adds itself.
REACHABLE = {AAL1, AAL2, PHR}
# What each way of signing in proves (RFC 8176): its methods, and whether a false site could have relayed it.
MEANS: dict[str, tuple[tuple[str, ...], bool]] = {
    "passkey": (("swk", "user", "mfa"), True),
    "mobile": (("swk", "user", "mfa"), False),
    "fidokey": (("hwk", "user", "mfa"), True),
    "password": (("pwd", "otp", "mfa"), False),
    # A card signs the origin that the browser itself named; TW FidO's app shows only what the asking site wrote.
    "card": (("sc", "hwk", "pin", "mfa"), True),
    "twfido": (("swk", "user", "mfa"), False),
}
HIGHEST = {AAL3, PHRH}


def provider() -> Provider:
    """The provider under this site's origin."""
    return _provider(settings.ORIGIN, settings.SECRET_KEY)


def reachable() -> Collection[str]:
    """The levels that people can reach here; keys reach the highest only where the FIDO metadata know them."""
    highest = connected.CARD in connected.ready() or metadata.is_there()
    return REACHABLE | HIGHEST if highest else REACHABLE


@lru_cache(maxsize=4)
def _provider(issuer: str, _: str) -> Provider:
    return Provider(
        issuer=issuer,
        store=DatabaseStore(),
        people=AccountPeople(),
        signer=FileSigner(),
        secret=bytes.fromhex(sealed.blind_index("openid", "identity.openid.secret")),
        details=TYPES,
        reachable=reachable,
        loopback=not issuer.startswith("https://"),
    )


def event_of(request: HttpRequest) -> Authentication | None:
    """How the person of this request was recognised; None when nobody is signed in."""
    session = sessions.current(request)
    if session is None:
        return None
    if session.acting and not representing.of_request(request, sessions.actor(request)).signs_in:
        raise domain.not_while_acting()
    return event_in(session)


def event_in(session: sessions.Session) -> Authentication:
    """The sign-in of a session; whether the mandate of one who acts for another still holds is the caller's."""
    amr, resistant = MEANS.get(session.method, ((), False))
    represented, mandate = session.acting or ("", "")
    return Authentication(
        subject=session.account.subject,
        session=session.sid,
        at=session.signed_in_at,
        level=session.assurance,
        amr=amr,
        phishing_resistant=resistant and not session.cooling,
        acting_for=represented,
        mandate=mandate,
        hardware="hwk" in amr and not session.cooling,
    )
