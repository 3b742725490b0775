"""`make bench`, or `python -m bench NAME ...` for some of them."""

from __future__ import annotations

import sys
from importlib import import_module

from bench.machine import describe

NAMES = (
    "rules",
    "exchange",
    "ledger",
    "hours",
    "retention",
    "demo",
    "population",
    "sweep",
    "deid",
    "deid_cells",
    "deid_check",
    "openid",
    "identity",
    "signatures",
    "credentials",
)


def main() -> int:
    """Print the machine, then each figure's own lines."""
    names = [word for word in sys.argv[1:] if not word.startswith("--")] or NAMES
    print("\n".join(describe()))
    for name in names:
        print(f"\n== {name}", flush=True)
        import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
