"""A service's address is set by command while the gateway runs: checked, taken up, journalled, shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smartgov.engines.httpd import Request, Response, serve
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import systems
from smartgov.engines.troad.gateway import main
from smartgov.engines.troad.tests.country import BIRTHS, Country, ask_births, free_port, running
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def gateway(country: Country, code: str, *words: object) -> int:
    return main([*map(str, words), "--home", str(country.folder / code)])


def journal(country: Country, code: str) -> list[dict[str, object]]:
    return [one for one in country.records(code) if one["kind"] == "system"]


def test_an_authority_for_time_stamps_is_named_by_command(tmp_path: Path) -> None:
    country = Country(tmp_path)
    try:
        root = country.folder / "hpa" / "certs" / "tls.pem"
        assert gateway(country, "hpa", "timestamps", "http://127.0.0.1:1/", root, "--bound", "60") == 0
        named = homes.load(country.folder / "hpa").timestamps
        assert named is not None
        assert (named.url, named.bound, named.root.read_bytes()) == ("http://127.0.0.1:1/", 60, root.read_bytes())
        with pytest.raises(Problem) as refused:
            gateway(country, "hpa", "timestamps", "http://127.0.0.1:1/", country.folder / "hpa" / "gateway.yaml")
        assert refused.value.slug == "root-unreadable"
        with pytest.raises(Problem) as unknown:
            gateway(country, "hpa", "ping", "TW/GOV/nobody")
        assert unknown.value.slug == "member-unknown"
    finally:
        country.stop()


def test_a_service_moves_while_the_gateway_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as country:
        assert ask_births(country.sdk()).status == 200
        elsewhere, port = list[Request](), free_port()

        async def answer(request: Request) -> Response:
            elsewhere.append(request)
            return country.behind.births(request)

        server = country.run(serve(answer, port=port))
        address = f"http://127.0.0.1:{port}"
        assert gateway(country, "hpa", "service", "add", f"births/births.v1={address}") == 0
        assert "In force" in capsys.readouterr().out
        assert ask_births(country.sdk(), issue="case-2").status == 200
        assert len(elsewhere) == 1
        (noted,) = journal(country, "hpa")
        assert (noted["client"], noted["services"]) == ("TW/GOV/hpa/births", {"births.v1": address})

        assert gateway(country, "hpa", "service", "list", "--json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row == {"service": BIRTHS, "address": address, "used": True, "offered": True, "listens": True}

        country.run(server.stop())
        assert gateway(country, "hpa", "service", "remove", "births/births.v1") == 0
        with pytest.raises(Problem) as caught:
            ask_births(country.sdk(), issue="case-3")
        assert caught.value.slug == "service-unknown"
        assert len(journal(country, "hpa")) == 2
        country.halt("hpa")
        capsys.readouterr()
        assert (
            gateway(country, "hpa", "service", "add", f"births/births.v1=http://127.0.0.1:{country.behind.port}") == 0
        )
        assert "when the gateway starts" in capsys.readouterr().out
        country.start("hpa")
        assert ask_births(country.sdk(), issue="case-4").status == 200
        assert len(journal(country, "hpa")) == 3
        country.halt("hpa")
        country.start("hpa")
        assert len(journal(country, "hpa")) == 3  # what is journalled is not journalled again


def test_a_system_is_added_with_a_secret_and_abilities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as country:
        assert gateway(country, "ris", "system", "add", "audits", "--may", "evidence", "--may", "erase") == 0
        assert "secrets/audits" in capsys.readouterr().out
        done = ask_births(country.sdk())
        assert country.sdk("TW/GOV/ris/audits").erase(done.exchange_id) == 2
        assert gateway(country, "ris", "system", "add", "audits", "--may", "evidence") == 0
        with pytest.raises(Problem) as caught:
            country.sdk("TW/GOV/ris/audits").erase(done.exchange_id)
        assert caught.value.slug == "not-allowed-here"
        assert gateway(country, "ris", "system", "list") == 0
        assert "TW/GOV/ris/audits  evidence" in capsys.readouterr().out


def test_settings_are_set_up_anew_and_what_was_changed_by_command_stays(tmp_path: Path) -> None:
    given = {"member": "xyz", "port": 1, "local_port": 2}
    homes.create(tmp_path, subsystems={"cases": {"services": {"a.v1": "http://127.0.0.1:3"}}}, **given)
    systems.set_address(tmp_path, "cases", "b.v1", "http://127.0.0.1:4")
    homes.change(tmp_path, centre="http://localhost:5")
    homes.create(tmp_path, subsystems={"cases": {"services": {"a.v1": "http://127.0.0.1:6"}}}, **given)
    at = homes.load(tmp_path)
    assert at.subsystems["cases"].services == {"a.v1": "http://127.0.0.1:6", "b.v1": "http://127.0.0.1:4"}
    assert at.centre == "http://localhost:5"


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.8:9000",  # ids would cross a network in clear
        "http://192.168.1.4/x",
        "https://8.8.8.8",
        "https://169.254.169.254/latest",
        "http://0.0.0.0:80",
        "http://[fe80::1]:80",
        "http://u:p@127.0.0.1:80",
        "http://127.0.0.1:80/?a=b",
        "http://127.0.0.1:80/#x",
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://",
        "http://127.0.0.1:8443",  # the gateway's own doors
        "https://localhost:8480",
        f"http://127.0.0.1:80/{national_id.make(7, 2)}",
        "http://no-such-host.invalid",
        "http://127.0.0.1:80/ x",
        "http://127.0.0.1/" + "a" * 300,
    ],
)
def test_addresses_outside_the_agency_are_refused(address: str) -> None:
    with pytest.raises(Problem) as caught:
        systems.check_address(address, {8443, 8480})
    assert caught.value.slug in {"address-refused", "person-in-clear"}


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9000", "http://localhost:9000/api", "http://[::1]:9", "https://10.1.2.3:8443/x"]
)
def test_addresses_within_the_agency_are_taken(address: str) -> None:
    assert systems.check_address(address, {8443, 8480} if "127" in address else {1}) == address


@pytest.mark.parametrize(
    "words",
    [
        ("service", "add"),
        ("service", "add", "births/births.v1"),
        ("service", "add", "births=http://127.0.0.1:9"),
        ("service", "add", "nowhere/a.v1=http://127.0.0.1:9"),
        ("service", "remove", "births/other.v1"),
        ("service", "remove", "births/births.v1=http://127.0.0.1:9"),
        ("system", "add"),
        ("system", "add", "a/b"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    homes.create(
        tmp_path,
        member="hpa",
        port=1,
        local_port=2,
        subsystems={"births": {"services": {"births.v1": "http://127.0.0.1:9001"}}},
    )
    with pytest.raises(Problem):
        main([*words, "--home", str(tmp_path)])
    assert not (tmp_path / systems.FILE).exists()


@pytest.mark.parametrize("text", ["[]", "{", '{"a/b": {}}', '{"a": {"may": ["fly"]}}', '{"a": {"services": {"x": 3}}}'])
def test_a_file_that_nobody_can_use_raises_an_alarm_and_changes_nothing(tmp_path: Path, text: str) -> None:
    with running(tmp_path) as country:
        core = country.gateways["hpa"].core
        (country.folder / "hpa" / systems.FILE).write_text(text)
        country.run(core.behind.look())
        assert "systems-unreadable" in core.alarms.standing
        assert ask_births(country.sdk()).status == 200
        (country.folder / "hpa" / systems.FILE).write_text("{}")
        country.run(core.behind.look())
        assert "systems-unreadable" not in core.alarms.standing


def test_a_change_that_cannot_be_journalled_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path) as country:
        core = country.gateways["hpa"].core

        async def full(*entries: object, **options: object) -> None:
            from smartgov.engines.troad.problems import refuse

            raise refuse("log-unavailable")

        monkeypatch.setattr(core.store, "commit", full)
        before = core.home.subsystems
        systems.set_address(country.folder / "hpa", "births", "births.v1", None)
        country.run(core.behind.look())
        assert core.home.subsystems is before
        monkeypatch.undo()
        country.run(core.behind.look())
        assert core.home.subsystems["births"].services == {}
