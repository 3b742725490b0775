"""A father applies as the mother's proxy and a mother acts for her child: who sees it, on what it rests, when it ends.

The registers and gateways are real processes; a child's birthday is moved in the register, as its clerk could.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from smartgov.shared import clock
from smartgov.site.supervise import Country as Running
from tests.journeys import applying
from tests.journeys.blows import change_register, down
from tests.journeys.browser import JourneyBrowser, installed
from tests.journeys.conftest import raised
from tests.journeys.people import Country
from tests.journeys.representing import accepts_and_acts, acts_for, draws, gives_a_proxy, leaves
from tests.journeys.visiting import PATIENCE, Visitor, open_case

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]


@pytest.fixture(scope="module")
def family() -> Iterator[tuple[Running, Country]]:
    """A small country of its own: its registers are written into."""
    for running in raised(size=4000):
        yield running, Country(running.home, running.ports.web)


def test_a_father_applies_as_the_mothers_proxy(browser: JourneyBrowser, family: tuple[Running, Country]) -> None:
    _, country = family
    mother, father = Visitor(browser, country, "mother"), Visitor(browser, country, "father")
    mother.sign_in()
    gives_a_proxy(mother, father.facts)
    father.sign_in()
    accepts_and_acts(father, mother.facts["name"])
    applying.start(father)
    applying.fill_in(father, until=applying.LAST)
    timeline = applying.hand_in(father)
    father.see(f"{father.facts['name']}（申辦代理人）代為送出申請")
    father.look()
    the_officer_sees_it(browser, country, father, father.number_of("registration"))
    mother.go(timeline)
    mother.see("代為送出申請")
    for somebody in (mother, leaves(father)):
        somebody.go("/mydata/")
        somebody.see("出生登記")  # the officer opened the case; both are told, each of the own part


def the_officer_sees_it(browser: JourneyBrowser, country: Country, father: Visitor, number: str) -> None:
    """The case names the representative and the evidence."""
    officer = Visitor(browser, country, "ris-officer", width="desk")
    officer.sign_in(seat="承辦")
    open_case(officer, number)
    for words in (father.facts["name"], "申辦代理人", "本人已以通行密鑰核可委任內容"):
        officer.see(words)
    officer.look()
    officer.page.context.close()


def test_a_mother_acts_for_her_child_while_the_register_says_so(
    browser: JourneyBrowser, family: tuple[Running, Country]
) -> None:
    running, country = family
    mother = Visitor(browser, country, "mother-third-child")
    mother.sign_in()
    children = draws(mother)
    child = children[0]
    acts_for(mother, child)
    mother.go("/mydata/")
    mother.see("戶政")  # the household register was asked about the child, and the child's trail says so
    mother.look()
    mother.page.locator("form[action$='/leave'] button").first.click()
    with down(running, "register-ris"):
        mother.go("/mandates/")
        mother.press(mother.page.locator("article", has_text=child).locator("form[action$='/act'] button"))
        mother.see("負責證明的登記機關系統沒有回應")
        browser.watched.console_errors[:] = [said for said in browser.watched.console_errors if "503" not in said]
        mother.look(both=False)
    turns_fourteen(country, child, mother.facts["national_id"])
    mother.go("/mandates/")
    mother.press(mother.page.locator("article", has_text=child).locator("form[action$='/act'] button"))
    assert mother.page.locator("form[action$='/leave']").count() == 0
    mother.go("/mandates/")
    mother.page.locator("article", has_text=child).get_by_text("已終止").wait_for(timeout=PATIENCE)


def turns_fourteen(country: Country, child: str, mother: str) -> None:
    """The register's clerk corrects the birthday: it is today, fourteen years ago."""
    today = clock.today()
    born = date(today.year - 14, today.month, min(today.day, 28))
    changed = change_register(
        country,
        "ris",
        "UPDATE people SET birth_date = ? WHERE name = ? AND mother_id = ?",
        born.isoformat(),
        child,
        mother,
    )
    assert changed == 1
