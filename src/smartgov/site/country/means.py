"""The Ministry's certificates of the cast, and what connects the platform to them: anchors, accounts, addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import smartgov
from smartgov.engines.pki import keys
from smartgov.engines.population import Persona
from smartgov.simulators.card import home as cards
from smartgov.simulators.moica import home as ministry
from smartgov.site.country.ports import Ports

WITH_APP = ("mother", "father", "ris-officer")
"""Who of the cast has the mobile certificate on a phone."""
WITH_CARD = ("mother", "ris-officer")
"""Who has a card; it is made only where SoftHSM2 is installed, which plays the chip."""


def create(home: Path, cast: Sequence[Persona]) -> None:
    """The Ministry in `home`, with certificates for those of the cast who have them."""
    moica = home / "moica"
    ministry.create(moica)
    for persona in cast:
        if persona.key in WITH_APP:
            ministry.enrol_phone(moica, persona=persona.key, name=persona.name, national_id=persona.national_id)
    make_cards(home, [persona for persona in cast if persona.key in WITH_CARD])


def make_cards(home: Path, cast: Sequence[Persona]) -> None:
    """Software cards, in a process of their own: SoftHSM2 reads where its tokens lie once a process."""
    if cards.library() is None or not cast:
        return
    people = [part for one in cast for part in ("--person", one.key, one.name, one.national_id)]
    folders = ["--home", str(home / "card"), "--moica", str(home / "moica")]
    command = [sys.executable, "-m", "smartgov.simulators.card", "make", *folders, *people]
    paths = {"PYTHONPATH": str(Path(smartgov.__file__).resolve().parents[1])}
    done = subprocess.run(  # noqa: S603 - our own command
        command, env={**os.environ, **paths}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"cards could not be made\n{done.stderr[-2000:]}")


def has_cards(home: Path) -> bool:
    """Whether the cast has cards; without SoftHSM2 nobody has one."""
    return any((home / "card" / "tokens").glob("*")) and cards.library() is not None


def connect(home: Path, ports: Ports) -> None:
    """Make the platform a customer of the Ministry, under the addresses of this start."""
    moica, folder = home / "moica", home / "means"
    if not (moica / "ca.pem").exists():  # a country that was raised before there was a Ministry
        return
    account, address = ministry.customer(moica), f"http://localhost:{ports.moica}"
    given = {"service_id": account["service_id"], "aes_key": account["aes_key"]}
    given |= {"app": f"{address}/a2a/verifySign", "scan": f"{address}/scan", "phones": address}
    keys.write_secret(folder / "twfido.json", json.dumps(given).encode())
    keys.write_secret(folder / "confirm", account["confirm"].encode())
    keys.write_secret(folder / "anchors.pem", (moica / "ca.pem").read_bytes())
    for port in (ports.web, ports.second_web):
        cards.allow(home / "card", f"http://localhost:{port}")
