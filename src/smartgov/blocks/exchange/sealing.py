"""Documents under an agency's seal that can be checked for years: the key is its gateway's, an authority stamps the
time, and what the seals' authority says of the certificate at that moment lies in the document (PAdES B-LT).
"""

from __future__ import annotations

from typing import Any

from cryptography import x509

from smartgov.blocks.exchange import transport, vouching
from smartgov.engines.pki import certificates, revocation, signing
from smartgov.engines.pki.authority import ocsp
from smartgov.shared import clock
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text

_PDF = b"%PDF-"


def seal_document(*, agency: str, content: bytes, reason: str = "") -> bytes:
    """A PDF with the agency's seal inside; for any other file the signature that lies beside it (CMS).

    Where the country has no time-stamping authority, the seal stands alone (B-B). Problems: those of the gateway,
    `stamp-missing` and `seal-authority-unreachable` (503), `seal-revoked` (409), `pdf-unreadable` (400).
    """
    certificate, chain = seal_chain(agency)
    found = vouching.current()
    lasting = found.time_root() is not None
    how: dict[str, Any] = {
        "signer": lambda data: transport.current().seal(agency, data),
        "certificate": certificate,
        "chain": chain,
        "stamp": found.stamp if lasting else None,
    }
    evidence = _evidence(certificate, chain) if lasting else None
    if not content.startswith(_PDF):
        return signing.sign_data(content, **how)
    return signing.sign(content, reason=reason, field_name="Seal", certify=True, evidence=evidence, **how)


def seal_chain(agency: str) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The certificate of the agency's seal and who vouches for it; the last one is the authority's own."""
    own, chain = transport.current().seal_certificate(agency)
    vouched = x509.load_pem_x509_certificates("".join(chain).encode()) if chain else []
    return certificates.from_pem(own.encode()), vouched


def seal_trust(roots: tuple[x509.Certificate, ...]) -> signing.Trust:
    """What a reader of seals under `roots` trusts and knows.

    An authority that is away says nothing, so that only what lies in a document speaks for it; one that publishes no
    list at all (of an older country, or of one without time stamps) is only told of.
    """
    found = vouching.current()
    times = found.time_root()
    if times is None:
        return signing.Trust(roots=roots, without_news=roots)
    try:
        listed, silent = found.seal_list(), False
    except OSError:
        listed, silent = None, True
    told = [root for root in roots if listed is not None and _is_list_of(listed, root)]
    return signing.Trust(
        roots=roots,
        time_roots=(certificates.from_pem(times),),
        crls=() if listed is None else (listed,),
        without_news=() if silent else tuple(root for root in roots if root not in told),
    )


def _evidence(certificate: x509.Certificate, chain: list[x509.Certificate]) -> signing.Evidence | None:
    """List and answer about the seal's own certificate, if its authority gives them."""
    if not chain:
        return None
    issuer, found = chain[-1], vouching.current()
    try:
        listed = found.seal_list()
        answer = found.seal_answer(ocsp.request_for(certificate, issuer))
    except OSError:
        raise _unreachable() from None
    crls = (listed,) if listed is not None and _is_list_of(listed, issuer) else ()
    if crls and revocation.read(crls[0], issuer).find(certificate.serial_number) is not None:
        raise _revoked()
    return signing.Evidence(crls, (answer,) if answer is not None and _is_good(answer, certificate, issuer) else ())


def _is_list_of(listed: bytes, issuer: x509.Certificate) -> bool:
    try:
        revocation.read(listed, issuer)
    except ValueError:
        return False
    return True


def _is_good(answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        return ocsp.check(answer, certificate, issuer, now=clock.now()).status == "good"
    except Exception:  # an answer that cannot be read is no evidence
        return False


def _unreachable() -> Problem:
    return Problem(
        "seal-authority-unreachable",
        503,
        what=Text("The document could not be sealed now.", "目前無法加蓋電子印章。"),
        why=Text("The authority of the seals does not answer.", "印章憑證機構沒有回應。"),
        todo=TRY_AGAIN,
    )


def _revoked() -> Problem:
    return Problem(
        "seal-revoked",
        409,
        what=Text(
            "The agency's seal is revoked or suspended. Nothing was sealed.", "機關印章憑證已廢止或停用，未用印。"
        ),
        todo=Text("Ask the registration office for a new certificate.", "請向註冊窗口申請新憑證。"),
    )
