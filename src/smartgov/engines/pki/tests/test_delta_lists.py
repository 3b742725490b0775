"""Delta lists (RFC 5280 5.2.4): built, read, laid on their base and on nothing else; openssl uses them too."""

import shutil
import subprocess
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.pki import certificates, deltas, revocation
from smartgov.engines.pki.revocation import HOLD, Revocation
from smartgov.shared import clock
from smartgov.shared.problems import Problem

from .test_revocation import authority as authority  # noqa: PLC0414 - a fixture
from .test_revocation import issue, read

HOUR = timedelta(hours=1)
SETS = st.dictionaries(st.integers(1, 60), st.sampled_from(["keyCompromise", "superseded", HOLD]), max_size=12)


def delta(authority, *rows, base, number, gone=(), made_at=None):
    return revocation.build(
        key=authority.key,
        authority=authority.certificate,
        number=number,
        revoked=rows,
        made_at=made_at or clock.now() + HOUR,
        life=timedelta(days=1),
        base=base,
        gone=gone,
    )


def refused(act):
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.slug == "crl-refused"
    return caught.value.extra["reason"]


@given(SETS, SETS)
def test_base_and_delta_say_what_the_complete_list_would(authority, before, after):
    at = clock.now().replace(microsecond=0)
    base = read(authority, *(Revocation(serial, at, why) for serial, why in before.items()), number=4)
    changed = [Revocation(serial, at, why) for serial, why in after.items() if before.get(serial) != why]
    gone = before.keys() - after.keys()
    der = delta(authority, *changed, base=4, number=5, gone=gone)
    assert deltas.is_delta(der)
    found = deltas.take_in(der, authority.certificate, known=base.head)
    rows = {one.serial: one.reason for one in base.rows()}
    listed, left = deltas.changes(found)
    for serial in left:
        rows.pop(serial)
    rows |= {one.serial: one.reason for one in listed}
    assert rows == after


def test_a_delta_is_laid_on_its_base_or_a_later_list_only(authority):
    base, older = read(authority, number=7), read(authority, number=6)
    der = delta(authority, Revocation(3, clock.now(), "superseded"), base=7, number=9)

    def take(known, der=der, **more):
        return deltas.take_in(der, authority.certificate, known=known, **more)

    assert take(base.head).head.number == 9
    assert take(read(authority, number=8).head), "a complete list that is newer than the base will do"
    assert refused(lambda: take(None)) == "no-base"
    assert refused(lambda: take(older.head)) == "no-base"
    assert refused(lambda: take(read(authority, number=9).head)) == "rollback"
    assert refused(lambda: take(read(authority, number=10).head)) == "rollback"
    assert refused(lambda: take(base.head, digest="0" * 64)) == "digest"
    assert refused(lambda: take(base.head, der=base.der)) == "form", "a complete list is no delta"
    assert refused(lambda: take(base.head, der=b"?")) == "form"
    earlier = delta(authority, base=7, number=9, made_at=clock.now() - 2 * HOUR)
    assert refused(lambda: take(base.head, der=earlier)) == "rollback"


def test_a_delta_of_another_authority_and_a_delta_as_complete_list_are_refused(authority, tmp_path):
    other = certificates.CertificateAuthority.create(tmp_path / "other", "Demo Authority")
    base = read(authority, number=1)
    der = delta(other, base=1, number=2)
    assert refused(lambda: deltas.take_in(der, authority.certificate, known=base.head)) == "form"
    own = delta(authority, base=1, number=2)
    with pytest.raises(ValueError, match="part"):
        revocation.read(own, authority.certificate)
    assert refused(lambda: revocation.take_in(own, authority.certificate)) == "form"
    assert not deltas.is_delta(b"?")
    assert not deltas.is_delta(base.der)
    with pytest.raises(ValueError, match="delta"):
        revocation.build(
            key=authority.key,
            authority=authority.certificate,
            number=1,
            revoked=(),
            made_at=clock.now(),
            life=HOUR,
            gone=[1],
        )


@pytest.mark.process
@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent")
def test_openssl_reads_our_delta_as_what_it_is(authority, tmp_path):
    certificate = issue(authority)
    listed = Revocation(certificate.serial_number, clock.now(), "keyCompromise")
    (tmp_path / "delta.crl").write_bytes(delta(authority, listed, base=4, number=5, gone=[77], made_at=clock.now()))
    (tmp_path / "ca.pem").write_bytes(certificates.pem(authority.certificate))
    command = ["openssl", "crl", "-inform", "DER", "-in", "delta.crl", "-noout", "-text", "-CAfile", "ca.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    for words in ("verify OK", "Delta CRL Indicator: critical", "Remove From CRL", "Key Compromise"):
        assert words in said, said
