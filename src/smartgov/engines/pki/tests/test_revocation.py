"""Revocation lists: built, read, judged, and read by openssl too."""

import shutil
import subprocess
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki.revocation import Policy, Revocation
from smartgov.shared import clock
from smartgov.shared.problems import Problem

DAY = timedelta(days=1)
REASONS = ["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", revocation.HOLD]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.CertificateAuthority.create(tmp_path_factory.mktemp("home") / "ca", "Demo Authority")


def issue(authority):
    return authority.issue(keys.generate_p256().public_key(), common_name="one", organisation="org", usage="tls")


def build(authority, *rows, number=1, made_at=None, life=DAY):
    made_at = made_at or clock.now()
    return revocation.build(
        key=authority.key,
        authority=authority.certificate,
        number=number,
        revoked=rows,
        made_at=made_at,
        life=life,
    )


def read(authority, *rows, **more):
    return revocation.read(build(authority, *rows, **more), authority.certificate)


@given(st.dictionaries(st.integers(1, 2**158), st.sampled_from(REASONS), max_size=20), st.integers(0, 2**150))
def test_what_is_built_is_read(authority, wanted, number):
    at = clock.now().replace(microsecond=0)
    found = read(authority, *(Revocation(serial, at, reason) for serial, reason in wanted.items()), number=number)
    assert found.head.number == number
    assert len(found) == len(wanted)
    assert {row.serial: row.reason for row in found.rows()} == wanted
    assert all(found.find(serial) == Revocation(serial, at, reason) for serial, reason in wanted.items())
    assert found.find(2**158 + 1) is None


def test_a_list_without_a_known_reason_or_with_a_serial_twice_is_not_built(authority):
    now = clock.now()
    with pytest.raises(ValueError, match="removeFromCRL"):
        build(authority, Revocation(5, now, "removeFromCRL"))
    with pytest.raises(ValueError, match="because"):
        build(authority, Revocation(5, now, "because"))
    with pytest.raises(ValueError, match="twice"):
        build(authority, Revocation(5, now), Revocation(5, now, "superseded"))


def test_a_list_by_another_or_of_a_part_is_not_read(authority, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    with pytest.raises(ValueError, match="not signed"):
        revocation.read(build(other), authority.certificate)
    with pytest.raises(ValueError, match="part"):
        revocation.read(partial(authority), authority.certificate)
    pem = x509.load_der_x509_crl(build(authority)).public_bytes(serialization.Encoding.PEM)
    assert revocation.read(pem, authority.certificate).head.number == 1


def partial(authority):
    now = clock.now()
    scope = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    builder = x509.CertificateRevocationListBuilder(authority.certificate.subject, now, now + DAY)
    signed = builder.add_extension(scope, critical=True).sign(authority.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def test_the_caller_decides_what_an_old_list_is_worth(authority):
    certificate, found = issue(authority), read(authority, life=DAY)
    later = clock.now() + 2 * DAY

    def judged(**policy):
        return revocation.check(certificate, authority.certificate, [found], now=later, policy=Policy(**policy))

    assert (judged().status, judged().stale, judged().accepted) == ("good", True, False)
    assert judged(unknown="warn").accepted
    assert judged(unknown="warn").stale
    assert judged(grace=2 * DAY).accepted
    assert not judged(grace=2 * DAY, longest_age=DAY).accepted


def test_without_a_list_nothing_is_known(authority, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    lists = [read(other), read(authority, made_at=clock.now() + DAY)]  # another's, and one from the future
    found = revocation.check(issue(authority), authority.certificate, lists, now=clock.now())
    assert (found.status, found.accepted) == ("unknown", False)
    soft = Policy(unknown="warn")
    assert revocation.check(issue(authority), authority.certificate, lists, now=clock.now(), policy=soft).accepted


def test_the_newest_list_counts_and_a_hold_is_told_apart(authority):
    certificate, now = issue(authority), clock.now()
    held = read(authority, Revocation(certificate.serial_number, now, revocation.HOLD), number=1)
    freed = read(authority, number=2)
    found = revocation.check(certificate, authority.certificate, [held], now=now)
    assert (found.status, found.accepted, found.source, found.reason) == ("suspended", False, "crl 1", revocation.HOLD)
    assert revocation.check(certificate, authority.certificate, [freed, held], now=now).accepted


def test_what_was_signed_before_the_revocation_stays_good(authority):
    certificate, now = issue(authority), clock.now()
    found = read(authority, Revocation(certificate.serial_number, now, "keyCompromise"))

    def judged(signed_at):
        return revocation.check(certificate, authority.certificate, [found], now=now, signed_at=signed_at)

    assert judged(now - DAY).status == "good"
    assert judged(now + DAY).status == "revoked"
    much_later = now + 400 * DAY
    kept = revocation.check(certificate, authority.certificate, [read(authority)], now=much_later, signed_at=now)
    assert kept.accepted


def test_a_list_from_outside_is_taken_in_once_and_never_backwards(authority):
    first, second = build(authority, Revocation(7, clock.now()), number=1), build(authority, number=2)
    taken = revocation.take_in(first, authority.certificate, digest=sha256(first).hexdigest().upper())
    assert [row.serial for row in taken.rows()] == [7]
    assert revocation.take_in(first, authority.certificate, known=taken.head) is None
    newer = revocation.take_in(second, authority.certificate, known=taken.head)
    for reason, arguments in (
        ("rollback", {"crl": first, "known": newer.head}),
        ("digest", {"crl": first, "digest": sha256(second).hexdigest()}),
        ("form", {"crl": first[:-1]}),
    ):
        with pytest.raises(Problem) as caught:
            revocation.take_in(authority=authority.certificate, **arguments)
        assert caught.value.extra["reason"] == reason


def test_an_authority_in_a_folder_suspends_resumes_and_numbers(authority):
    held, lost = issue(authority), issue(authority)
    authority.suspend(held.serial_number)
    authority.suspend(lost.serial_number)
    authority.revoke(lost.serial_number, "keyCompromise")
    one = revocation.read(authority.crl(), authority.certificate)
    assert one.find(held.serial_number).is_hold
    assert one.find(lost.serial_number).reason == "keyCompromise"
    authority.resume(held.serial_number)
    two = revocation.read(authority.crl(), authority.certificate)
    assert two.find(held.serial_number) is None
    assert two.head.number > one.head.number
    with pytest.raises(ValueError, match="never comes back"):
        authority.resume(lost.serial_number)
    with clock.travelling(delta=-DAY):
        assert revocation.read(authority.crl(), authority.certificate).head.number > two.head.number


@pytest.mark.process
@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent")
def test_openssl_finds_the_same(authority, tmp_path):
    lost, kept = issue(authority), issue(authority)
    crl = build(authority, Revocation(lost.serial_number, clock.now(), "keyCompromise"), number=41)
    pem = x509.load_der_x509_crl(crl).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "crl.pem").write_bytes(pem)
    (tmp_path / "ca.pem").write_bytes(certificates.pem(authority.certificate))
    shown = openssl(tmp_path, "crl", "-in", "crl.pem", "-noout", "-text", "-CAfile", "ca.pem")
    assert "Key Compromise" in shown.stdout
    assert "verify OK" in shown.stderr
    for certificate, said in ((lost, "certificate revoked"), (kept, "one.pem: OK")):
        (tmp_path / "one.pem").write_bytes(certificates.pem(certificate))
        answer = openssl(tmp_path, "verify", "-CAfile", "ca.pem", "-CRLfile", "crl.pem", "-crl_check", "one.pem")
        assert said in answer.stdout + answer.stderr


def openssl(folder, *arguments):
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
