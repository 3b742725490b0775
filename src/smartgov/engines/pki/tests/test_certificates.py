from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock


@pytest.fixture
def authority(tmp_path):
    return certificates.CertificateAuthority.create(tmp_path / "ca", "Demo Authority")


def issue(authority, usage="tls", **more):
    key = keys.generate_p256().public_key()
    return authority.issue(key, common_name="gateway ris", organisation="TW/GOV/ris", usage=usage, **more)


def test_a_loaded_authority_is_the_created_one(authority):
    again = certificates.CertificateAuthority.load(authority.home)
    assert certificates.was_issued_by(issue(again), authority.certificate, at=clock.now())
    with pytest.raises(FileExistsError):
        certificates.CertificateAuthority.create(authority.home, "Another")


def test_another_authority_of_the_same_name_did_not_issue_it(authority, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    assert not certificates.was_issued_by(issue(authority), other.certificate, at=clock.now())


def test_a_certificate_has_an_end(authority):
    certificate = issue(authority, not_after=clock.now() + timedelta(days=1))
    assert certificates.was_issued_by(certificate, authority.certificate, at=clock.now())
    assert not certificates.was_issued_by(certificate, authority.certificate, at=clock.now() + timedelta(days=2))


@pytest.mark.parametrize(("usage", "years"), [("tls", 1), ("message", 1), ("seal", 5), ("mobile", 5)])
def test_what_is_looked_at_for_years_is_certified_for_years(authority, usage, years):
    left = issue(authority, usage).not_valid_after_utc - clock.now()
    assert timedelta(days=365 * years - 1) < left <= timedelta(days=365 * years)


def test_usages_differ(authority):
    tls, seal = issue(authority, san_ip=["127.0.0.1"], san_dns=["localhost"]), issue(authority, "seal")
    names = tls.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    purposes = tls.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert seal.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    with pytest.raises(x509.ExtensionNotFound):
        seal.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert certificates.common_name(tls) == "gateway ris"
    assert certificates.organisation(tls) == "TW/GOV/ris"


def test_revocation_reaches_the_list_and_stays_through_a_restart(authority):
    kept, lost = issue(authority), issue(authority)
    authority.revoke(lost.serial_number, "keyCompromise")
    authority.revoke(lost.serial_number, "superseded")
    crl = certificates.CertificateAuthority.load(authority.home).crl()
    assert certificates.is_on_crl(crl, lost, authority.certificate)
    assert not certificates.is_on_crl(crl, kept, authority.certificate)
    entry = x509.load_der_x509_crl(crl).get_revoked_certificate_by_serial_number(lost.serial_number)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert certificates.is_on_crl(authority.crl([kept.serial_number]), kept, authority.certificate)
    assert authority.is_revoked(lost.serial_number)
    assert not authority.is_revoked(kept.serial_number)


def test_a_foreign_list_or_serial_is_refused(authority, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    with pytest.raises(ValueError, match="not signed"):
        certificates.is_on_crl(other.crl(), issue(authority), authority.certificate)
    with pytest.raises(KeyError):
        authority.revoke(12345)


def test_fingerprint_and_pem_round_trip(authority):
    certificate = issue(authority)
    assert certificates.fingerprint(certificate) == certificates.fingerprint(certificates.der(certificate))
    assert certificates.from_pem(certificates.pem(certificate)) == certificate
    assert len(certificates.fingerprint(certificate)) == 64
