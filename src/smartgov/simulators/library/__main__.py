"""Run the library: `python -m smartgov.simulators.library --home DIR --port 8029`.

With an empty folder it is the program of a newcomer: it makes its key, and its page says what to register where.
"""

from __future__ import annotations

import argparse

from smartgov.shared.text import Text
from smartgov.simulators import program
from smartgov.simulators.library.app import TITLE
from smartgov.simulators.library.newcomer import Newcomer


def main(arguments: list[str] | None = None) -> None:
    """Serve the library until a signal comes."""
    parser = argparse.ArgumentParser(prog="library", description="A relying party: readers sign in by the platform")
    parser.add_argument("--name", default=TITLE.en, help="what the service calls itself, in English")
    parser.add_argument("--name-zh", default=TITLE.zh, help="the same in Chinese")
    options = program.options(parser, arguments, port=8029)
    title = Text(options.name, options.name_zh)
    program.run("library", lambda port: Newcomer(options.home, port, title), options.port)


if __name__ == "__main__":
    main()
