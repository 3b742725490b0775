"""PAdES B-B to B-LT and CMS, in one step and in two; the report; openssl and poppler look too."""

import random
import shutil
import subprocess
from datetime import timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from smartgov.engines.pki import certificates, keys, revocation, signing
from smartgov.engines.pki.authority import ocsp
from smartgov.engines.pki.signing import documents
from smartgov.engines.pki.signing.behalf import Behalf
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.simulators.timestamp.authority import Authority as TimeAuthority

from .test_authority import active
from .test_authority import authority as authority  # noqa: PLC0414 - a fixture
from .test_pades import plain as plain  # noqa: PLC0414 - a fixture

YEAR = timedelta(days=365)
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent")


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    return TimeAuthority(tmp_path_factory.mktemp("tsa") / "home")


@pytest.fixture
def person(authority):
    key = keys.generate_p256()
    record = active(authority, key)
    return key, certificates.from_pem(record.certificate.encode()), record


def stamp(tsa):
    return lambda request: documents.run(tsa.stamp(request))


def trust(authority, tsa=None, **more):
    times = (certificates.from_pem(tsa.root()),) if tsa else ()
    return signing.Trust((authority.certificate,), times, crls=(authority.crl(),), **more)


def sign(pdf, authority, person, **more):
    key, certificate, _ = person
    return signing.sign(
        pdf,
        signer=lambda data: keys.sign_der(key, data),
        certificate=certificate,
        chain=[authority.certificate],
        **{"reason": "我同意", **more},
    )


def evidence(authority, person):
    answer = authority.answer(ocsp.request_for(person[1], authority.certificate))
    return signing.Evidence(crls=(authority.crl(),), ocsps=(answer,))


def test_a_signature_says_who_how_and_for_whom(plain, authority, person):
    signed = sign(plain, authority, person, on_behalf_of=Behalf("林安安", "m-1"))
    report = signing.check_pdf(signed, trust(authority), at=clock.now())
    assert report.valid, report.problems
    one = report.signatures[0]
    assert (one.name, one.level, one.coverage, one.revision) == ("陳美玲", "B-B", "whole", 2)
    assert (one.on_behalf_of, one.mandate, one.reason) == ("林安安", "m-1", "我同意")
    assert one.algorithm == "ECDSA secp256r1, SHA256"
    assert one.chain == ("陳美玲", "Citizens' Authority")
    assert (one.revocation.status, one.revocation.source) == ("good", "crl 2")
    assert report.signed_revision == signed
    assert report.as_json()["signatures"][0]["revocation"]["made_at"]


def test_prepared_in_one_place_signed_in_another(plain, authority, person):
    key, certificate, _ = person
    prepared = signing.prepare(plain, certificate=certificate, reason="x")
    assert prepared.digest in prepared.to_sign.hex(), "what the key signs names the document that was shown"
    done = signing.finish(prepared, keys.sign_der(key, prepared.to_sign), certificate=certificate)
    assert signing.check_pdf(done, trust(authority), at=clock.now()).valid
    for wrong in (keys.sign_der(keys.generate_p256(), prepared.to_sign), keys.sign_der(key, plain), b""):
        with pytest.raises(Problem) as caught:
            signing.finish(prepared, wrong, certificate=certificate)
        assert caught.value.slug == "seal-failed"


@pytest.mark.process
@needs_openssl
def test_a_stamp_and_evidence_keep_a_signature_good_for_years(plain, authority, person, tsa):
    stamped = sign(plain, authority, person, stamp=stamp(tsa))
    lasting = sign(plain, authority, person, stamp=stamp(tsa), evidence=evidence(authority, person))
    now = clock.now()
    later = now + 8 * YEAR
    alone = signing.Trust((authority.certificate,), (certificates.from_pem(tsa.root()),))
    for pdf, level in ((stamped, "B-T"), (lasting, "B-LT")):
        report = signing.check_pdf(pdf, trust(authority, tsa), at=now)
        assert report.valid, report.problems
        assert report.signatures[0].level == level
        assert abs(report.signatures[0].stamped_at - now) < timedelta(minutes=1)
        assert report.signatures[0].stamped_by == "Synthetic time stamps"
    assert signing.check_pdf(lasting, alone, at=later).valid, "its own evidence is enough, after the certificate's end"
    assert signing.check_pdf(stamped, alone, at=later).problems == ("revocation-unknown",)
    untrusting = signing.Trust((authority.certificate,))
    assert "stamp-not-trusted" in signing.check_pdf(lasting, untrusting, at=now).problems
    assert signing.check_pdf(lasting, trust(authority, tsa), at=now).signatures[0].coverage == "evidence"


@pytest.mark.process
@needs_openssl
def test_a_later_revocation_spares_what_a_stamp_shows_to_be_earlier(plain, authority, person, tsa):
    bare = sign(plain, authority, person)
    lasting = sign(plain, authority, person, stamp=stamp(tsa), evidence=evidence(authority, person))
    with clock.travelling(delta=timedelta(minutes=10)):
        authority.revoke(person[2].id, "keyCompromise", by="officer:2")
        known = trust(authority, tsa)
        assert signing.check_pdf(lasting, known, at=clock.now()).valid
        report = signing.check_pdf(bare, known, at=clock.now())
        assert report.problems == ("certificate-revoked",)
        assert report.signatures[0].revocation.reason == "keyCompromise"


@pytest.mark.process
@needs_openssl
def test_no_stamp_means_no_signature_rather_than_a_weaker_one(plain, authority, person):
    def down(request):
        raise ConnectionRefusedError

    with pytest.raises(Problem) as caught:
        sign(plain, authority, person, stamp=down)
    assert caught.value.slug == "stamp-missing"


def test_two_sign_and_a_third_hand_is_told(plain, authority, person):
    other_key = keys.generate_p256()
    other = active(authority, other_key, holder="h9", common_name="林志明")
    second = (other_key, certificates.from_pem(other.certificate.encode()), other)
    both = sign(sign(plain, authority, person), authority, second, field_name="Second")
    report = signing.check_pdf(both, trust(authority), at=clock.now())
    assert report.valid, report.problems
    assert [one.coverage for one in report.signatures] == ["signatures", "whole"]
    changed = altered(both)
    report = signing.check_pdf(changed, trust(authority), at=clock.now())
    assert report.problems == ("altered-later",)
    assert report.signed_revision == both, "what was added is not shown"


def altered(pdf):
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Rotate"] = generic.NumberObject(180)
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_nothing_follows_a_certified_document_but_evidence(plain, authority, person):
    sealed = sign(plain, authority, person, certify=True, evidence=evidence(authority, person))
    assert signing.check_pdf(sealed, trust(authority), at=clock.now()).valid
    for more in (altered(sealed), sealed + b"\n% more"):
        assert signing.check_pdf(more, trust(authority), at=clock.now()).problems == ("altered-later",)


def test_any_flipped_bit_within_the_signed_bytes_shows(plain, authority, person):
    signed = sign(plain, authority, person)
    seed = random.Random(7)
    for _ in range(12):
        place = seed.randrange(len(plain))
        broken = bytearray(signed)
        broken[place] ^= 1 << seed.randrange(8)
        report = signing.check_pdf(bytes(broken), trust(authority), at=clock.now())
        assert not report.valid, place
    assert signing.check_pdf(b"%PDF-1.7 nonsense", trust(authority), at=clock.now()).problems == ("not-a-pdf",)
    assert signing.check_pdf(plain, trust(authority), at=clock.now()).problems == ("no-seal",)


def test_stale_news_refuses_and_a_soft_policy_only_tells(plain, authority, person):
    signed, known = sign(plain, authority, person), trust(authority)
    later = clock.now() + timedelta(days=3)
    assert signing.check_pdf(signed, known, at=later).problems == ("revocation-unknown",)
    soft = signing.Trust(known.roots, (), known.crls, (), revocation.Policy(unknown="warn"))
    report = signing.check_pdf(signed, soft, at=later)
    assert report.valid
    assert report.signatures[0].revocation.stale


def sign_cms(data, authority, person, **more):
    key, certificate, _ = person
    return signing.sign_data(
        data,
        signer=lambda text: keys.sign_der(key, text),
        certificate=certificate,
        chain=[authority.certificate],
        **more,
    )


def test_data_are_signed_and_other_data_are_not(authority, person):
    data = "民國115年度決算".encode()
    signature = sign_cms(data, authority, person, on_behalf_of=Behalf("公司"))
    report = signing.check_data(signature, data, trust(authority), at=clock.now())
    assert report.valid, report.problems
    assert report.signatures[0].on_behalf_of == "公司"
    assert report.signatures[0].claimed_at is not None
    assert signing.check_data(signature, data + b" ", trust(authority), at=clock.now()).problems == ("altered-data",)
    assert signing.check_data(b"?", data, trust(authority), at=clock.now()).problems == ("no-seal",)


@pytest.mark.process
@needs_openssl
def test_openssl_verifies_our_cms(authority, person, tsa, tmp_path):
    (tmp_path / "data").write_bytes(b"accounts of the year")
    (tmp_path / "ca.pem").write_bytes(certificates.pem(authority.certificate))
    (tmp_path / "sig").write_bytes(sign_cms(b"accounts of the year", authority, person, stamp=stamp(tsa)))
    command = "openssl cms -verify -binary -inform DER -in sig -content data -CAfile ca.pem -purpose any -out out"
    assert "successful" in ran(tmp_path, command)
    (tmp_path / "data").write_bytes(b"accounts of the yeaR")
    assert "failure" in ran(tmp_path, command)


@pytest.mark.process
@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="NOT RUN: poppler-utils is absent")
def test_poppler_finds_our_lasting_signature_valid(plain, authority, person, tsa, tmp_path):
    signed = sign(plain, authority, person, stamp=stamp(tsa), evidence=evidence(authority, person))
    (tmp_path / "signed.pdf").write_bytes(signed)
    said = ran(tmp_path, "pdfsig -nocert signed.pdf")
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    (tmp_path / "signed.pdf").write_bytes(flip(signed))
    assert "Signature is Valid" not in ran(tmp_path, "pdfsig -nocert signed.pdf")


def flip(pdf):
    broken = bytearray(pdf)
    broken[600] ^= 1
    return bytes(broken)


def ran(folder, command):
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr
