"""The pages of offices and the public ones, each looked over at three widths and in both languages."""

from __future__ import annotations

import pytest

from tests.journeys.browser import JourneyBrowser, installed
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]
# Who, in which seat, at which width, opens which pages.
OFFICES = {
    "preparer": ("sfaa-preparer", "撥款經辦", "desk", ("/payments/",)),
    "releaser": ("sfaa-releaser", "撥款核准", "tablet", ("/payments/", "/payments/results")),
    "officer": ("nhi-officer", "承辦", "phone", ("/cases/", "/cases/?show=all")),
    "certificates": ("ris-officer", "證書", "desk", ("/credentials/",)),
    "registrar": ("registrar", "出生通報", "tablet", ("/cases/births/", "/cases/births/new")),
    "auditor": ("auditor", "戶政司", "desk", ("/audit/",)),
    "operator": ("operator", "維運", "desk", ("/exchange/", "/exchange/rights", "/ops/", "/identity/parties")),
    "integrator": ("nhi-officer", "介接", "tablet", ("/identity/parties", "/identity/parties/new")),
}
PUBLIC = ("/", "/services/", "/services/birth/", "/directory/", "/credentials/check", "/identity/sign-in", "/nowhere")


@pytest.mark.parametrize("office", OFFICES)
def test_an_office_is_for_everybody(browser: JourneyBrowser, country: Country, office: str) -> None:
    persona, seat, width, paths = OFFICES[office]
    visitor = Visitor(browser, country, persona, width=width)
    visitor.sign_in(seat=seat)
    for path in paths:
        visitor.go(path)
        visitor.look()


@pytest.mark.parametrize("width", ["phone", "tablet", "desk"])
def test_public_pages_are_for_everybody(browser: JourneyBrowser, country: Country, width: str) -> None:
    visitor = Visitor(browser, country, "father", width=width)
    for path in PUBLIC:
        visitor.go(path)
        visitor.look()
