"""Run the wallet: `python -m smartgov.simulators.wallet --home DIR --port 8022`."""

from __future__ import annotations

import argparse

from smartgov.simulators import program
from smartgov.simulators.wallet.app import WalletApp
from smartgov.simulators.wallet.home import Home


def main(arguments: list[str] | None = None) -> None:
    """Serve the wallet until a signal comes."""
    parser = argparse.ArgumentParser(prog="wallet", description="Plays people's wallets: OpenID4VCI and OpenID4VP")
    options = program.options(parser, arguments, port=8022)
    program.run("wallet", lambda port: WalletApp(Home(options.home), port), options.port)


if __name__ == "__main__":
    main()
