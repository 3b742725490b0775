"""Run the library: `python -m smartgov.simulators.library --home DIR --port 8029`."""

from __future__ import annotations

import argparse

from smartgov.simulators import program
from smartgov.simulators.library.app import LibraryApp
from smartgov.simulators.library.home import relying_party


def main(arguments: list[str] | None = None) -> None:
    """Serve the library until a signal comes."""
    parser = argparse.ArgumentParser(prog="library", description="A relying party: readers sign in by the platform")
    options = program.options(parser, arguments, port=8029)
    program.run("library", lambda port: LibraryApp(relying_party(options.home), port), options.port)


if __name__ == "__main__":
    main()
