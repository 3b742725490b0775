"""Run it, or give somebody a mobile certificate: `python -m smartgov.simulators.moica [enrol] --home DIR ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from smartgov.simulators import program
from smartgov.simulators.moica import home as ministry
from smartgov.simulators.moica.app import MinistryApp


def main(arguments: list[str] | None = None) -> None:
    """Dispatch to `enrol` or to the server."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["enrol"]:
        _enrol(given[1:])
        return
    parser = argparse.ArgumentParser(prog="moica", description="Plays the Ministry's authority and TW FidO")
    options = program.options(parser, given, port=8021)
    program.run("moica", lambda port: MinistryApp(options.home, f"http://localhost:{port}"), options.port)


def _enrol(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="moica enrol", description="Give a made-up person a mobile certificate")
    parser.add_argument("--home", type=Path, required=True, help="the Ministry's folder")
    parser.add_argument("--id", required=True, help="a made-up word for the person, for example mother")
    parser.add_argument("--name", required=True, help="the name in the certificate")
    parser.add_argument("--national-id", required=True, help="a made-up person's national id")
    options = parser.parse_args(arguments)
    ministry.create(options.home)
    ministry.enrol_phone(options.home, persona=options.id, name=options.name, national_id=options.national_id)


if __name__ == "__main__":
    main()
