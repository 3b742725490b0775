"""What a natural person's certificate says, and when a message over a challenge proves nothing."""

from datetime import timedelta

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartgov.engines.pki import certificates, citizen, keys
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.shared import clock
from smartgov.simulators.moica import home as ministry

CONTENT = b'{"nonce":"n","origin":"https://www.gov.example"}'
OFTEN = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def moica(tmp_path_factory):
    home = tmp_path_factory.mktemp("moica")
    ministry.create(home)
    return home


@pytest.fixture(scope="module")
def holder(moica):
    key = rsa.generate_private_key(65537, 2048)
    made = ministry.issue(moica, key.public_key(), persona="m", name="林美玲", national_id="A280000120", kind="card")
    return key, made


@pytest.fixture(scope="module")
def message(holder):
    key, certificate = holder
    return citizen.packed(CONTENT, certificate, signer(key))


def signer(key):
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def test_it_names_a_person_and_never_the_national_id(holder):
    found = citizen.holder_of(holder[1])
    assert (found.name, found.last_four, len(found.serial)) == ("林美玲", "0120", 16)
    assert b"A280000120" not in certificates.der(holder[1])


def test_another_kind_of_certificate_is_none_of_a_person(tmp_path):
    authority = CertificateAuthority.create(tmp_path / "ca", "Another")
    made = authority.issue(keys.generate_p256().public_key(), common_name="x", organisation="y", usage="mobile")
    with pytest.raises(citizen.NotProvenError):
        citizen.holder_of(made)


def test_a_message_over_the_content_names_its_signer(message, holder):
    assert citizen.opened(message, CONTENT) == holder[1]


def test_content_may_lie_inside_but_must_be_the_same(message, holder):
    for inside, good in ((CONTENT, True), (CONTENT + b" ", False)):
        parsed = cms.ContentInfo.load(message)
        parsed["content"]["encap_content_info"]["content"] = inside
        if good:
            assert citizen.opened(parsed.dump(force=True), CONTENT) == holder[1]
        else:
            with pytest.raises(citizen.NotProvenError):
                citizen.opened(parsed.dump(force=True), CONTENT)


@OFTEN
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_never_makes_another_proof(message, holder, place, bit):
    """It is refused, or lay where nothing depends on it: then it still names this holder and no other."""
    place %= len(message)
    altered = bytearray(message)
    altered[place] ^= 1 << bit
    try:
        found = citizen.opened(bytes(altered), CONTENT)
        citizen.holder_of(found)
    except citizen.NotProvenError:
        return
    assert found.public_key() == holder[1].public_key()


@OFTEN
@given(st.binary(max_size=400))
def test_garbage_proves_nothing(raw):
    with pytest.raises(citizen.NotProvenError):
        citizen.opened(raw, CONTENT)


@OFTEN
@given(st.binary(min_size=1, max_size=200))
def test_other_content_is_not_proven(message, other):
    with pytest.raises(citizen.NotProvenError):
        citizen.opened(message, CONTENT + other)


def test_a_second_signer_is_refused(message):
    parsed = cms.ContentInfo.load(message)
    one = parsed["content"]["signer_infos"][0]
    parsed["content"]["signer_infos"] = [one, one.copy()]
    with pytest.raises(citizen.NotProvenError):
        citizen.opened(parsed.dump(force=True), CONTENT)


def test_only_trusted_authorities_within_their_time(moica, holder, tmp_path):
    certificate, now = holder[1], clock.now()
    ours, other = ministry.authority(moica), CertificateAuthority.create(tmp_path / "ca", ministry.NAME)
    assert citizen.require_issued(certificate, [other.certificate, ours], at=now) == ours
    with pytest.raises(citizen.NotProvenError):
        citizen.require_issued(certificate, [other.certificate], at=now)
    with pytest.raises(citizen.NotProvenError):
        citizen.require_issued(certificate, [ours], at=now + timedelta(days=6 * 365))
    with pytest.raises(citizen.NotProvenError):
        citizen.require_issued(ours, [ours], at=now)


def test_a_short_key_proves_nothing(moica):
    key = rsa.generate_private_key(65537, 1024)
    made = ministry.issue(moica, key.public_key(), persona="s", name="短", national_id="A180000133", kind="card")
    with pytest.raises(citizen.NotProvenError):
        citizen.require_signed(made, signer(key)(CONTENT), CONTENT)
