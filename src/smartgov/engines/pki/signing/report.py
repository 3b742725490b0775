"""What each signature of a file is worth: chain, time, revocation and how old that news is, coverage, algorithm, and on
whose behalf. Nothing is fetched, and no input makes it raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from io import BytesIO
from typing import Any, Literal

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation import async_validate_detached_cms, validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from smartgov.engines.pki import certificates, pades, revocation
from smartgov.engines.pki.authority import ocsp
from smartgov.engines.pki.revocation import Finding, Policy
from smartgov.engines.pki.signing import behalf, documents, stamping
from smartgov.shared.text import Text

Level = Literal["B-B", "B-T", "B-LT"]
_UNKNOWN = Finding("unknown", False)
_NOTHING = documents.Evidence()
PROBLEMS = {
    **pades.PROBLEMS,
    "no-seal": Text("The file carries no signature.", "檔案沒有電子簽章。"),
    "signer-not-trusted": Text(
        "The signer's certificate is not by a trusted authority.", "簽章憑證並非由受信任機構核發。"
    ),
    "certificate-revoked": Text("The certificate was revoked before it signed.", "憑證於簽署前已廢止。"),
    "certificate-suspended": Text("The certificate is suspended.", "憑證已暫時停用。"),
    "revocation-unknown": Text(
        "Nobody can say now whether the certificate was still in force.", "目前無法得知憑證是否仍然有效。"
    ),
    "stamp-not-trusted": Text("The time stamp is not by a trusted authority.", "時戳並非由受信任機構核發。"),
    "mandate-not-held": Text(
        "The mandate did not hold when it was signed, or is another's.", "簽署時代理權限不存在，或屬於他人。"
    ),
    "altered-data": Text("These are not the data that were signed.", "這不是所簽署的資料。"),
}
"""Why a signature does not count; the keys are stable."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader trusts and knows: authorities of signers and of time stamps, fresh lists and answers (DER), and
    how old news of revocation may be.
    """

    roots: tuple[x509.Certificate, ...]
    time_roots: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    policy: Policy = revocation.STRICT
    ask: Callable[[x509.Certificate, x509.Certificate, datetime, datetime | None], Finding | None] | None = None
    """A further source, by certificate, authority, now, and trusted time of signing; None when it knows nothing."""
    without_news: tuple[x509.Certificate, ...] = ()
    """Those of `roots` that publish no list: nothing can be known of their certificates, and that is only told."""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """One signature. `problems` holds keys of `PROBLEMS`; it counts exactly when there are none.

    `claimed_at` is the signer's own time, `stamped_at` a trusted authority's. `coverage` is "whole" (the file ends with
    it), "evidence" (only evidence of validity was added later), "signatures" (others signed after), or "altered".
    `on_behalf_of` and `mandate` are the signer's signed claim.
    """

    name: str
    organisation: str
    valid: bool
    problems: tuple[str, ...]
    level: Level
    algorithm: str
    chain: tuple[str, ...]
    claimed_at: datetime | None
    stamped_at: datetime | None
    stamped_by: str
    revocation: Finding
    coverage: str
    revision: int
    reason: str = ""
    on_behalf_of: str = ""
    mandate: str = ""
    mandate_word: str = ""
    """What whoever keeps mandates says of it: "held", "not-held" or "unknown"; set by whoever can ask."""
    certificate: x509.Certificate | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Report:
    """All signatures of a file in their order. `valid`: there is one, every one counts, and nothing follows the last.

    `signed_revision` is the document as the last signature covers it; that is what may be shown, never the file.
    """

    valid: bool
    signatures: tuple[SignatureReport, ...]
    problems: tuple[str, ...]
    digest: str
    signed_revision: bytes | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The report for programs; instants in ISO 8601."""
        return {
            "valid": self.valid,
            "problems": list(self.problems),
            "file_sha256": self.digest,
            "altered_later": "altered-later" in self.problems,
            "signed_sha256": sha256(self.signed_revision).hexdigest() if self.signed_revision else None,
            "signatures": [_plain(one) for one in self.signatures],
        }


def check_pdf(pdf: bytes, trust: Trust, *, at: datetime) -> Report:
    """Report on every signature of `pdf` at the aware instant `at`."""
    digest = sha256(pdf).hexdigest()
    try:
        reader = PdfFileReader(BytesIO(pdf))
        signatures = reader.embedded_regular_signatures
    except Exception:  # a hostile file may fail anywhere in the parser; all of it means the same to the reader
        return Report(False, (), ("not-a-pdf",), digest)
    if not signatures:
        return Report(False, (), ("no-seal",), digest)
    inside = _evidence_of(reader)
    # What follows the last revision is part of no document, and no tool that compares revisions would look at it.
    ends_well = pdf.rstrip(b"\r\n").endswith(b"%%EOF")
    found = tuple(
        _guarded(partial(_of_pdf, one, signatures, trust, inside, at, ends_well=ends_well)) for one in signatures
    )
    problems = tuple(sorted({problem for one in found for problem in one.problems}))
    return Report(not problems, found, problems, digest, _revision(pdf, signatures[-1]))


def check_data(signature: bytes, data: bytes, trust: Trust, *, at: datetime) -> Report:
    """Report on a detached CMS `signature` (DER) over `data`."""
    digest = sha256(data).hexdigest()
    try:
        signed = cms.ContentInfo.load(signature)["content"]
        count = len(signed["signer_infos"])
    except Exception:  # as above
        return Report(False, (), ("no-seal",), digest)
    if count != 1:
        return Report(False, (), ("no-seal",), digest)
    one = _guarded(lambda: _of_data(signed, data, trust, at))
    return Report(one.valid, (one,), one.problems, digest, data if one.valid else None)


def _of_pdf(
    signature: Any,
    signatures: Iterable[Any],
    trust: Trust,
    inside: documents.Evidence,
    at: datetime,
    *,
    ends_well: bool,
) -> SignatureReport:
    def look(moment: datetime) -> tuple[Any, list[str]]:
        usage = KeyUsageConstraints(key_usage={"non_repudiation"})
        status = validate_pdf_signature(signature, _context(trust, moment), key_usage_settings=usage)
        problems = [] if status.intact and status.valid else ["altered-inside"]
        return status, problems

    coverage = _coverage(signature, _after(signature, signatures), ends_well=ends_well)
    signed_object = signature.sig_object
    return _judged(
        signature.signer_info,
        certificates.from_der(signature.signer_cert.dump()),
        look,
        trust,
        at,
        inside=inside,
        coverage=coverage,
        revision=int(signature.signed_revision) + 1,
        claimed_at=signature.self_reported_timestamp,
        reason=str(signed_object.get("/Reason") or ""),
    )


def _of_data(signed: Any, data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    def look(moment: datetime) -> tuple[Any, list[str]]:
        usage = KeyUsageConstraints(key_usage={"non_repudiation"})
        checked = async_validate_detached_cms(data, signed, _context(trust, moment), key_usage_settings=usage)
        status = documents.run(checked)
        return status, [] if status.intact and status.valid else ["altered-data"]

    info = signed["signer_infos"][0]
    wanted = info["sid"].native
    own = next(one.chosen for one in signed["certificates"] if one.chosen.serial_number == wanted.get("serial_number"))
    times = [one["values"][0].native for one in info["signed_attrs"] if one["type"].native == "signing_time"]
    return _judged(
        info,
        certificates.from_der(own.dump()),
        look,
        trust,
        at,
        coverage="whole",
        revision=1,
        claimed_at=times[0] if times else None,
    )


def _judged(
    info: Any,
    certificate: x509.Certificate,
    look: Callable[[datetime], tuple[Any, list[str]]],
    trust: Trust,
    at: datetime,
    *,
    coverage: str,
    revision: int,
    claimed_at: datetime | None,
    reason: str = "",
    inside: documents.Evidence = _NOTHING,
) -> SignatureReport:
    problems: list[str] = []
    stamped = None
    try:
        stamped = stamping.stamped_at(info, trust.time_roots)
    except ValueError:
        problems.append("stamp-not-trusted")
    # A trusted stamp says when the signature was there; without one, only the present can be judged.
    status, found = look(stamped or at)
    problems += found
    chain = _chain(status) if status.trusted else ()
    if not status.trusted and not found:  # whose certificate it is means nothing once the content is another
        problems.append("signer-not-trusted")
    # Lists and answers that lie in the document are as good as others: their signatures are checked alike.
    known = Trust(trust.roots, (), (*trust.crls, *inside.crls), (*trust.ocsps, *inside.ocsps), trust.policy, trust.ask)
    news = _news(certificate, known, at, stamped) if chain else _UNKNOWN
    if news.status in {"revoked", "suspended"}:
        problems.append(f"certificate-{news.status}")
    elif not news.accepted and chain and chain[-1] not in trust.without_news:
        problems.append("revocation-unknown")
    if coverage == "altered":
        problems.append("altered-later")
    who = behalf.claimed(info)
    return SignatureReport(
        name=certificates.common_name(certificate),
        organisation=certificates.organisation(certificate),
        valid=not problems,
        problems=tuple(sorted(set(problems))),
        level=_level(stamped, certificate, Trust(trust.roots, (), inside.crls, inside.ocsps, trust.policy)),
        algorithm=_algorithm(certificate, info),
        chain=tuple(certificates.common_name(one) for one in chain),
        claimed_at=claimed_at,
        stamped_at=stamped,
        stamped_by=stamping.stamped_by(info) if stamped else "",
        revocation=news,
        coverage=coverage,
        revision=revision,
        reason=reason,
        on_behalf_of=who.name if who else "",
        mandate=who.mandate if who else "",
        certificate=certificate,
    )


def _context(trust: Trust, moment: datetime) -> ValidationContext:
    return ValidationContext(
        trust_roots=[pades.asn1_of(one) for one in trust.roots], moment=moment, allow_fetching=False
    )


def _chain(status: Any) -> tuple[x509.Certificate, ...]:
    path = status.validation_path
    if path is None:
        return ()
    # From the signer up to the authority that is trusted.
    return tuple(certificates.from_der(one.dump()) for one in reversed(list(path.iter_certs(include_root=True))))


def _news(certificate: x509.Certificate, trust: Trust, at: datetime, stamped: datetime | None) -> Finding:
    """The best of what is known: that it was revoked counts before anything else, then what the policy accepts."""
    found = [
        one
        for authority in trust.roots
        if authority.subject == certificate.issuer
        for one in _all_news(certificate, authority, trust, at, stamped)
    ]
    for wanted in ("revoked", "suspended"):
        if bad := [one for one in found if one.status == wanted]:
            return bad[0]
    good = sorted((one for one in found if one.made_at), key=lambda one: (one.accepted, one.made_at), reverse=True)
    return good[0] if good else revocation.judge(None, None, now=at, policy=trust.policy)


def _all_news(
    certificate: x509.Certificate, authority: x509.Certificate, trust: Trust, at: datetime, stamped: datetime | None
) -> Iterable[Finding]:
    settings: dict[str, Any] = {"now": at, "policy": trust.policy, "signed_at": stamped}
    for answer in trust.ocsps:
        try:
            yield ocsp.check(answer, certificate, authority, **settings)
        except Exception:  # noqa: S112 - an answer about another certificate, or a broken one: no news
            continue
    if trust.ask is not None and (told := trust.ask(certificate, authority, at, stamped)) is not None:
        yield told
    lists = []
    for der in trust.crls:
        try:
            lists.append(revocation.read(der, authority))
        except Exception:  # noqa: S112 - another authority's list, or a broken one: no news
            continue
    if lists:
        yield revocation.check(certificate, authority, lists, **settings)


def _coverage(signature: Any, names: set[str], *, ends_well: bool) -> str:
    signature.compute_integrity_info()
    allowed = bool(signature.summarise_integrity_info()["docmdp_ok"]) and ends_well
    if signature.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return "whole"
    difference = signature.diff_result
    if signature.coverage is not SignatureCoverageLevel.ENTIRE_REVISION or not isinstance(difference, DiffResult):
        return "altered"
    if difference.modification_level is ModificationLevel.LTA_UPDATES and allowed:
        return "evidence"
    # Only fields that later signatures filled: a field that was signed before may not change its looks.
    only_signed = bool(difference.changed_form_fields) and difference.changed_form_fields <= names
    if difference.modification_level is ModificationLevel.FORM_FILLING and only_signed and allowed:
        return "signatures"
    return "altered"


def _after(signature: Any, signatures: Iterable[Any]) -> set[str]:
    """The fields of the signatures that came after this one."""
    return {one.field_name for one in signatures if one.signed_revision > signature.signed_revision}


def _revision(pdf: bytes, signature: Any) -> bytes | None:
    """The file up to where the last signature covers it; its byte range begins at 0 or it is no revision."""
    try:
        begin, _, third, length = (int(number) for number in signature.byte_range)
    except (TypeError, ValueError):
        return None
    end = third + length
    return pdf[:end] if begin == 0 and end <= len(pdf) else None


def _evidence_of(reader: PdfFileReader) -> documents.Evidence:
    try:
        store = DocumentSecurityStore.read_dss(reader)
        crls = [one.get_object().data for one in store.crls]
        ocsps = [one.get_object().data for one in store.ocsps]
    except Exception:  # no store, or a broken one: no evidence
        return documents.Evidence()
    return documents.Evidence(tuple(crls), tuple(ocsps))


def _level(stamped: datetime | None, certificate: x509.Certificate, inside: Trust) -> Level:
    if stamped is None:
        return "B-B"
    return "B-LT" if _news(certificate, inside, stamped, stamped).made_at else "B-T"


def _algorithm(certificate: x509.Certificate, info: Any) -> str:
    key = certificate.public_key()
    kind = f"ECDSA {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
    return f"{kind}, {str(info['digest_algorithm']['algorithm'].native).upper()}"


def _guarded(look: Callable[[], SignatureReport]) -> SignatureReport:
    try:
        return look()
    except Exception:  # what cannot be evaluated is not what was signed
        return SignatureReport(
            "", "", False, ("altered-inside",), "B-B", "", (), None, None, "", _UNKNOWN, "altered", 0
        )


def _plain(one: SignatureReport) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in one.__slots__ if name != "certificate"}  # that one is in the file
    for name in ("claimed_at", "stamped_at"):
        found[name] = _iso(found[name])
    news = asdict(one.revocation)
    found["revocation"] = {**news, "made_at": _iso(news["made_at"]), "since": _iso(news["since"])}
    return found


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
