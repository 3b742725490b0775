"""J2, whole: an agency joins by page and command alone, publishes, asks, is asked, calls; and what happened is proven.

Gateways of seven members and of the new one run as processes of their own. No file is edited by hand but one: the log,
by somebody who has the disk, to be caught. The examples of two manuals are run as they stand.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from smartgov.engines.apilint import read
from smartgov.engines.httpd import sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.client import LocalGateway
from smartgov.engines.troad.tests.country import free_ports
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.site.supervise import Country as Running
from tests.journeys.agency import MANUALS, Agency, Manual
from tests.journeys.conftest import raised
from tests.journeys.people import Country, Person, until

STATIONS, PERSONS, OWN = (
    "TW/GOV/ris/household/stations.v1",
    "TW/GOV/ris/household/persons.v1",
    "TW/GOV/xyz/weather/stations.v1",
)
DOCUMENT = json.dumps(dict(read().example), indent=1)
LAW, PURPOSE = "household-registration-act-67", "birth.registration"


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    yield from raised(size=1000)


class Weather(BaseHTTPRequestHandler):
    """An information system with one answer."""

    def do_GET(self) -> None:
        body = json.dumps([{"code": "466920", "built_on": "1896-08-11"}]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing is printed."""


@contextmanager
def weather(port: int) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Weather)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def test_an_agency_joins_publishes_asks_calls_and_proves(small: Running, tmp_path: Path) -> None:
    country, port = Country(small.home, small.ports.web), free_ports(4)
    operating, publishing = Manual("operator/gateways.md"), Manual("developer/publishing-services.md")
    day = (clock.today() + timedelta(days=30)).isoformat()
    ris_home = small.home / "gateways" / "ris"
    xyz = Agency(
        tmp_path,
        port,
        CENTRE=country.origin,
        SERVICE_PORT=port + 2,
        STAMPS=f"http://127.0.0.1:{small.ports.timestamp}/",
        STAMPS_ROOT=ris_home / "certs" / "timestamps.pem",
        UNTIL=day,
        SERVICE=PERSONS,
        TROAD_BACKUP_PASSPHRASE="four words of a journey",
        FILE=tmp_path / "backup",
    )
    (tmp_path / "stations.yaml").write_text(DOCUMENT)
    operator, ris, nhi = (Person(country, key) for key in ("operator", "ris-integrator", "nhi-integrator"))
    for person, words in (
        (operator, ("portal", "Operator")),
        (ris, ("", "Data exchange")),
        (nhi, ("", "Data exchange")),
    ):
        person.sign_in()
        person.take_seat(*words)
    _join(xyz, operator, operating)
    with xyz.running(), weather(port + 2):
        until(lambda: _status(xyz, "smartgov gateway ping ris --home $DIR"), lambda status: status == 0)
        out = xyz.run(publishing.take("smartgov api lint"))
        assert "personal-in-address" in out
        _publish_from_a_file(ris, ris_home, xyz, port + 2)
        _publish_from_tables(ris, ris_home, xyz, small.ports.register("ris"))
        request = _ask(xyz, publishing)
        _grant(ris, request, day)
        mother = country.personas["mother"]
        done = until(lambda: _person(xyz.client(), mother["national_id"]), lambda one: not isinstance(one, Problem))
        assert done.body["items"] == [{"name": mother["name"]}]
        assert mother["name"] in _by_curl(xyz, mother["national_id"])
        with pytest.raises(Problem) as caught:  # and nothing beyond what was granted
            xyz.client().call(PERSONS, "POST", "/people/query", json={}, subject=mother["national_id"], purpose="other")
        assert caught.value.slug in {"basis-required", "purpose-not-granted"}

        _be_a_provider(xyz, nhi, operating, publishing, day)
        _by_program(xyz, small.home / "gateways", publishing, day)
        assert "Weather stations" in ris.get(_page_of("TW/GOV/nhi/cases/stations.v1")).text
        _stays_by_itself(xyz, operating)
        _a_second_gateway(xyz, operator, operating)
        _erased_and_still_proven(xyz, done.exchange_id, tmp_path)
    _tampered_and_caught(xyz)
    _new_keys_by_the_old_one(xyz, operator, operating, mother["national_id"])
    _new_keys_by_the_root(xyz, operator, operating, small.home)
    assert (operating.left, publishing.left) == ([], [])


def _join(xyz: Agency, operator: Person, manual: Manual) -> None:
    root = _root(operator)
    assert len(root) == 64, operator.page.text
    init = manual.take("--timestamps")
    assert "another root" in xyz.run(init, ROOT="0" * 64, good=(1,))
    _approve(operator, xyz.run(init, ROOT=root, good=(3,)), "Agency of Trials")
    assert "Joined" in xyz.run(init.rstrip() + " --wait 60", ROOT=root)


def _publish_from_a_file(ris: Person, ris_home: Path, xyz: Agency, port: int) -> None:
    """On the page; and where it listens by command, in the home of its own gateway. Neither is restarted."""
    form = ris.get("/exchange/services/new").form_with("source")
    given = {"subsystem": "TW/GOV/ris/household", "code": "stations.v1", "source": "file", "personal": ""}
    page = ris.browser.upload(form, "document", "stations.json", DOCUMENT.encode(), **given)
    assert "Weather stations" in page.text, page.text
    assert "smartgov gateway service add household/stations.v1" in page.text
    address = f"household/stations.v1=http://127.0.0.1:{port}"
    assert "In force" in xyz.run(f"smartgov gateway service add {address} --home {ris_home}")
    assert f"http://127.0.0.1:{port}" in ris.get(_page_of(STATIONS)).text


def _publish_from_tables(ris: Person, ris_home: Path, xyz: Agency, port: int) -> None:
    form = ris.get("/exchange/services/new").form_with("source")
    given = {"subsystem": "TW/GOV/ris/household", "code": "persons.v1", "source": "tables", "tables": ["people"]}
    terms = {"visibility": "delayed", "delay_days": "7"}
    page = ris.submit(form, **given, **terms)
    assert "7 days after the use" in page.text, page.text
    xyz.run(f"smartgov gateway service add household/persons.v1=http://127.0.0.1:{port} --home {ris_home}")


def _ask(xyz: Agency, manual: Manual) -> str:
    told = xyz.run(manual.take("right ask"))
    (request,) = re.findall(r"([0-9a-f-]{36}): asked", told)
    return str(request)


def _grant(ris: Person, request: str, day: str) -> None:
    page = ris.get(f"/exchange/requests/{request}")
    assert "Household Registration Act" in page.text
    form = page.form_with("until")
    page = ris.submit(form, ("do", "grant"), until=day, reason="as the law says")
    assert "Granted" in page.text, page.text


def _person(client: LocalGateway, person: str) -> object:
    where = {"where": {"national_id": national_id.urn(person)}}
    try:
        return client.call(PERSONS, "POST", "/people/query", json=where, subject=person, purpose=PURPOSE, basis=LAW)
    except Problem as problem:
        return problem


def _by_curl(xyz: Agency, person: str) -> str:
    """The example of the integrators' page, with this service's path."""
    script = Manual("developer/calling-services.md").take("$GATEWAY/r1/$SERVICE/births/query")
    given = {
        "GATEWAY": f"http://127.0.0.1:{xyz.port + 1}",
        "SECRET": homes.secret(xyz.home, "cases"),
        "CLIENT": "TW/GOV/xyz/cases",
        "PERSON": person,
        "PURPOSE": PURPOSE,
        "BASIS": LAW,
    }
    return xyz.run(script.replace("/births/query", "/people/query"), **given)


def _by_program(xyz: Agency, gateways: Path, manual: Manual, day: str) -> None:
    """The register read, a right to it asked and granted, and a service published: by another member's system."""
    at = homes.load(gateways / "nhi")
    given = {
        "GATEWAY": f"http://127.0.0.1:{at.local_port}",
        "SECRET": homes.secret(at.path, "cases"),
        "CLIENT": "TW/GOV/nhi/cases",
    }
    services, configuration, asked = _documents(xyz.run(manual.take("exchange.v1"), **given))
    assert PERSONS in [one["id"] for one in services["items"]]
    assert configuration["version"] > 0
    assert asked["state"] == "asked"
    grant = f"right grant {asked['id']} --until {day} --reason 'to publish by program'"
    assert "granted" in xyz.run(f"smartgov gateway {grant} --home {gateways / 'portal'}")
    (code,) = re.findall(r"```python\n(.*?)```", (MANUALS / manual.page).read_text(), re.DOTALL)

    def published() -> bool:
        try:
            with chdir(xyz.folder):
                exec(code, {**given, "SERVICE": "TW/GOV/nhi/cases/stations.v1"})
        except Problem as problem:
            if problem.slug != "right-missing":
                raise
            return False
        return True

    until(published, bool)


def _documents(text: str) -> list[Any]:
    """JSON texts, one after the other."""
    found, decoder, text = [], json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


def _be_a_provider(xyz: Agency, nhi: Person, operating: Manual, publishing: Manual, day: str) -> None:
    """Its own service: systems and address, published and signed by command, asked for on the page, granted, called."""
    listed = xyz.run(operating.take("gateway service add"))
    assert "In force" in listed
    assert f"{OWN}  http://127.0.0.1" in listed
    assert "registered" in xyz.run(publishing.take("gateway publish"))
    form = nhi.get(f"{_page_of(OWN)}/ask").form_with("purpose")
    typed = {"client": "TW/GOV/nhi/cases", "endpoints": ["GET /stations"], "basis": "none:", "until": day}
    page = nhi.submit(form, **typed, purpose="weather")
    request = page.url.rpartition("/")[2]
    assert request in xyz.run("smartgov gateway right list --home $DIR")
    assert "granted" in xyz.run(publishing.take("right grant"), REQUEST=request)
    nhi_home = nhi.country.home / "gateways" / "nhi"
    caller = LocalGateway(
        f"http://127.0.0.1:{homes.load(nhi_home).local_port}", homes.secret(nhi_home, "cases"), "TW/GOV/nhi/cases"
    )

    def called() -> object:
        try:
            return caller.call(OWN, "GET", "/stations", purpose="weather").body
        except Problem as problem:
            return problem.slug

    until(called, lambda said: said == [{"code": "466920", "built_on": "1896-08-11"}], seconds=60)
    assert "offered" in xyz.run("smartgov gateway service list --home $DIR")
    xyz.run(operating.take("gateway service remove"))
    assert called() == "service-unknown"


def _stays_by_itself(xyz: Agency, manual: Manual) -> None:
    assert '"services"' in xyz.run(manual.take("gateway offer --home"))
    assert "ends" in xyz.run(manual.take("gateway renew"))
    assert "Maintenance until" in xyz.run(manual.take("gateway maintenance on"))
    xyz.run(manual.take("gateway backup"))
    checked = xyz.run(f"set +e\n{manual.take('gateway check')}")
    found = re.findall(r"^(ok |BAD|-  ) (\S+)", checked, re.MULTILINE)
    assert {("ok ", name) for name in ("signing", "log", "timestamps", "peer", "certificate")} <= set(found), checked


def _a_second_gateway(xyz: Agency, operator: Person, manual: Manual) -> None:
    """Beside the first: with the member's key, approved as that was, and signed for by name only."""
    second, port = xyz.folder / "gw2", free_ports(2)
    given = {"SECOND": second, "SECOND_PORT": port, "SECOND_LOCAL_PORT": port + 1, "ROOT": _root(operator)}
    init = manual.take("--beside")
    assert "--beside" in xyz.run(init.replace("gw2", "gw1"), **{**given, "SECOND": xyz.folder / "never"}, good=(1,))
    _approve(operator, xyz.run(init, **given, good=(3,)), "Agency of Trials")
    shown = manual.take("--sign --gateway gw2")
    strange = shown.replace(" --gateway gw2", "")
    until(lambda: xyz.run("smartgov gateway offer --home $DIR"), lambda said: '"gw2"' in said)
    assert "not signed for" in xyz.run(strange, good=(1,))
    assert "Signed and handed in" in xyz.run(shown)
    assert "Joined" in xyz.run(init.rstrip() + " --wait 60", **given)
    beside = Agency.__new__(Agency)
    beside.__dict__ |= {**xyz.__dict__, "home": second, "port": port}
    with beside.running():
        until(lambda: _status(beside, f"smartgov gateway ping ris --home {second}"), lambda status: status == 0)
        until(lambda: _status(xyz, "smartgov gateway ping TW/GOV/xyz/gw2 --home $DIR"), lambda status: status == 0)
        listed = xyz.run("smartgov gateway offer --home $DIR")
        assert OWN in listed, "what the member offered before stays its offer"
        moved = {"SECOND": second, "MOVE": xyz.folder / "handed-over"}
        assert "TW/GOV/xyz/gw2" in xyz.run(manual.take("gateway handover"), **moved)
        assert "once-handed-over" in _health(xyz)["alarms"]
        told = xyz.run(manual.take("gateway takeover"), **moved)
        assert "Took over" in told
        assert "Signed and handed in" in told
        until(
            lambda: _health(xyz)["once"], lambda said: said == {"gateway": "TW/GOV/xyz/gw2", "state": "elsewhere"}, 120
        )
        until(lambda: _health(beside)["once"], lambda said: said["state"] == "here", 120)


def _erased_and_still_proven(xyz: Agency, exchange: str, folder: Path) -> None:
    anchors = folder / "anchors"
    anchors.mkdir()
    script = (
        'curl -sSf "$CENTRE/exchange/trust/root.json" > anchors/root.json; cp "$STAMPS_ROOT" anchors/tsa.pem;'
        f' curl -sSf -H "Authorization: Bearer $AUDITS" "http://127.0.0.1:$LOCAL_PORT/evidence/{exchange}" > FILE.json;'
        " smartgov verify FILE.json --anchors anchors"
    )
    audits = homes.secret(xyz.home, "audits")
    before = until(
        lambda: _told(xyz, script.replace("FILE", "whole"), audits), lambda said: "有效 valid\n" in said, 120
    )
    assert before
    entries = json.loads((folder / "whole.json").read_text())["entries"]
    assert all("body" in one for one in entries if one)
    assert xyz.client("audits").erase(exchange) == 2
    after = _told(xyz, script.replace("FILE", "erased"), audits)
    assert "有效 valid\n" in after, after
    assert not any(one.get("body") for one in json.loads((folder / "erased.json").read_text())["entries"])
    changed = json.loads((folder / "whole.json").read_text())
    changed["entries"][0]["body"] = changed["entries"][1]["body"]
    (folder / "changed.json").write_text(json.dumps(changed))
    assert "invalid" in xyz.run("smartgov verify changed.json --anchors anchors", good=(1,))


def _told(xyz: Agency, script: str, secret: str) -> str:
    return xyz.run(script, good=(0, 1, 3, 4), AUDITS=secret)


def _tampered_and_caught(xyz: Agency) -> None:
    assert "whole" in xyz.run('smartgov verify "$DIR"')
    with sqlite3.connect(xyz.home / "log.sqlite3") as db:
        index, record = db.execute(
            "SELECT idx, record FROM ledger_record WHERE CAST(record AS TEXT) LIKE ? ORDER BY idx LIMIT 1",
            (f'%"{LAW}"%',),
        ).fetchone()
        text = record.decode() if isinstance(record, bytes) else record
        altered = text.replace(LAW, LAW[:-1] + "8")
        db.execute(
            "UPDATE ledger_record SET record = ? WHERE idx = ?",
            (altered.encode() if isinstance(record, bytes) else altered, index),
        )
    assert f"altered records {index}" in xyz.run('smartgov verify "$DIR"', good=(1,))


def _new_keys_by_the_old_one(xyz: Agency, operator: Person, manual: Manual, person: str) -> None:
    """Another home, approved as the first was: every gateway believes its keys at once, for the old key signed."""
    init, given = manual.take("--old-home"), {"ROOT": _root(operator), "NEW": xyz.folder / "second"}
    _approve(operator, xyz.run(init, **given, good=(3,)), "its old key has signed")
    assert "Joined" in xyz.run(init.rstrip() + " --wait 60", **given)
    xyz.home = xyz.folder / "second"
    with xyz.running():
        done = until(lambda: _person(xyz.client(), person), lambda one: not isinstance(one, Problem), seconds=60)
        assert not isinstance(done, Problem)


def _new_keys_by_the_root(xyz: Agency, operator: Person, manual: Manual, country: Path) -> None:
    """The old key is lost: two holders of root keys vouch; everybody is alarmed and waits for 72 hours."""
    init = manual.take("--old-home").replace('--old-home "$DIR" ', "").rstrip()
    given = {"ROOT": _root(operator), "NEW": xyz.folder / "third"}
    assert "another key" in xyz.run(init, **given, good=(1,))
    old = xyz.run(manual.take("gateway key"), NEW=xyz.home).strip()
    new = xyz.run(manual.take("gateway key"), **given).strip()
    for number in (1, 2):
        holder = {"ROOT_KEY": country / f"centre/trust/keys/root-{number}.key", "OLD_KEY": old, "NEW_KEY": new}
        assert f"{number} signatures" in xyz.run(manual.take("trust vouch"), **holder)
        if number == 1:
            assert "another key" in xyz.run(f"{init} --rotation statement.json", **given, good=(1,))
    _approve(operator, xyz.run(f"{init} --rotation statement.json", **given, good=(3,)), "by the word of the root keys")
    ris = homes.load(country / "gateways" / "ris")
    until(lambda: _alarms(ris), lambda said: "key-of-TW/GOV/xyz-replaced-by-root-since" in said, seconds=60)
    xyz.run(f"{init} --rotation statement.json --wait 30", **given)  # its own configuration lists it already
    assert _status(xyz, 'smartgov gateway ping ris --home "$DIR/../third"') == 1


def _alarms(at: homes.Home) -> str:
    answer = sync.request("GET", f"http://127.0.0.1:{at.local_port}/local/v1/health")
    return json.dumps(answer.parsed()["configuration"]["alarms"])


def _approve(operator: Person, asked: str, shown: str) -> None:
    fingerprint = "".join(re.findall(r"\b[0-9a-f]{4}\b", asked)[:16])
    page = operator.get("/exchange/joining")
    assert shown in page.text, page.text
    operator.submit(page.form_with("told"), told=f"{fingerprint[-8:-4]} {fingerprint[-4:]}")


def _root(operator: Person) -> str:
    shown = operator.get("/exchange/joining").text.partition("on paper:")[2]
    return "".join(re.findall(r"\b[0-9a-f]{4}\b", shown)[:16])


def _status(xyz: Agency, script: str) -> int:
    return int(xyz.run(f"set +e; {script} > /dev/null 2>&1; echo $?").split()[-1])


def _health(agency: Agency) -> dict[str, Any]:
    url = f"http://127.0.0.1:{agency.port + 1}/local/v1/health"
    said: dict[str, Any] = sync.request("GET", url).parsed()
    return said


def _page_of(service: str) -> str:
    return f"/exchange/services/{quote(service.replace('/', '~'), safe='~.')}"
