"""A red button says first what will happen: in a fold, beside the reason that it asks for, or on a page that asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import smartgov

BLOCKS = Path(smartgov.__file__).parent / "blocks"
BUTTON = re.compile(r'\{% button (?:(?!%\}).)*kind="danger"(?:(?!%\}).)*%\}')
ASKED = re.compile(r'\{% field "reason"|name="reason"')
AT_ONCE = {
    "account.html": "somebody takes the account over: the notice says so, and every second counts",
    "recover_stop.html": "the same, on the page to which the warning leads",
}


def buttons() -> Iterator[tuple[str, str, int]]:
    for path in sorted(BLOCKS.rglob("templates/**/*.html")):
        text = path.read_text(encoding="utf-8")
        for found in BUTTON.finditer(text):
            if "href=" not in found.group():
                yield path.name, text, found.start()


def warns(text: str, at: int) -> bool:
    before = text[:at]
    form = before[max(before.rfind("<form"), 0) :]
    folded = before.count("<details") > before.count("</details>")
    asks_first = re.search(r"<h1>.*\?", text) is not None
    return folded or asks_first or ASKED.search(form) is not None


@pytest.mark.parametrize(("name", "text", "at"), [pytest.param(*one, id=f"{one[0]}-{one[2]}") for one in buttons()])
def test_a_red_button_says_first_what_will_happen(name: str, text: str, at: int) -> None:
    if name not in AT_ONCE or "It was not me" not in text[max(0, at - 120) : at + 120]:
        assert warns(text, at), f"{name}: put it into <details> with a sentence, or on a page that asks"


def test_the_check_sees_a_bare_button() -> None:
    bare = '<h1>Batch</h1><form method="post">{% csrf_token %}{% button _("Dissolve") kind="danger" %}</form>'
    found = BUTTON.search(bare)
    assert found is not None
    assert not warns(bare, found.start())
