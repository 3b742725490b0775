"""What the operator of a demo sees: progress, one address, the people to play, and an orderly end."""

from __future__ import annotations

import signal
import sys
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.simulators.card.home import DEMO_PIN
from smartgov.site.country import means
from smartgov.site.country.build import Progress, is_raised, raise_country
from smartgov.site.country.ports import Ports
from smartgov.site.supervise.country import Country

_BAR = 24
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(home: Path, *, port: int, split: str | None, people: int, seed: bytes) -> int:
    """Raise the country if there is none, start it, show it, and run until a signal comes."""
    if not is_raised(home):
        _say(Text(f"Raising a synthetic country in {home} ...", f"正在 {home} 建立模擬國家……"))
        raise_country(home, seed=seed, size=people, ports=Ports(port), progress=bar(sys.stdout))
    return _run(Country(home, port=port, split=split, demo=True))


def up(home: Path, *, port: int, split: str | None) -> int:
    """Run the country that is there; Problem `country-missing` when there is none."""
    if not is_raised(home):
        raise Problem(
            "country-missing",
            404,
            what=Text(f"There is no country in {home}.", f"{home} 沒有國家。"),
            todo=Text("Raise one with `smartgov demo`.", "請以 `smartgov demo` 建立。"),
        )
    return _run(Country(home, port=port, split=split, demo=False))


def _run(country: Country) -> int:
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: _interrupt(ended)) for number in _STOPPING}
    try:
        _say(Text("Starting ...", "啟動中……"))
        country.start(wait=False)
        show(country, sys.stdout)
        country.wait_healthy()
        refusing = country.refusing()
        for agency, why in refusing.items():
            _say(Text(f"gateway-{agency} refuses: {why.en}", f"gateway-{agency} 拒絕交換：{why.zh}"))
        well = Text("All processes are healthy. Ctrl-C stops them.", "所有程序運作正常。按 Ctrl-C 停止。")
        ill = Text(
            "All processes run; not all work. Ctrl-C stops them.", "程序均執行中，部分無法運作。按 Ctrl-C 停止。"
        )
        _say(ill if refusing else well)
        ended.wait()
    except _Interrupted:
        pass
    except (TimeoutError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        _ignore(_STOPPING)  # a second Ctrl-C must not leave processes behind
        country.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    _say(Text("Stopped; nothing is left running.", "已停止，沒有殘留的程序。"))
    return 0


class _Interrupted(BaseException):
    """A signal to stop, wherever the main thread is."""


def _interrupt(ended: threading.Event) -> None:
    ended.set()
    raise _Interrupted


def _ignore(numbers: Sequence[signal.Signals]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def show(country: Country, out: TextIO) -> None:
    """The address and the personas, in both languages."""
    roles = content.read("roles.yaml")["roles"]
    names = {row["code"]: row["short"] for row in content.read("directory.yaml")["agencies"]}
    rows = [("人物 who", "姓名 name", "統一編號 id", "身分 role")]
    for persona in country.personas():
        seats = [_seat(seat, names, roles) for seat in persona["seats"]] or ["民眾 citizen"]
        rows.append((persona["key"], persona["name"], persona["national_id"], seats[0]))
        rows += [("", "", "", seat) for seat in seats[1:]]
    print(f"\n  {country.url}\n", file=out)
    if country.split:
        print(f"  {country.agency_url}  ({names[country.split]['zh']} {names[country.split]['en']})\n", file=out)
    print(_table(rows), file=out)
    ports = country.ports
    for name, port in (("手機 phones", ports.phone), ("信箱 mailbox", ports.mailbox), ("銀行 bank", ports.bank)):
        print(f"  {name}: http://localhost:{port}", file=out)
    _show_certificates(country, out)
    note = Text("Everybody here is made up.", "以上人物均為虛構。")
    print(f"\n  {note.zh} {note.en}\n", file=out, flush=True)


def _show_certificates(country: Country, out: TextIO) -> None:
    """Where the mobile certificates and the cards of the cast are, or why there are no cards."""
    if not (country.home / "moica" / "ca.pem").exists():
        return
    print(f"  行動自然人憑證 TW FidO: http://localhost:{country.ports.moica}", file=out)
    if means.has_cards(country.home):
        said = f"http://localhost:{country.ports.card}  PIN {DEMO_PIN} ({', '.join(means.WITH_CARD)})"
    else:
        said = "無卡片，未安裝 softhsm2 no cards: softhsm2 is absent (bash scripts/system.sh hsm)"
    print(f"  自然人憑證 cards: {said}", file=out)


def _seat(seat: Mapping[str, str], names: Mapping[str, Any], roles: Mapping[str, Any]) -> str:
    agency, role = names[seat["agency"]], roles[seat["role"]]["title"]
    return f"{agency['zh']}{role['zh']} {agency['en']}: {role['en'].lower()}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  " + "  ".join(cell + " " * (w - _width(cell)) for cell, w in zip(r, widths, strict=True)) for r in rows]
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def bar(out: TextIO) -> Progress:
    """Progress as a bar that redraws itself on a terminal, and as plain lines elsewhere."""

    def draw(step: Text, done: int, total: int) -> None:
        filled = _BAR * done // total
        line = f"  [{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total} {step.zh} {step.en}"
        print(f"\r\033[K{line}", end="\n" if done == total else "", file=out, flush=True)

    def tell(step: Text, done: int, total: int) -> None:
        print(f"  {done}/{total} {step.zh} {step.en}", file=out, flush=True)

    return draw if out.isatty() else tell


def _say(text: Text) -> None:
    sys.stdout.write(f"{text.zh} {text.en}\n")
    sys.stdout.flush()
