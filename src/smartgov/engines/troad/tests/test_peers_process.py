"""Renewed, revoked and ended certificates; maintenance; the deep check; the connection test: with real gateways."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smartgov.engines.httpd import sync
from smartgov.engines.pki import certificates, revocation
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.engines.pki.revocation import Revocation
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import maintenance
from smartgov.engines.troad.joining import commands, keeper
from smartgov.engines.troad.peers import ALARM
from smartgov.engines.troad.tests.country import Country, ask_births, running
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


class Certified:
    """A country with an authority; ris shows certificates of it for the key that is listed."""

    def __init__(self, country: Country, folder: Path) -> None:
        self.country, self.authority = country, CertificateAuthority.create(folder / "ca", "Gateways")
        self.number, self.revoked = 0, set[int]()
        self.publish()

    def publish(self, *, ended: timedelta = timedelta(hours=-24)) -> None:
        """With a revocation list that ended so long ago."""
        crl = b64encode(self._list(clock.now() - ended)).decode()
        self.country.publish(anchors=[certificates.pem(self.authority.certificate).decode()], revocation_lists=[crl])
        for gateway in self.country.gateways.values():
            self.country.run(gateway.keeper.look())

    def _list(self, end: datetime) -> bytes:
        made, self.number = end - timedelta(hours=24), self.number + 1
        return revocation.build(
            key=self.authority.key,
            authority=self.authority.certificate,
            number=self.number,
            revoked=[Revocation(serial, made, "keyCompromise") for serial in self.revoked],
            made_at=made,
            life=timedelta(hours=24),
        )

    def renew(self, name: str = "TW/GOV/ris/gw1", **changes: object) -> int:
        home = self.country.folder / "ris"
        fresh = self.authority.issue(
            homes.load(home).p256("tls").public_key(),
            common_name=name,
            organisation="ris",
            usage="tls",
            not_after=clock.now() + timedelta(days=7),
        )
        homes.set_certificate(home, fresh)
        self.country.run(self.country.gateways["ris"].keeper.look())
        return fresh.serial_number


@pytest.fixture
def certified(tmp_path: Path):
    with running(tmp_path) as country:
        yield Certified(country, tmp_path)


def refused(act: object) -> str:
    with pytest.raises(Problem) as caught:
        act()  # type: ignore[operator]
    return caught.value.slug


def test_a_renewed_certificate_counts_without_a_new_configuration(certified):
    country = certified.country
    assert ask_births(country.sdk()).status == 200
    shown = homes.describe(country.folder / "hpa")["gateway"]["tls_fingerprint"]
    certified.renew()
    assert ask_births(country.sdk()).status == 200
    assert country.snapshot().gateways["TW/GOV/hpa/gw1"].tls_fingerprint == shown


def test_a_certificate_in_another_name_does_not_count(certified):
    certified.renew(name="TW/GOV/portal/gw1")
    assert refused(lambda: ask_births(certified.country.sdk())) == "peer-unknown"


def test_a_revoked_certificate_is_refused_at_once_also_on_a_standing_connection(certified):
    serial = certified.renew()
    assert ask_births(certified.country.sdk()).status == 200
    certified.revoked.add(serial)
    certified.publish()
    assert refused(lambda: ask_births(certified.country.sdk())) == "peer-revoked"
    certified.renew()
    assert ask_births(certified.country.sdk()).status == 200


def test_an_old_revocation_list_alarms_and_then_refuses(certified):
    country, hpa = certified.country, certified.country.gateways["hpa"]
    certified.renew()
    certified.publish(ended=timedelta(hours=1))
    country.run(hpa.keeper.look())
    assert ALARM in hpa.core.alarms.standing
    assert ask_births(country.sdk()).status == 200  # the grace of a day
    certified.publish(ended=timedelta(hours=25))
    assert refused(lambda: ask_births(country.sdk())) == "revocation-unknown"
    certified.publish()
    country.run(hpa.keeper.look())
    assert ALARM not in hpa.core.alarms.standing
    assert ask_births(country.sdk()).status == 200


def test_the_grace_of_a_configuration_prolongs_no_certificate(certified):
    hpa = certified.country.gateways["hpa"]
    certified.renew()
    der = certificates.der(homes.certificate(certified.country.folder / "ris"))
    assert hpa.core.known.of(der).id == "TW/GOV/ris/gw1"
    later = clock.now() + timedelta(days=8)
    hpa.core.known._now = lambda: later
    assert refused(lambda: hpa.core.known.of(der)) == "peer-certificate-ended"


def test_maintenance_refuses_new_exchanges_with_a_time_to_come_back(certified, capsys):
    country = certified.country
    home = country.folder / "hpa"
    assert (
        commands.main(["maintenance", "--home", str(home), "--minutes", "5", "--reason", "disk", "--wait", "on"]) == 0
    )
    with pytest.raises(Problem) as caught:
        ask_births(country.sdk())
    assert (caught.value.slug, caught.value.status) == ("maintenance", 503)
    assert 200 < caught.value.extra["retry_after"] <= 300
    assert caught.value.extra["refused_by"] == "TW/GOV/hpa/gw1"
    assert commands.main(["ping", "--home", str(country.folder / "ris"), "hpa"]) == 0
    assert "maintenance until" in capsys.readouterr().out
    assert commands.main(["maintenance", "--home", str(home), "off"]) == 0
    assert ask_births(country.sdk()).status == 200


def test_a_maintenance_file_that_cannot_be_read_is_maintenance(tmp_path):
    (tmp_path / maintenance.FILE).write_text("{")
    with pytest.raises(Problem) as caught:
        maintenance.Maintenance(tmp_path).refuse(clock.now())
    assert caught.value.extra["retry_after"] == 60


def test_the_connection_test_names_the_step_that_fails(certified, capsys):
    country = certified.country
    ping = ["ping", "--home", str(country.folder / "ris"), "--json", "TW/GOV/hpa"]
    assert commands.main(ping) == 0
    found = {step["name"]: step["ok"] for step in json.loads(capsys.readouterr().out.partition("\n")[2])}
    assert found == dict.fromkeys(
        ("name", "connection", "tls", "certificate", "answer", "clock", "configuration", "at-work"), True
    )
    country.halt("hpa")
    assert commands.main(ping) == 1
    last = json.loads(capsys.readouterr().out.partition("\n")[2])[-1]
    assert (last["name"], last["ok"]) == ("connection", False)
    assert last["todo"]["zh"]


def test_the_deep_check_does_real_work_and_says_what_is_wrong(certified, capsys):
    country = certified.country
    before = len(country.records("ris"))
    commands.main(["check", "--home", str(country.folder / "ris"), "--json"])
    found = {step["name"]: step for step in json.loads(capsys.readouterr().out)}
    assert all(found[name]["ok"] is True for name in ("signing", "log", "configuration", "peer", "maintenance")), found
    assert country.records("ris")[before]["kind"] == "health-check"
    for code in ("hpa", "portal"):
        country.halt(code)
    assert commands.main(["check", "--home", str(country.folder / "ris"), "--json"]) == 1
    found = {step["name"]: step for step in json.loads(capsys.readouterr().out)}
    assert found["peer"]["ok"] is False
    assert found["peer"]["todo"]["en"]


def test_the_deep_check_is_for_systems_that_show_their_secret(certified):
    answer = sync.request("GET", certified.country.url("ris") + "/local/v1/health?deep")
    assert answer.status == 401


def test_certificates_are_due_at_half_and_alarm_at_a_third(certified):
    certified.renew()
    certificate = homes.certificate(certified.country.folder / "ris")
    begin, whole = certificate.not_valid_before_utc, certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert [keeper.is_due(certificate, begin + whole * part) for part in (0.4, 0.6)] == [False, True]
    assert [keeper.is_ending(certificate, begin + whole * part) for part in (0.6, 0.7)] == [False, True]
    ris = certified.country.gateways["ris"].core
    late = certificate.not_valid_after_utc - timedelta(days=1)
    keeper.Keeper(ris)._warn(certificate, late)
    assert keeper.ENDING in ris.alarms.standing
    keeper.Keeper(ris)._warn(certificate, late + timedelta(days=2))
    assert keeper.ENDED in ris.alarms.standing
    assert keeper.ENDING not in ris.alarms.standing
