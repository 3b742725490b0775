"""A country is raised whole or not at all, and its homes fit each other."""

from __future__ import annotations

import json
import sqlite3
import stat
from datetime import timedelta

import pytest
import yaml

from smartgov.engines.troad import home as gateways
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.site.country import Ports, build, centre, is_raised, raise_country
from smartgov.site.country.ports import agencies

PORTS = Ports(24_100)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("country") / "var"
    raise_country(place, size=4_000, ports=PORTS)
    return place


def test_the_home_is_whole(home):
    assert is_raised(home)
    assert {path.name for path in (home / "gateways").iterdir()} == set(agencies())
    assert {path.name for path in (home / "registers").iterdir()} == {"ris", "hpa", "nhi", "sfaa", "bli", "mof"}
    assert not list(home.parent.glob(".*"))


def test_only_the_owner_reads_what_is_secret(home):
    secret = [home / "personas.json", home / "data.key", home / "django.key", *home.glob("gateways/*/secrets/*")]
    secret += [*home.glob("**/*.key"), *home.glob("registers/*/register.sqlite3")]
    assert len(secret) > 60
    assert not [path for path in secret if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_the_public_list_of_personas_names_no_number(home):
    text = (home / "personas.public.json").read_text()
    assert not national_id.FINDER.search(text)
    private = json.loads((home / "personas.json").read_text())
    assert [card["key"] for card in json.loads(text)] == [card["key"] for card in private]
    assert all(national_id.is_synthetic(card["national_id"]) for card in private)


def test_a_register_and_its_gateway_share_secret_and_address(home):
    for agency in ("ris", "hpa", "nhi", "sfaa", "bli", "mof"):
        register = yaml.safe_load((home / "registers" / agency / "register.yaml").read_text())
        secret = (home / "registers" / agency / register["secret_file"]).read_text().strip()
        behind = [s for s in gateways.load(home / "gateways" / agency).subsystems.values() if s.secret == secret]
        assert [list(s.services.values()) for s in behind] == [[f"http://127.0.0.1:{register['port']}"]]


def test_new_ports_and_a_second_web_process_keep_keys_and_secrets(home):
    before = gateways.describe(home / "gateways" / "ris"), gateways.secret(home / "gateways" / "ris", "cases")
    centre.configure(home, ports=Ports(24_200), second_web="ris")
    after = gateways.describe(home / "gateways" / "ris"), gateways.secret(home / "gateways" / "ris", "cases")
    assert after[1] == before[1]
    assert after[0]["gateway"]["message_key"] == before[0]["gateway"]["message_key"]
    assert after[0]["gateway"]["port"] == Ports(24_200).gateway("ris")
    cases = gateways.load(home / "gateways" / "ris").subsystems["cases"].services["cases.v1"]
    other = gateways.load(home / "gateways" / "nhi").subsystems["cases"].services["cases.v1"]
    assert cases == "http://127.0.0.1:24201/troad/ris/cases.v1"
    assert other == "http://127.0.0.1:24200/troad/nhi/cases.v1"
    centre.configure(home, ports=PORTS)


def test_the_births_of_the_last_weeks_wait_to_be_notified(home):
    mother = next(card for card in json.loads((home / "personas.json").read_text()) if card["key"] == "mother")
    fresh = {row["mother_id"]: row for row in json.loads((home / "births.json").read_text())}
    assert fresh[mother["national_id"]]["born_on"] == (clock.today() - timedelta(days=5)).isoformat()
    with sqlite3.connect(home / "registers" / "hpa" / "register.sqlite3") as database:
        states = database.execute("SELECT status, count(*) FROM births GROUP BY status").fetchall()
    assert [status for status, _ in states] == ["registered"]


def test_an_interrupted_building_leaves_nothing_and_can_be_repeated(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build.centre, "certify_seals", fail)
    with pytest.raises(KeyboardInterrupt):
        raise_country(tmp_path / "var", size=4_000)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    raise_country(tmp_path / "var", size=4_000)
    assert is_raised(tmp_path / "var")


def test_something_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(Problem) as refused:
        raise_country(tmp_path)
    assert refused.value.slug == "country-in-the-way"
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_progress_counts_every_step_to_the_end(tmp_path):
    told = []
    raise_country(tmp_path / "var", size=4_000, progress=lambda step, done, total: told.append((done, total, step.zh)))
    assert [done for done, _, _ in told] == list(range(len(told)))
    assert told[-1][0] == told[-1][1]


def test_two_countries_of_bases_sixty_apart_share_no_port():
    assert not set(Ports(9_000).all()) & set(Ports(9_060).all())
