"""Run the bank: `python -m smartgov.simulators.bank --home DIR --port 8026`."""

from __future__ import annotations

import argparse
from datetime import timedelta

from smartgov.simulators import program
from smartgov.simulators.bank.app import BankApp, payer_secret
from smartgov.simulators.bank.books import Books


def main(arguments: list[str] | None = None) -> None:
    """Serve the bank until a signal comes."""
    parser = argparse.ArgumentParser(prog="bank", description="Takes payment batches and gives result files")
    parser.add_argument("--unsigned", action="store_true", help="take batches without a signature")
    parser.add_argument("--settle-after", type=int, default=0, help="seconds until a result is ready")
    options = program.options(parser, arguments, port=8026)
    books = Books(options.home, timedelta(seconds=options.settle_after))
    secret = None if options.unsigned else payer_secret(options.home)
    program.run("bank", lambda _: BankApp(books, secret), options.port)


if __name__ == "__main__":
    main()
