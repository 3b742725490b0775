"""Run the phone, or give a person one: `python -m smartgov.simulators.phone [enrol] --home DIR ...`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from smartgov.simulators import program
from smartgov.simulators.phone import home as phones
from smartgov.simulators.phone.app import PhoneApp


def main(arguments: list[str] | None = None) -> None:
    """Dispatch to `enrol` or to the server."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["enrol"]:
        _enrol(given[1:])
        return
    parser = argparse.ArgumentParser(prog="phone", description="Plays the mobile-identity app")
    options = program.options(parser, given, port=8024)
    program.run("phone", lambda port: PhoneApp(options.home, f"http://localhost:{port}"), options.port)


def _enrol(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="phone enrol", description="Give a person a phone with a key")
    parser.add_argument("--home", type=Path, required=True, help="the phones' folder")
    parser.add_argument("--id", required=True, help="a made-up word for the person, for example mother")
    parser.add_argument("--name", required=True, help="the name that the phone shows")
    options = parser.parse_args(arguments)
    persona = phones.enrol(options.home, persona=options.id, name=options.name)
    card = {**asdict(persona), "csr": phones.signing_request(options.home, persona)}
    sys.stdout.write(json.dumps(card, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
