"""A running country whose gateways have a time-stamping authority, and what a verifier needs of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from smartgov.engines.httpd import Server, serve, sync
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import CASES, Country, free_port
from smartgov.simulators.timestamp.__main__ import Door
from smartgov.simulators.timestamp.authority import Authority


class TimeAuthority:
    """A time-stamping authority of a country, its files in `folder`; it can go down and come back."""

    def __init__(self, country: Country, folder: Path) -> None:
        self._country, self._port = country, free_port()
        self._authority = Authority(_made(folder))
        self._server: Server | None = None
        self.settings = {"url": f"http://127.0.0.1:{self._port}/", "root": str(folder / "root.pem")}
        """What a gateway's settings say of it."""

    def start(self) -> None:
        """Let it answer."""
        self._server = self._country.run(serve(Door(self._authority).handle, port=self._port))

    def stop(self) -> None:
        """Let it be down."""
        if self._server is not None:
            self._country.run(self._server.stop())
            self._server = None


@contextmanager
def stamped_country(folder: Path) -> Iterator[Country]:
    """A running country with an authority at `folder/tsa`."""
    country = Country(folder)
    authority = TimeAuthority(country, folder / "tsa")
    for code in country.described:
        settings(country, code, timestamps=authority.settings)
    country.start()
    authority.start()
    try:
        yield country
    finally:
        authority.stop()
        country.stop()


def settings(country: Country, code: str, **changes: Any) -> None:
    """Alter a gateway's settings; it reads them when it starts."""
    path = country.folder / code / "gateway.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def anchors(country: Country, folder: Path) -> Path:
    """What somebody needs who trusts this country and nothing else."""
    _made(folder / "heads")
    (folder / "root.json").write_bytes(country.centre.anchor)
    (folder / "tsa.pem").write_bytes((country.folder / "tsa/root.pem").read_bytes())
    return folder


def evidence(country: Country, exchange: str, subsystem: str = CASES, have: str = "") -> Any:
    """The bundle that an information system gets of its gateway."""
    code, name = subsystem.split("/")[2:]
    headers = {"authorization": f"Bearer {homes.secret(country.folder / code, name)}"}
    answer = sync.request("GET", f"{country.url(code)}/evidence/{exchange}?have={have}", headers)
    assert answer.status == 200, answer.body
    return answer.parsed()


def stamp(country: Country, code: str) -> None:
    """Have the newest head of a gateway's log stamped now."""
    assert country.run(country.gateways[code].core.heads.stamp())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
