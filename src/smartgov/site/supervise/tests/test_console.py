"""What the console and the doctor say."""

from __future__ import annotations

import fcntl
import io
import subprocess
import sys

import pytest

from smartgov import cli
from smartgov.shared.text import Text
from smartgov.simulators.card import home as cards
from smartgov.site.country import Ports, raise_country
from smartgov.site.supervise import console, doctor
from smartgov.site.supervise.country import PID_FILE, Country
from smartgov.site.supervise.programs import environment, programs, webs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("country") / "var"
    raise_country(place, size=4_000, ports=Ports(24_300))
    return place


def _drawn(out: io.StringIO) -> str:
    draw = console.bar(out)
    for done in range(3):
        draw(Text("keys", "金鑰"), done, 2)
    return out.getvalue()


def test_progress_redraws_on_a_terminal_and_is_plain_lines_elsewhere():
    assert _drawn(Terminal()).count("\n") == 1
    assert _drawn(io.StringIO()).splitlines() == [f"  {done}/2 金鑰 keys" for done in range(3)]


@pytest.mark.parametrize("split", [None, "ris"])
def test_the_screen_names_the_address_and_every_persona_in_both_languages(home, split):
    out, country = io.StringIO(), Country(home, port=24_300, split=split)
    console.show(country, out)
    text = out.getvalue()
    assert "http://localhost:24300" in text
    assert ("http://localhost:24301" in text) == (split is not None)
    for persona in country.personas():
        assert persona["name"] in text
        assert persona["national_id"] in text
    assert "戶政司承辦人員 Household registration: case officer" in text


def test_a_split_country_has_two_webs_with_two_databases_and_keys(home):
    one, two = webs(home, Ports(24_300), split="ris", demo=True)
    assert two.environment["SMARTGOV_ROLES"] == "agency:ris"
    assert "agency:ris" not in one.environment["SMARTGOV_ROLES"].split(",")
    assert {"centre", "portal"} <= set(one.environment["SMARTGOV_ROLES"].split(","))
    assert two.environment["SMARTGOV_DATABASE_NAME"] != one.environment.get("SMARTGOV_DATABASE_NAME", "web.sqlite3")
    assert two.environment["SMARTGOV_DATA_KEY_FILE"] != str(home / "data.key")


def test_on_postgresql_an_agency_apart_has_a_database_of_its_own(home, monkeypatch):
    monkeypatch.setenv("SMARTGOV_DATABASE_URL", "postgresql://smartgov@127.0.0.1:5432/country")
    one, two = (web.environment["SMARTGOV_DATABASE_URL"] for web in webs(home, Ports(24_300), split="ris", demo=True))
    assert one == "postgresql://smartgov@127.0.0.1:5432/country"
    assert two == f"{one}_ris"


def test_every_member_and_register_has_its_process(home):
    names = [p.name for p in programs(home, Ports(24_300), split="ris", demo=True, log=lambda name: home / name)]
    ministry = [name for name in names if name in {"moica", "card"}]
    assert ministry == (["moica", "card"] if cards.library() else ["moica"])  # cards need SoftHSM2
    assert len(names) - len(ministry) == len(set(names)) - len(ministry) == 7 + 6 + 4 + 5 + 2
    assert {
        "web",
        "worker",
        "web-ris",
        "worker-ris",
        "gateway-portal",
        "register-mof",
        "phone",
        "bank",
        "mailbox",
        "timestamp",
    } <= set(names)


PAGE = """
import django
from django.test import Client
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
browser = Client(SERVER_NAME="localhost", headers={"Accept-Language": "en"})
page = browser.get("/identity/sign-in")
print(page.status_code, "every person and every record here is invented" in page.content.decode())
print(browser.get("/identity/personas").status_code)
"""


@pytest.mark.parametrize("demo", [True, False])
def test_a_raised_country_says_that_it_is_made_up_whichever_verb_runs_it(home, demo):
    web = webs(home, Ports(24_300), split=None, demo=demo)[0]
    own = {**web.environment, "SMARTGOV_DATABASE_NAME": f"page-{demo}.sqlite3", "SMARTGOV_DATABASE_URL": ""}
    command = [sys.executable, "-c", PAGE]
    said = subprocess.run(command, env=environment(own), capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.split() == ["200", "True", "200" if demo else "404"]


def test_the_doctor_says_what_is_missing_and_how_to_mend_it(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_FONT", tmp_path / "absent.ttc")
    monkeypatch.setattr(doctor.Ports, "taken", lambda self: [self.base])
    assert doctor.report(home, 24_300) == 1
    said = capsys.readouterr().out
    assert "apt-get install -y --no-install-recommends fonts-noto-cjk" in said
    assert "24300" in said


def test_the_doctor_tells_a_stale_pid_file_from_a_running_country(home):
    def stale() -> bool:
        return not doctor.pid_file(home).good

    (home / PID_FILE).write_text("1\n")
    assert stale()
    with (home / PID_FILE).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert doctor.is_running(home)
        assert not stale()
    (home / PID_FILE).unlink()
    assert not doctor.is_running(home)


def test_up_without_a_country_says_how_to_raise_one(tmp_path, capsys):
    assert cli.main(["up", "--home", str(tmp_path / "none")]) == 1
    assert "smartgov demo" in capsys.readouterr().err


def test_no_verb_prints_the_verbs(capsys):
    assert cli.main([]) == 2
    said = capsys.readouterr().out
    assert all(verb in said for verb in ("demo", "doctor", "gateway", "register", "verify", "population"))


def test_population_writes_json_lines(tmp_path, capsys):
    assert cli.main(["population", "--people", "4000", "--to", str(tmp_path)]) == 0
    assert "ris.people\t4000" in capsys.readouterr().out
    assert len((tmp_path / "ris.people.jsonl").read_text().splitlines()) == 4_000


def test_verify_finds_an_untouched_log_whole(home, capsys):
    from smartgov.engines.troad import home as gateways
    from smartgov.engines.troad.store import Store

    folder = home / "gateways" / "mof"
    gateway = gateways.load(folder)
    store = Store(folder / "log.sqlite3", origin=gateway.gateway, log_key=gateway.log_key(), body_key=b"0" * 32)
    store.start()
    store.stop()
    assert cli.main(["verify", str(folder)]) == 0
    assert "TW/GOV/mof/gw1" in capsys.readouterr().out
