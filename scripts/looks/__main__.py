"""Every page in every state that matters, as pictures: at a phone's and a desk's width, in Chinese and in English.

    python scripts/looks [--out DIR] [--port 9600] [--only PART ...]

Raises a country of its own, lives through one birth with all its mishaps (a register down, a supplement, money sent
back, a tampered certificate, a changed log), and takes each page four times. Beside each picture lies what the page
says; `report.txt` lists what axe finds, what is wider than the screen, and words of the other language. Contact sheets
(`sheet-*.png`) show many pages at once. The exit status is the number of pages with a finding (at most 99).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.journeys.browser import chromium  # noqa: E402

from scripts.looks import acting, afterwards, application, arriving, certificates, newcomers, offices  # noqa: E402
from scripts.looks.album import Album  # noqa: E402
from scripts.looks.story import Story  # noqa: E402
from smartgov.site.country import raise_country  # noqa: E402
from smartgov.site.country.ports import Ports  # noqa: E402
from smartgov.site.supervise import Country as Running  # noqa: E402

SIZE = 4000
PARTS: tuple[Callable[[Story], None], ...] = (
    arriving.public_pages,
    arriving.nothing_yet,
    arriving.signing_in,
    application.applying_page_by_page,
    application.handing_in,
    offices.officers_case,
    offices.money,
    certificates.wallets,  # before the certificate is revoked
    afterwards.afterwards,
    afterwards.trail,
    offices.offices,
    certificates.signing_desk,
    certificates.citizen_certificates,
    certificates.state_papers,
    newcomers.newcomers,
    acting.acting_for_others,
)


def main() -> int:
    """Tell the story and say what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "looks")
    parser.add_argument("--port", type=int, default=9600, help="first of 60 ports of the country")
    parser.add_argument("--only", nargs="*", help="only these parts (each needs what the ones before it did)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smartgov-looks-") as folder, chromium() as browser:
        home = Path(folder) / "country"
        raise_country(home, ports=Ports(options.port), size=SIZE)
        with Running(home, port=options.port) as running:
            album = Album(options.out, running.url)
            story = Story(running, browser, album)
            for part in PARTS:
                if options.only and part.__name__ not in options.only:
                    continue
                try:
                    part(story)
                except Exception:
                    album.note(part.__name__, "did not end", traceback.format_exc(limit=6))
            album.bind(browser)
    return min(album.findings, 99)


if __name__ == "__main__":
    raise SystemExit(main())
