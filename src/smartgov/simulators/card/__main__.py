"""Run the helper, make a demo card, or let a site ask: `python -m smartgov.simulators.card [make|allow] --home DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from smartgov.engines.pki import certificates
from smartgov.simulators import program
from smartgov.simulators.card import home as homes
from smartgov.simulators.card.app import HelperApp
from smartgov.simulators.moica import home as ministry


def main(arguments: list[str] | None = None) -> None:
    """Dispatch to `make`, `allow`, or the server."""
    given = sys.argv[1:] if arguments is None else arguments
    verbs = {"make": _make, "allow": _allow}
    if given and given[0] in verbs:
        verbs[given[0]](given[1:])
        return
    parser = argparse.ArgumentParser(prog="card", description="Lets a site's page ask this machine's card")
    parser.add_argument("--module", default="", help="the card's PKCS#11 library; without it the demo's software cards")
    options = program.options(parser, given, port=8020)
    app = HelperApp(options.home, homes.reader(options.home, options.module))
    program.run("card", lambda _: app, options.port)


def _make(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="card make", description="Make software cards of made-up persons")
    parser.add_argument("--home", type=Path, required=True, help="the helper's folder")
    parser.add_argument("--moica", type=Path, required=True, help="the Ministry's folder, which certifies the key")
    parser.add_argument("--person", nargs=3, action="append", required=True, metavar=("ID", "NAME", "NATIONAL_ID"))
    options = parser.parse_args(arguments)
    ministry.create(options.moica)
    for persona, name, national_id in options.person:

        def issue(public: object, persona: str = persona, name: str = name, number: str = national_id) -> bytes:
            made = ministry.issue(
                options.moica,
                public,  # type: ignore[arg-type]
                persona=persona,
                name=name,
                national_id=number,
                kind="card",
            )
            return certificates.der(made)

        homes.make_card(options.home, persona, issue)


def _allow(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="card allow", description="Let a site ask this machine's card")
    parser.add_argument("--home", type=Path, required=True, help="the helper's folder")
    parser.add_argument("--site", required=True, help="its origin, for example https://www.gov.example")
    options = parser.parse_args(arguments)
    homes.allow(options.home, options.site)


if __name__ == "__main__":
    main()
