"""The birth journey, step by step, as people without JavaScript take it. Also driven by `bench/demo.py`."""

from __future__ import annotations

from dataclasses import dataclass

from tests.journeys.people import Country, Person, until
from tests.journeys.plain_browser import Page

ANSWERS: dict[str, dict[str, str]] = {
    "child": {"birth_confirmed": "yes"},
    "surname": {"surname_from": "father"},
    "name": {"given_name": "小安"},
    "household": {"household_of": "mother"},
    "contact": {"contact_email": "mother@mail.example", "contact_phone": "0912345678"},
}


@dataclass
class Handed:
    """An application that was handed in."""

    mother: Person
    url: str
    facts: str
    """What the page with the fetched facts said."""


def start(mother: Person) -> Page:
    """From the wall into the application (or back into it)."""
    page = until(lambda: mother.get("/"), lambda page: any("/services/start" in form.action for form in page.forms))
    return mother.submit(page.form_to("/services/start"))


def consent_to_all(mother: Person) -> Page:
    """Choose all parts, then say yes to every agency."""
    page = mother.page
    mother.submit(page.form_with("parts"))
    form = mother.page.form_with("accept")
    return mother.submit(form, accept=form.choices["accept"])


def ask_agencies(mother: Person) -> Page:
    """Have each agency look up what it may."""
    return mother.submit(next(form for form in mother.page.forms if "Ask" in str(form.buttons)))


def answer_questions(mother: Person, **changed: dict[str, str]) -> Page:
    """Answer what no agency knows; ends on the page that shows all answers. The account is taken over as found."""
    page = mother.get(mother.page.link("/pages/child"))
    answers = {**ANSWERS, **changed}
    while "/pages/" in page.url:
        name = page.url.rsplit("/", 1)[1].split("?")[0]
        form = page.form_with("version")
        page = mother.submit(form, **answers.get(name, {}))
    return page


def hand_in(mother: Person) -> Page:
    """Declare and send."""
    return mother.submit(mother.page.form_with("declaration"), declaration="yes")


def apply(mother: Person, **changed: dict[str, str]) -> Handed:
    """From the wall to the receipt."""
    start(mother)
    consent_to_all(mother)
    facts = ask_agencies(mother).text
    answer_questions(mother, **changed)
    page = hand_in(mother)
    assert "handed in" in page.text, page.text
    return Handed(mother, page.url, facts)


def officer(country: Country, key: str, agency: str, origin: str | None = None) -> Person:
    """A case officer in her seat."""
    person = Person(country, key, origin=origin)
    person.sign_in()
    person.take_seat(agency, "ase officer")
    return person


def open_case(desk: Person, applicant: Person, url: str) -> Page:
    """The registration case whose number the applicant reads on the timeline at `url`."""
    timeline = until(lambda: applicant.get(url), lambda page: "RIS-" in page.text)
    number = next(word for word in timeline.text.split() if word.startswith("RIS-"))
    return desk.get(desk.get(f"/cases/?show=all&text={number}").link("/cases/0"))


def await_review(desk: Person) -> Page:
    """The case at hand, once its facts are there and it can be decided."""
    case = desk.page.url
    return until(lambda: desk.get(case), lambda page: any("decision" in form.choices for form in page.forms))


def approve(person: Person) -> Page:
    """Approve the case at hand, citing the first legal basis."""
    form = person.page.form_with("decision")
    return person.submit(form, decision="approve", cited=form.choices["cited"][0], reason="The facts agree.")


def pay(country: Country, preparer: str, releaser: str, agency: str) -> Page:
    """One person prepares a batch, another releases it; ends when the bank's result is applied."""
    first = Person(country, preparer)
    first.sign_in()
    first.take_seat(agency, "preparer")
    page = until(lambda: first.get("/payments/"), lambda page: "batches/new" in str(page.forms))
    batch = first.submit(page.form_to("batches/new")).url
    second = Person(country, releaser)
    second.sign_in()
    second.take_seat(agency, "releaser")
    second.submit(second.get(batch).form_to("release"))
    return until(lambda: second.get(batch), lambda page: "Result applied" in page.text)


def whole_journey(country: Country) -> Handed:
    """A birth, told once: applied for, registered, insured, allowed, paid, certified."""
    mother = Person(country, "mother")
    mother.sign_in()
    handed = apply(mother)
    desk = officer(country, "ris-officer", "Household")
    open_case(desk, mother, handed.url)
    await_review(desk)
    approve(desk)
    until(lambda: mother.get(handed.url), lambda page: page.text.count("Approved Nothing more to do") == 4)
    pay(country, "sfaa-preparer", "sfaa-releaser", "Social")
    until(lambda: mother.get(handed.url), lambda page: "/services/certificates/" in str(page.links))
    return handed
