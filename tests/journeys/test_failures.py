"""What breaks, and what people read then: registers and gateways down, a wrong signature, a crash in mid-work.

One country is broken and mended again and again; each test applies as somebody else, so that they run in any order.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest

from smartgov.site.supervise import Country as Running
from tests.journeys import birth, blows
from tests.journeys.people import Country, Person, until
from tests.journeys.wire import Wire

DOWN = "The register does not answer at the moment"


@pytest.fixture(scope="module")
def running(shaken: Running) -> Running:
    """The country that is broken here."""
    return shaken


@pytest.fixture(scope="module")
def country(running: Running) -> Country:
    """Its addresses and people."""
    return Country(running.home, running.ports.web)


def test_a_register_that_is_down_is_named_with_its_facts_and_asked_again(running: Running, country: Country) -> None:
    applicant = asking(country, "nhi-officer")
    with blows.down(running, "register-nhi"):
        page = birth.ask_agencies(applicant)
        assert f"Mother is insured {DOWN}" in page.text, page.text
        assert "Mother's registered address" in page.text  # what others know is there all the same
    again = birth.ask_agencies(applicant)
    assert DOWN not in again.text
    assert "Mother is insured" in again.text


def test_a_gateway_that_is_down_delays_its_part_and_loses_nothing(running: Running, country: Country) -> None:
    mother = asking(country, "mother-premature")
    birth.ask_agencies(mother)
    birth.answer_questions(mother)
    with blows.down(running, "gateway-ris"):
        handed = birth.hand_in(mother).url
        waiting = until(lambda: mother.get(handed), lambda page: "Waiting for the agency to answer" in page.text)
        assert "nothing is lost" in waiting.text
        assert cases_of(running, "ris", handed) == 0
    # The agency has it when its case number shows; "Received" itself may have passed by when we look.
    received = until(lambda: mother.get(handed), lambda page: "RIS-" in page.text)
    assert "Waiting for the agency to answer" not in received.text
    assert cases_of(running, "ris", handed) == 1  # sent several times, opened once


def test_a_case_whose_fact_does_not_come_waits_and_goes_on_by_itself(running: Running, country: Country) -> None:
    mother = asking(country, "sfaa-preparer")
    birth.ask_agencies(mother)
    account = {"bank_account_bank": "004", "bank_account_account": "1234567890123"}
    birth.answer_questions(mother, surname={"surname_from": "mother"}, account=account)
    with blows.down(running, "register-hpa"):
        handed = birth.hand_in(mother).url
        waiting = until(lambda: mother.get(handed), lambda page: "Waiting for a fact from another agency" in page.text)
        happened = waiting.text.split("What happened")[1]
        assert "Health Promotion Administration" in happened  # whom it waits for
        assert "We ask again by ourselves; you need do nothing." in waiting.text
    until(lambda: mother.get(handed), lambda page: "In review" in page.text)


def test_an_answer_with_a_wrong_signature_is_not_shown_and_stops_the_case(running: Running, country: Country) -> None:
    mother = asking(country, "mother-third-child")
    with blows.foreign_message_key(running, "hpa"):
        page = birth.ask_agencies(mother)
        assert "The answer could not be verified, so it is not used." in page.text, page.text
        assert "Not proven" in page.text
        assert "和平示範醫院" not in page.text
    assert "和平示範醫院" in birth.ask_agencies(mother).text
    birth.answer_questions(mother)
    with blows.foreign_message_key(running, "hpa"):
        handed = birth.hand_in(mother).url
        stopped = until(lambda: mother.get(handed), lambda page: "Birth registration Stopped" in page.text)
        assert "Stopped: an answer could not be trusted" in stopped.text
    desk = birth.officer(country, "ris-officer", "Household")
    case = birth.open_case(desk, mother, handed)
    assert "could not be verified" in case.text
    desk.submit(case.form_to("/facts"))
    assert "和平示範醫院" in birth.await_review(desk).text


def test_a_changed_register_shows_its_new_value_in_the_next_preparation(country: Country) -> None:
    applicant = asking(country, "sfaa-officer")
    assert "和平示範醫院" in birth.ask_agencies(applicant).text
    mother = applicant.facts["national_id"]
    changed = blows.change_register(
        country, "hpa", "UPDATE births SET hospital = '東門示範醫院' WHERE mother_id = ?", mother
    )
    assert changed == 1
    after = birth.ask_agencies(applicant).text
    assert "東門示範醫院" in after
    assert "和平示範醫院" not in after


def test_a_gateway_killed_in_mid_work_keeps_what_it_answered_and_refuses_a_replay(
    running: Running, country: Country
) -> None:
    wire, mother = Wire(running.home, sender="ris", receiver="hpa"), country.personas["mother"]["national_id"]
    message = wire.births_of(mother)
    assert wire.send(message)[0] == 200
    answered, cut = hammer(wire, mother, lambda: blows.crash(running, "gateway-hpa"))
    assert cut  # somebody was asking when it fell
    status, refusal = wire.send(message)
    assert (status, refusal["type"]) == (409, "urn:smartgov:problem:replay")
    home = running.home / "gateways" / "hpa"
    records = [json.loads(row) for (row,) in blows.rows(home / "log.sqlite3", "SELECT record FROM ledger_record")]
    assert answered <= {record["id"] for record in records if record["kind"] == "answer"}
    told = blows.verified(home)
    assert told.returncode == 0, told.stdout + told.stderr
    whole = re.search(r"(\d+) records, whole\.", told.stdout)
    assert whole, told.stdout
    assert int(whole[1]) >= len(records)  # the country goes on meanwhile


def asking(country: Country, key: str) -> Person:
    """Somebody with an application in which nothing is asked yet; those without a birth have one notified first."""
    if not key.startswith("mother"):
        blows.notify_birth(country, key)
    person = Person(country, key)
    person.sign_in()
    birth.start(person)
    birth.consent_to_all(person)
    return person


def cases_of(running: Running, agency: str, handed: str) -> int:
    """How many cases an agency has of one application."""
    application = handed.rstrip("/").rsplit("/", 1)[1]
    query = "SELECT COUNT(*) FROM cases_case WHERE agency = ? AND application = ?"
    count: int = blows.web_rows(running, query, agency, application)[0][0]
    return count


def hammer(wire: Wire, mother: str, blow: Callable[[], None]) -> tuple[set[str], int]:
    """Ask one time after the other while `blow` falls: the ids of what was answered, and how often nobody answered."""
    answered: set[str] = set()
    cut, over = 0, threading.Event()

    def ask() -> None:
        nonlocal cut
        while not over.is_set():
            message = wire.births_of(mother)
            try:
                status, _ = wire.send(message)
            except OSError:
                cut += 1
            else:
                assert status == 200
                answered.add(message.head.fields["x-road-id"])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        until(lambda: len(answered), lambda count: count > 3)
        before = len(answered)
        blow()
        until(lambda: len(answered), lambda count: count > before + 1)
    finally:
        over.set()
        thread.join()
    return answered, cut
