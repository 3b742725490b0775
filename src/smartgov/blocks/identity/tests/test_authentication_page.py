"""docs/security/authentication.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from smartgov.blocks.identity import domain, throttle
from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.openid.service import MEANS
from smartgov.blocks.identity.people import live, passwords, policy, recovery
from smartgov.shared.settings import DECLARED

PAGE = (Path(__file__).parents[5] / "docs/security/authentication.md").read_text()


def rows() -> dict[str, list[str]]:
    """The rows of the page's tables by their first cell."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")
    ]
    return {row[0]: row[1:] for row in cells}


def test_the_page_says_the_ways() -> None:
    found = {name.strip("`"): row for name, row in rows().items() if name.startswith("`")}
    assert set(found) == set(MEANS)
    for name, (_, resistant) in MEANS.items():
        assert found[name][-1] == ("yes" if resistant else "no"), name
    hours = next(setting.default for setting in DECLARED if setting.name == "SMARTGOV_RECOVERY_HOURS")
    assert f"for {hours} hours" in PAGE
    assert f"{int(hours) // recovery.WITH_CODE} with a recovery code" in PAGE


def test_the_page_says_the_limits() -> None:
    said = {name: row[0] for name, row in rows().items()}
    minutes = int(throttle.WINDOW.total_seconds() // 60)
    assert said["password tries for a person, from browsers that they do not trust"] == str(passwords.LIMIT)
    assert said["failures without a success, by strangers"] == str(passwords.ENOUGH)
    assert f"{throttle.LIMIT} in {minutes} minutes" in said.values()
    assert f"{throttle.ADDRESS_LIMIT} in {minutes} minutes" in said.values()
    assert f"{recovery.BEGUN_A_DAY} a day" in said.values()
    assert said["passkeys"] == "none"


def test_the_page_says_the_words() -> None:
    for word in policy.CONTEXT_WORDS:
        assert word in PAGE, word
    assert policy.LEAST_OF_ONES_OWN == 8


def test_the_page_says_how_sessions_end() -> None:
    rest, whole = domain.IDLE_LIMIT.total_seconds() / 60, domain.SESSION_LIMIT.total_seconds() / 3600
    assert f"after {rest:.0f} minutes of rest or {whole:.0f} hours" in PAGE
    assert f"at most {live.MOST} sessions" in PAGE
    assert f"{domain.FRESH.total_seconds() / 60:.0f} minutes for everything on the account page" in PAGE
    assert logouts.GIVE_UP.days == 1
    assert "tried again for a day" in PAGE
