"""Raising a country: built beside its place and moved there whole, so that an interruption leaves nothing."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smartgov.engines import population
from smartgov.engines.apigen.build import create_register
from smartgov.engines.pki import keys
from smartgov.engines.troad import home as gateways
from smartgov.shared import clock, content, homes, sealed
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators.library import home as library
from smartgov.simulators.phone import home as phones
from smartgov.simulators.wallet import home as wallets
from smartgov.site.country import centre, means
from smartgov.site.country.ports import Ports

MARK = homes.SYNTHETIC
"""The file that says a home holds a whole country."""
_HARMLESS = {"data.key", "django.key"}  # what a web process may have left in an otherwise empty home

Progress = Callable[[Text, int, int], None]
"""Told of each step: what is done now, how many are behind, how many there are."""


def is_raised(home: Path) -> bool:
    """Whether `home` holds a whole country."""
    return (home / MARK).is_file()


def raise_country(
    home: Path,
    *,
    seed: bytes = b"smartgov",
    village: int = 0,
    size: int = population.SIZE,
    ports: Ports | None = None,
    progress: Progress | None = None,
) -> None:
    """Build a country of one village in `home`; a Problem `country-in-the-way` when other things lie there.

    An interrupted building leaves the place as it was; what it had begun is cleared by the next one.
    """
    if is_raised(home):
        return
    _refuse_when_in_the_way(home)
    building = home.with_name(f".{home.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)
    try:
        _Building(building, ports or Ports(), progress or _silent).run(seed, village, size)
        _clear(home)
        building.rename(home)
    finally:
        shutil.rmtree(building, ignore_errors=True)


class _Building:
    """One building in progress."""

    def __init__(self, home: Path, ports: Ports, progress: Progress) -> None:
        self.home, self.ports, self.progress = home, ports, progress

    def run(self, seed: bytes, village: int, size: int) -> None:
        """All steps in their order."""
        registers = content.read("exchange.yaml")["registers"]
        steps: list[tuple[Text, Callable[[], None]]] = [
            (Text("people of one village", "一座村落的居民"), lambda: self._people(seed, village, size)),
            (Text("the centre's keys", "中心的金鑰"), lambda: centre.create_centre(self.home)),
            (Text("gateways of seven members", "七個成員的資料交換閘道"), self._gateways),
            *(
                (Text(f"register of {entry['agency']}", f"登記資料庫 {entry['agency']}"), self._register_maker(entry))
                for entry in registers
            ),
            (Text("phones of the cast", "人物的手機"), self._cast),
            (Text("certificates of the cast", "人物的自然人憑證"), self._certificates),
            (Text("a library that signs its readers in, and wallets", "使用登入的圖書館與數位錢包"), self._parties),
            (Text("keys of the web processes", "網站的金鑰"), self._web),
        ]
        for done, (text, step) in enumerate(steps):
            self.progress(text, done, len(steps))
            step()
        self._mark()
        self.progress(Text("done", "完成"), len(steps), len(steps))

    def _people(self, seed: bytes, village: int, size: int) -> None:
        self.village = population.build_village(seed, village, on=clock.today(), size=size)
        self.rows = population.registers(self.village)
        # Births of the last weeks do not lie in the register yet: hospitals notify them, for real, at the first start.
        births = list(self.rows["hpa"]["births"])
        self.fresh = [row for row in births if row["status"] == "notified"]
        self.rows["hpa"]["births"] = [row for row in births if row["status"] != "notified"]

    def _gateways(self) -> None:
        centre.configure(self.home, ports=self.ports)
        centre.certify_seals(self.home, self.ports)

    def _register_maker(self, entry: dict[str, str]) -> Callable[[], None]:
        def make() -> None:
            agency = entry["agency"]
            create_register(
                self.home / "registers" / agency,
                content.read(f"registers/{agency}.yaml"),
                self.rows[agency],
                port=self.ports.register(agency),
                secret=gateways.secret(self.home / "gateways" / agency, entry["subsystem"]),
            )

        return make

    def _cast(self) -> None:
        found, public = [], []
        for place, persona in enumerate(population.personas(self.village)):
            phone = phones.enrol(
                self.home / "phone", persona=persona.key, name=persona.name, story=persona.story, place=place
            )
            story = persona.story.as_dict()
            seats = [{"agency": agency, "role": role} for agency, role in persona.seats]
            card = {"key": persona.key, "name": persona.name, "seats": seats, "story": story}
            public.append(card)
            found.append(
                {
                    **card,
                    "national_id": persona.national_id,
                    "email": persona.email,
                    "phone": {"key_id": phone.key_id, "public_jwk": phone.public_jwk},
                }
            )
        _write(self.home / "personas.json", found)
        _write(self.home / "personas.public.json", public)
        _write(self.home / "births.json", self.fresh)

    def _certificates(self) -> None:
        means.create(self.home, population.personas(self.village))

    def _parties(self) -> None:
        issuer, address = f"http://localhost:{self.ports.web}", f"http://localhost:{self.ports.library}"
        party = library.create(self.home / "library", issuer=issuer, client_id="library", address=address)
        _write(self.home / "parties.json", [party, self._wallet(issuer)])

    def _wallet(self, issuer: str) -> dict[str, Any]:
        people = {persona.key: persona.name for persona in population.personas(self.village) if not persona.seats}
        return wallets.create(
            self.home / "wallet",
            issuer=issuer,
            client_id="wallet",
            address=f"http://localhost:{self.ports.wallet}",
            root=(self.home / "centre" / "authority" / "ca.crt").read_bytes(),
            people=people,
        )

    def _web(self) -> None:
        for name in ("bank", "mailbox", "logs"):
            (self.home / name).mkdir(mode=0o700)
        sealed.create_data_key(self.home / "data.key")
        keys.write_secret(self.home / "django.key", secrets.token_urlsafe(48).encode())

    def _mark(self) -> None:
        about = {"raised_at": clock.now().isoformat(), "village": self.village.number, "people": self.village.living}
        _write(self.home / MARK, about)


def _silent(step: Text, done: int, total: int) -> None:
    """Tell nobody."""


def _refuse_when_in_the_way(home: Path) -> None:
    there = {path.name for path in home.iterdir()} if home.exists() else set()
    if strange := there - _HARMLESS:
        raise Problem(
            "country-in-the-way",
            409,
            what=Text(f"{home} holds something else.", f"{home} 已有其他資料。"),
            why=Text(f"Found: {', '.join(sorted(strange)[:5])}.", f"發現：{'、'.join(sorted(strange)[:5])}。"),
            todo=Text("Move it away, or give another folder with --home.", "請移走，或以 --home 指定其他資料夾。"),
        )


def _clear(home: Path) -> None:
    """Remove the keys that a web process made in an empty home; nothing was ever sealed with them."""
    if home.exists():
        for name in _HARMLESS:
            (home / name).unlink(missing_ok=True)
        home.rmdir()


def _write(path: Path, value: Any) -> None:
    keys.write_secret(path, json.dumps(value, ensure_ascii=False, indent=1).encode())
