"""Two members are shown different configurations of one version: both sides see it, and keep the proof."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smartgov.engines.httpd import Client, Response
from smartgov.engines.pki import jws
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import stated
from smartgov.engines.troad.tests.country import Country, ask_births, running
from smartgov.engines.trust import Centre
from smartgov.shared import clock

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def differing(country: Country, code: str) -> list[str]:
    standing = country.gateways[code].core.alarms.standing
    return [name for name in standing if name.startswith("configuration-differs:")]


def look(country: Country, code: str) -> None:
    core = country.gateways[code].core
    core.configuration.state()
    core.stated._told = ("", 0)
    country.run(core.stated.look())


def twin(country: Country, folder: Path) -> bytes:
    """The next version as a centre that plays double signs it a second time, from a copy of its own folder."""
    shutil.copytree(country.folder / "centre", folder)
    honest, country.centre = country.centre, Centre(folder)
    try:
        return country.publish(subsystems=[*country.data()["subsystems"], "TW/GOV/ris/secret"])
    finally:
        country.centre = honest


def test_all_who_hold_the_same_agree(tmp_path: Path) -> None:
    with running(tmp_path) as country:
        ask_births(country.sdk())
        country.publish()
        for code in ("ris", "hpa", "portal"):
            look(country, code)
        for code in ("ris", "hpa", "portal"):
            assert differing(country, code) == []
            with country.gateways[code].core.store.reading() as (db, _):
                rows = db.execute("SELECT version, gateway FROM stated").fetchall()
            newest = max(version for version, _ in rows)
            assert len([1 for version, _ in rows if version == newest]) == 3


def test_two_configurations_of_one_version_alarm_both_who_hold_them(tmp_path: Path) -> None:
    with running(tmp_path / "country") as country:
        forked = twin(country, tmp_path / "twin")
        bundle = country.publish()
        assert bundle != forked
        homes.set_bundle(country.folder / "ris", forked)
        for code in ("hpa", "ris"):
            look(country, code)
        states = [country.gateways[code].core.configuration.state() for code in ("ris", "hpa")]
        assert states[0]["version"] == states[1]["version"]
        assert states[0]["digest"] != states[1]["digest"]
        name = [f"configuration-differs:{states[0]['version']}"]
        assert differing(country, "ris") == differing(country, "hpa") == name
        told = country.gateways["hpa"].core.alarms.standing[name[0]]
        assert "TW/GOV/ris/gw1" in told
        assert "TW/GOV/hpa/gw1" in told
        with country.gateways["hpa"].core.store.reading() as (db, _):
            query = "SELECT digest, statement FROM stated WHERE version = ?"
            rows = db.execute(query, (states[0]["version"],)).fetchall()
        proofs = {digest: jws.peek(statement) for digest, statement in rows}
        assert set(proofs) == {str(state["digest"]) for state in states}


def test_what_the_door_refuses(tmp_path: Path) -> None:
    with running(tmp_path) as country:
        ris = country.gateways["ris"].core
        target = country.snapshot().gateways["TW/GOV/hpa/gw1"]
        kid = country.snapshot().gateways["TW/GOV/ris/gw1"].message_kid
        claims = {"iss": "TW/GOV/ris/gw1", "iat": int(clock.now().timestamp()), "version": 1, "digest": "00"}

        def tell(body: str, by: str = "ris") -> int:
            async def go() -> Response:
                client = Client(ssl=country.gateways[by].core.configuration.client_tls)
                try:
                    return await client.request("POST", f"https://{target.authority}{stated.PATH}", body=body.encode())
                finally:
                    await client.close()

            answer: Response = country.run(go())
            return answer.status

        def signed(**changes: object) -> str:
            return jws.sign({**claims, **changes}, ris.message_key, kid, stated.TYPE)

        look(country, "hpa")  # it answers with its own word on version 1, which it must have given before
        assert tell(signed()) == 200
        assert tell(signed(), by="portal") == 401
        assert tell(signed(iss="TW/GOV/portal/gw1")) == 400
        assert tell(signed(version="x")) == 400
        assert tell("nonsense") in {400, 401}
