"""Acting for another: a proxy who applies for a mother, and a mother who acts for her child; the officer's desk."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.journeys import applying, representing, signing

from scripts.looks.story import Story


def acting_for_others(story: Story) -> None:
    """Every page says for whom; the officer reads by which mandate."""
    look, country = story.album.take, story.country
    mother, father = story.visitor("mother-premature"), story.visitor("father")
    mother.sign_in()
    representing.gives_a_proxy(mother, father.facts, look)
    mother.go("/mandates/")
    look(mother.page, "mandates-given")
    mother.page.context.close()
    father.sign_in()
    represented = country.personas["mother-premature"]["name"]
    representing.accepts_and_acts(father, represented, look)
    applying.start(father)
    look(father.page, "acting-apply")
    applying.fill_in(father, until=applying.LAST)
    look(father.page, "acting-check")
    applying.hand_in(father)
    look(father.page, "acting-timeline")
    number = father.number_of("registration")
    for name, path in {"acting-wall": "/", "acting-closed": "/identity/account"}.items():
        father.go(path)
        look(father.page, name)
    father.page.context.close()
    with story.seated("ris-officer", "承辦") as desk:
        desk.go("/cases/?show=all")
        row = desk.page.locator("tr", has_text=number)
        desk.wait_for(row)
        look(desk.page, "work-list-on-behalf")
        desk.press(row.locator("a"))
        look(desk.page, "case-on-behalf")
    _for_a_child(story)


def _for_a_child(story: Story) -> None:
    look, mother = story.album.take, story.visitor("mother-third-child")
    mother.sign_in()
    signing.certificate(mother, lambda _page, _name: None)  # in her own name, before she acts in the child's
    child = representing.draws(mother, look)[0]
    representing.acts_for(mother, child)
    for name, path in {"wall": "/", "trail": "/mydata/", "desk": "/signing/", "mandates": "/mandates/"}.items():
        mother.go(path)
        look(mother.page, f"acting-child-{name}")
    with tempfile.TemporaryDirectory() as folder:
        signing.lay(mother, signing.paper(Path(folder)), lambda page, name: look(page, f"acting-child-{name}"))
    mother.page.context.close()
