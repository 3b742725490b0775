"""J1, J4 and J5 without JavaScript: one birth is told once; four agencies follow; every look leaves a proven trace."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request

from smartgov.site.supervise import Country as Running
from tests.journeys import birth
from tests.journeys.people import Country, Person, until
from tests.journeys.plain_browser import Page


def test_her_wall_knew_before_she_said_anything(handed: birth.Handed) -> None:
    events = handed.mother.get("/").text
    assert "A child was born" in events


def test_facts_stood_beside_source_and_time_and_no_paper_was_needed(handed: birth.Handed) -> None:
    assert "10 papers you did not have to bring" in handed.facts
    assert "和平示範醫院" in handed.facts
    assert "Health Promotion Administration" in handed.facts
    assert "Elder children of the mother 1" in handed.facts


def test_each_part_was_decided_by_its_own_agency(handed: birth.Handed) -> None:
    text = handed.mother.get(handed.url).text
    for number in ("RIS-", "NHI-", "SFAA-", "BLI-"):
        assert number in text
    assert "Household Registration Act Article 48" in text
    assert "NT$6,000 a month" in text  # the second child's allowance
    until(lambda: handed.mother.get(handed.url), lambda page: "The money is in your account" in page.text)


def test_the_registers_were_written(handed: birth.Handed, country: Country) -> None:
    rows = _rows(country, "ris", "SELECT name, mother_id, household_id FROM people WHERE name LIKE '%小安'")
    assert [row[1] for row in rows] == [handed.mother.facts["national_id"]]
    child = _rows(country, "ris", "SELECT national_id FROM people WHERE name LIKE '%小安'")[0][0]
    assert _rows(country, "nhi", "SELECT COUNT(*) FROM insured WHERE national_id = ?", child) == [(1,)]
    allowed = _rows(country, "sfaa", "SELECT monthly_amount FROM allowances WHERE child_id = ?", child)
    assert allowed == [(6000,)]


def test_mail_arrived_and_says_nothing_personal_in_its_subject(handed: birth.Handed, country: Country) -> None:
    mine = until(lambda: _mail_to(country, handed.mother.facts["email"]), lambda found: len(found) >= 3)
    for message in mine:
        assert handed.mother.facts["name"] not in message["subject"]
        assert handed.mother.facts["national_id"] not in json.dumps(message)


def test_the_certificate_verifies_and_a_tampered_one_does_not(handed: birth.Handed, country: Country) -> None:
    mother = handed.mother
    page = mother.get(handed.url)
    document = mother.get(page.link("/services/certificates/"))
    assert document.headers["content-type"] == "application/pdf"
    assert document.body.startswith(b"%PDF-")
    stranger = Person(country, "father")
    assert "Genuine" in _checked(stranger, document.body)
    middle = len(document.body) // 2
    altered = document.body[:middle] + bytes([document.body[middle] ^ 1]) + document.body[middle + 1 :]
    assert "Do not rely on this file" in _checked(stranger, altered)


def test_another_citizen_gets_404(handed: birth.Handed, country: Country) -> None:
    other = Person(country, "mother-third-child")
    other.sign_in()
    assert other.get(handed.url).status == 404
    certificate = handed.mother.get(handed.url).link("/services/certificates/")
    assert other.get(certificate).status == 404


def test_another_agencys_officer_gets_404(handed: birth.Handed, country: Country) -> None:
    desk = birth.officer(country, "ris-officer", "Household")
    listed = desk.get("/cases/?show=all")
    case = listed.link("/cases/0")
    other = birth.officer(country, "nhi-officer", "National Health Insurance")
    assert other.get(case).status == 404


def test_who_looked_is_proven_and_names_the_officers_look(handed: birth.Handed) -> None:
    # A look of this moment is still on its way into the log, and is proven when it is there.
    first = until(lambda: handed.mother.get("/mydata/"), _all_is_proven)
    everything = first.text + "".join(handed.mother.get(f"/mydata/?page={page}").text for page in (2, 3, 4))
    assert "Case officer" in everything
    assert "Household Registration Act" in everything


def _all_is_proven(page: Page) -> bool:
    found = re.search(r"(\d+) of (\d+) listed entries proven", page.text)
    assert found, page.text[:1500]
    return int(found[1]) == int(found[2]) > 0


def test_her_number_lies_in_registers_only_and_her_name_in_no_log(handed: birth.Handed, country: Country) -> None:
    number, name = (handed.mother.facts[key].encode() for key in ("national_id", "name"))
    # What the country was raised from, what the registers own, what outside programs and cards hold of their own.
    outside = ("phone", "bank", "wallet", "moica", "card")
    own = ("registers", *outside, "births.json", "personas.json", "personas.public.json")
    looked = 0
    for file in country.home.rglob("*"):
        if file.is_file() and file.relative_to(country.home).parts[0] not in own:
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                continue  # a file of the moment: the country goes on meanwhile
            looked += 1
            assert number not in content, file
            assert name not in content or file.parent.name in {"messages", "authority"}, file
    assert looked > 50


def _mail_to(country: Country, address: str) -> list[dict[str, str]]:
    with urllib.request.urlopen(f"{country.mailbox}/messages.json?limit=1000", timeout=60) as answer:
        return [message for message in json.load(answer) if address in json.dumps(message)]


def _checked(person: Person, document: bytes) -> str:
    form = next(form for form in person.get("/credentials/check").forms if form.files)
    return person.browser.upload(form, form.files[0], "certificate.pdf", document).text


def _rows(country: Country, agency: str, query: str, *values: str) -> list[tuple[object, ...]]:
    file = next((country.home / "registers" / agency).glob("*.sqlite3"))
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return connection.execute(query, values).fetchall()


def test_an_edited_log_turns_the_mark_red(own_running: Running, own_country: Country) -> None:
    mother = Person(own_country, "mother")
    mother.sign_in()
    birth.start(mother)
    birth.consent_to_all(mother)
    birth.ask_agencies(mother)
    before = mother.get("/mydata/").text
    assert "listed entries proven" in before
    own_running.kill("gateway-hpa")
    assert _edit_log(own_country) > 0  # the blow struck
    silent = mother.get("/mydata/").text
    assert "Health Promotion Administration" in silent
    assert "did not answer" in silent
    own_running.restart("gateway-hpa")
    after = mother.get("/mydata/").text
    assert "proof failed" in after.lower() or "could not be proven" in after.lower(), after[:1500]


def _edit_log(country: Country) -> int:
    """Change recorded entries, as the owner of a gateway could; how many."""
    with sqlite3.connect(country.home / "gateways" / "hpa" / "log.sqlite3") as connection:
        edited = connection.execute(
            "UPDATE ledger_record SET record = CAST(replace(CAST(record AS TEXT), 'births', 'b1rths') AS BLOB)"
            " WHERE instr(CAST(record AS TEXT), 'births') > 0"
        )
        return edited.rowcount
