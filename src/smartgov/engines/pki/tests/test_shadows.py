"""Whatever is added to a signed PDF by an update is called altered, and only the signed revision may be shown."""

import pytest

from smartgov.engines.pki import certificates, keys, signing
from smartgov.shared import clock

from . import shadows
from .test_authority import active
from .test_authority import authority as authority  # noqa: PLC0414 - a fixture
from .test_pades import plain as plain  # noqa: PLC0414 - a fixture
from .test_signing import evidence, sign, trust
from .test_signing import person as person  # noqa: PLC0414 - a fixture


@pytest.mark.parametrize("attack", shadows.ATTACKS)
@pytest.mark.parametrize("lasting", [False, True], ids=["bare", "with-evidence"])
def test_an_update_is_called_altered_and_is_not_shown(plain, authority, person, attack, lasting):
    signed = sign(plain, authority, person, **({"evidence": evidence(authority, person)} if lasting else {}))
    changed = shadows.ATTACKS[attack](signed)
    assert changed.startswith(signed), "every signed byte is in its place"
    report = signing.check_pdf(changed, trust(authority), at=clock.now())
    assert report.problems == ("altered-later",)
    assert report.signatures[0].coverage == "altered"
    assert report.as_json()["altered_later"]
    assert signed.startswith(report.signed_revision)
    alone = signing.check_pdf(report.signed_revision, trust(authority), at=clock.now())
    assert alone.valid, alone.problems
    assert alone.digest == report.as_json()["signed_sha256"]


def test_a_field_that_is_filled_in_later_is_called_altered(plain, authority, person):
    signed = sign(shadows.with_field(plain), authority, person)
    assert signing.check_pdf(signed, trust(authority), at=clock.now()).valid
    report = signing.check_pdf(shadows.field_value(signed), trust(authority), at=clock.now())
    assert report.problems == ("altered-later",)
    assert report.signed_revision == signed


@pytest.mark.parametrize("attack", ["annotation", "overlay", "page_added", "signature_grown"])
def test_a_second_signature_does_not_launder_what_was_done_before_it(plain, authority, person, attack):
    other_key = keys.generate_p256()
    other = active(authority, other_key, holder="h9", common_name="林志明")
    second = (other_key, certificates.from_pem(other.certificate.encode()), other)
    changed = shadows.ATTACKS[attack](sign(plain, authority, person))
    both = sign(changed, authority, second, field_name="Second")
    report = signing.check_pdf(both, trust(authority), at=clock.now())
    assert [one.coverage for one in report.signatures] == ["altered", "whole"]
    assert not report.valid


def test_the_second_signature_can_be_grown_by_nobody(plain, authority, person):
    key, certificate, record = person
    both = sign(sign(plain, authority, person), authority, (key, certificate, record), field_name="Second")
    assert signing.check_pdf(both, trust(authority), at=clock.now()).valid
    report = signing.check_pdf(shadows.signature_grown(both), trust(authority), at=clock.now())
    assert report.problems == ("altered-later",)
