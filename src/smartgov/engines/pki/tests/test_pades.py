import random
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import typst
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from smartgov.engines.pki import certificates, keys, pades, signing
from smartgov.engines.pki.signing import documents
from smartgov.shared import clock
from smartgov.shared.problems import Problem

SOURCE = b"""#set document(title: "Birth certificate", date: datetime(year: 2026, month: 11, day: 22))
#set text(lang: "en")
= Birth certificate
Synthetic."""


@pytest.fixture(scope="session")
def plain():
    return typst.compile(SOURCE, format="pdf", pdf_standards=["a-2a"])


@pytest.fixture
def authority(tmp_path):
    return certificates.CertificateAuthority.create(tmp_path / "ca", "Demo Authority")


@pytest.fixture
def agency(authority):
    key = keys.generate_p256()
    certificate = authority.issue(
        key.public_key(), common_name="戶政司電子印章", organisation="TW/GOV/ris", usage="seal"
    )
    return key, certificate


def seal(pdf, authority, agency, **more):
    key, certificate = agency
    settings = {"signer": lambda data: keys.sign_der(key, data), "certificate": certificate, "certify": True}
    settings |= {"chain": [authority.certificate], "reason": "出生登記證明", "location": "臺北", "field_name": "Seal"}
    return signing.sign(pdf, **settings | more)


def judge(pdf, authority, at=None, **more):
    roots = (authority.certificate,)
    return signing.check_pdf(pdf, signing.Trust(roots, without_news=roots, **more), at=at or clock.now())


def test_a_sealed_document_is_whole_and_says_by_whom_and_when(plain, authority, agency):
    moment = datetime(2026, 12, 24, 1, 2, 3, tzinfo=UTC)
    with clock.travelling(to=moment):
        sealed = seal(plain, authority, agency)
        verdict = judge(sealed, authority)
    assert verdict.valid, verdict.problems
    (one,) = verdict.signatures
    assert (one.name, one.organisation) == ("戶政司電子印章", "TW/GOV/ris")
    assert (one.coverage, one.level) == ("whole", "B-B")
    assert abs(one.claimed_at - moment) < timedelta(seconds=60)
    assert certificates.fingerprint(one.certificate) == certificates.fingerprint(agency[1])


def test_the_seal_is_an_update_that_keeps_what_makes_a_pdf_a(plain, authority, agency):
    sealed = seal(plain, authority, agency)
    assert sealed.startswith(plain)
    added = sealed[len(plain) :]
    assert b"/ETSI.CAdES.detached" in added
    assert re.search(rb"/Rect \[\s*0(\.0)? 0(\.0)? 0(\.0)? 0(\.0)?\s*\]", added)
    assert re.search(rb"/F 132\b", added), "printed and locked, as PDF/A wants of an annotation"
    assert b"/Encrypt" not in added


def test_the_key_is_asked_once_and_never_handed_over(plain, authority, agency):
    asked = []

    def remote(data):
        asked.append(data)
        return keys.sign_der(agency[0], data)

    assert judge(seal(plain, authority, agency, signer=remote), authority).valid
    assert len(asked) == 1
    assert len(asked[0]) < 1000, "attributes with the digest, not the document"


def test_a_changed_byte_is_found(plain, authority, agency):
    sealed = bytearray(seal(plain, authority, agency))
    place = sealed.find(b"stream") + 40
    sealed[place] ^= 1
    verdict = judge(bytes(sealed), authority)
    assert not verdict.valid
    assert "altered-inside" in verdict.problems


def test_no_single_changed_byte_passes(plain, authority, agency):
    """Everywhere but in the seal's own hexadecimal frame, whose unused end no PDF signature can cover."""
    sealed = seal(plain, authority, agency)
    start, length, rest, _ = map(int, re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)", sealed).groups())
    places = random.Random(7).sample([*range(start, length), *range(rest, len(sealed))], 30)
    for place in places:
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        assert not judge(bytes(changed), authority).valid, place


def test_something_added_later_is_found(plain, authority, agency):
    writer = IncrementalPdfFileWriter(BytesIO(seal(plain, authority, agency)))
    writer.root["/Lang"] = generic.TextStringObject("xx")
    writer.update_root()
    output = BytesIO()
    writer.write(output)
    verdict = judge(output.getvalue(), authority)
    assert verdict.signatures[0].coverage == "altered"
    assert verdict.problems == ("altered-later",)


def test_trailing_bytes_are_found(plain, authority, agency):
    verdict = judge(seal(plain, authority, agency) + b"\n% more\n", authority)
    assert not verdict.valid


def test_a_stranger_and_an_expired_certificate_are_not_trusted(plain, authority, agency, tmp_path):
    sealed = seal(plain, authority, agency)
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    assert judge(sealed, other).problems == ("signer-not-trusted",)
    assert "signer-not-trusted" in judge(sealed, authority, at=clock.now() + timedelta(days=6 * 365)).problems


def test_a_tls_certificate_neither_makes_nor_passes_for_a_seal(plain, authority, monkeypatch):
    key = keys.generate_p256()
    tls = authority.issue(key.public_key(), common_name="x", organisation="y", usage="tls")
    with pytest.raises(Problem, match="seal-failed"):
        seal(plain, authority, (key, tls))
    # Another program could still make such a file: the reader must see it.
    monkeypatch.setattr(pades, "require_seal_usage", lambda certificate: None)
    monkeypatch.setattr(documents, "_PERSON", {"digital_signature"})
    forged = seal(plain, authority, (key, tls))
    monkeypatch.undo()
    assert "signer-not-trusted" in judge(forged, authority).problems


def test_a_revoked_certificate_is_found_by_its_own_list_only(plain, authority, agency, tmp_path):
    sealed = seal(plain, authority, agency)
    authority.revoke(agency[1].serial_number, "keyCompromise")
    foreign = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    assert judge(sealed, authority, crls=(foreign.crl([agency[1].serial_number]),)).valid
    assert judge(sealed, authority, crls=(authority.crl(),)).problems == ("certificate-revoked",)


def test_a_second_seal_by_another_does_not_take_the_document_over(plain, authority, agency, tmp_path):
    sealed = seal(plain, authority, agency)
    with pytest.raises(Problem):
        seal(sealed, authority, agency, field_name="Second")


def test_a_wrong_signature_never_gets_into_a_document(plain, authority, agency):
    with pytest.raises(Problem, match="seal-failed"):
        seal(plain, authority, agency, signer=lambda data: keys.sign_der(keys.generate_p256(), data))


@pytest.mark.parametrize(
    "junk", [b"", b"hello", b"%PDF-1.7\n%%EOF", b"%PDF-1.7\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF"]
)
def test_junk_is_refused_calmly(junk, authority, agency):
    assert judge(junk, authority).problems == ("not-a-pdf",)
    with pytest.raises(Problem, match="pdf-unreadable"):
        seal(junk, authority, agency)


def test_an_unsealed_document_says_so(plain, authority):
    verdict = judge(plain, authority)
    assert verdict.problems == ("no-seal",)
    assert set(verdict.problems) <= set(signing.PROBLEMS)
