"""Lists of authorities elsewhere are taken in, whole or as what has changed, and asked."""

from __future__ import annotations

import shutil
from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command

from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import OutsideAuthority, OutsideRevocation
from smartgov.blocks.signing.tests import factories as make
from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki import signing as engine
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


def test_an_outside_authoritys_list_is_taken_in_and_asked(world, gateway, tmp_path):
    outside = certificates.CertificateAuthority.create(tmp_path / "outside", "Elsewhere")
    key = keys.generate_p256()
    certificate = outside.issue(key.public_key(), common_name="王小明", organisation="Elsewhere", usage="mobile")
    signed = engine.sign(
        make.a_pdf(),
        signer=lambda data: keys.sign_der(key, data),
        certificate=certificate,
        chain=[outside.certificate],
        reason="x",
    )
    assert api.check(signed).problems == ("signer-not-trusted",)
    (tmp_path / "ca.pem").write_bytes(certificates.pem(outside.certificate))
    (tmp_path / "one.crl").write_bytes(outside.crl(range(10, 6010)))
    old = (tmp_path / "one.crl").read_bytes()
    files = {"authority": tmp_path / "ca.pem", "list": tmp_path / "one.crl"}
    with pytest.raises(CommandError, match="digest"):
        call_command("take_in_crl", digest="0" * 64, **files)
    call_command("take_in_crl", digest=sha256(old).hexdigest(), **files)
    report = api.check(signed)
    assert report.valid, report.problems
    assert report.signatures[0].revocation.source.startswith("crl ")
    outside.revoke(certificate.serial_number, "keyCompromise")
    (tmp_path / "one.crl").write_bytes(outside.crl())
    call_command("take_in_crl", **files)
    assert api.check(signed).problems == ("certificate-revoked",)
    (tmp_path / "one.crl").write_bytes(old)
    with pytest.raises(CommandError, match="newer"):
        call_command("take_in_crl", **files)
    with clock.travelling(delta=timedelta(days=2)):
        world.authority.crl()
        assert "certificate-revoked" in api.check(signed).problems


def test_a_delta_list_is_laid_on_its_base_and_on_nothing_else(world, gateway, tmp_path):
    elsewhere = certificates.CertificateAuthority.create(tmp_path / "outside", "Elsewhere")
    (tmp_path / "ca.pem").write_bytes(certificates.pem(elsewhere.certificate))
    now = clock.now()

    def take_in(number, rows, **more):
        made = {"key": elsewhere.key, "authority": elsewhere.certificate, "life": timedelta(days=1)}
        at = now + timedelta(minutes=number)
        listed = [revocation.Revocation(serial, now, reason) for serial, reason in rows.items()]
        der = revocation.build(number=number, revoked=listed, made_at=at, **made, **more)
        (tmp_path / "list").write_bytes(der)
        call_command("take_in_crl", authority=tmp_path / "ca.pem", list=tmp_path / "list")
        return der

    def known():
        return dict(OutsideRevocation.objects.values_list("serial", "reason"))

    with pytest.raises(CommandError, match="complete list"):
        take_in(2, {5: "superseded"}, base=1)
    assert not OutsideAuthority.objects.exists()
    take_in(1, {5: revocation.HOLD, 6: revocation.HOLD, 7: "superseded"})
    der = take_in(2, {5: "keyCompromise", 8: "superseded"}, base=1, gone=[6])
    assert known() == {"5": "keyCompromise", "7": "superseded", "8": "superseded"}
    assert OutsideAuthority.objects.get().number == "2"
    with pytest.raises(CommandError, match="newer"):
        take_in(2, {}, base=1, gone=[5])
    with pytest.raises(CommandError, match="starts from list 9"):
        take_in(10, {}, base=9)
    assert len(known()) == 3
    assert "5" in known()
    with pytest.raises(Problem, match="crl-refused"):
        api.take_in_at_desk(actor=make.officer(), crl=der)
