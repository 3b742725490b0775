"""Money that does not arrive, files that must not be believed, a certificate that no longer holds.

One birth is granted, to be paid into an account that the bank knows as closed. Its allowance (社家署) and its maternity
benefit (勞保局) are two payments of two agencies, so the tests do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from smartgov.blocks.payments.domain import ResultFile, parse_result, write_result
from smartgov.simulators.bank.books import Books
from smartgov.site.supervise import Country as Running
from tests.journeys import birth, blows
from tests.journeys.people import Country, Person, until
from tests.journeys.plain_browser import Page

CLOSED, OPEN = "1234567890000", "1234567890123"
REFUSED = "The bank's result file was refused; nothing of it was applied."


@pytest.fixture(scope="module")
def running(shaken: Running) -> Running:
    """The country that is broken here."""
    return shaken


@pytest.fixture(scope="module")
def country(running: Running) -> Country:
    """Its addresses and people."""
    return Country(running.home, running.ports.web)


@pytest.fixture(scope="module")
def granted(country: Country) -> birth.Handed:
    """An application whose four parts are granted, to be paid into a closed account."""
    mother = Person(country, "mother")
    mother.sign_in()
    handed = birth.apply(mother, account={"bank_account_bank": "004", "bank_account_account": CLOSED})
    desk = birth.officer(country, "ris-officer", "Household")
    birth.open_case(desk, mother, handed.url)
    birth.await_review(desk)
    birth.approve(desk)
    until(lambda: mother.get(handed.url), lambda page: page.text.count("Approved Nothing more to do") == 4)
    return handed


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a preparer's attempt, from her other seat, to release her own batch."""

    batch: str
    answer: Page
    after: Page


@pytest.fixture(scope="module")
def attempt(granted: birth.Handed, country: Country) -> Attempt:
    """A batch of the allowance, still waiting for a second person."""
    person = seated(country, "sfaa-preparer", "Social", "preparer")
    batch = prepared(person)
    person.take_seat("Social", "releaser")
    answer = released(person, batch)
    return Attempt(batch, answer, person.get(batch))


def test_a_preparer_cannot_release_her_own_batch_from_her_other_seat(attempt: Attempt) -> None:
    assert attempt.answer.status == 403
    assert "Another person must release this batch." in attempt.answer.text
    assert "Waiting for a second person" in attempt.after.text


def test_a_payment_that_the_bank_sends_back_is_corrected_and_paid_once(
    granted: birth.Handed, country: Country, running: Running
) -> None:
    officer, releaser = (
        seated(country, "bli-officer", "Labor", "preparer"),
        seated(country, "bli-releaser", "Labor", "releaser"),
    )
    batch = prepared(officer)
    released(releaser, batch)
    settled = until(lambda: officer.get(batch), lambda page: "Result applied" in page.text)
    assert "The account is closed." in settled.text
    until(lambda: granted.mother.get(granted.url), lambda page: "The bank sent the payment back" in page.text)
    officer.take_seat("Labor", "ase officer")
    until(lambda: officer.get("/cases/"), lambda page: "The bank sent the payment back" in page.text)
    officer.take_seat("Labor", "preparer")
    failed = officer.get(officer.get("/payments/").link("/payments/instructions/"))
    officer.submit(failed.form_with("to_account"), to_bank="004", to_account=OPEN)
    second = prepared(officer)
    released(releaser, second)
    until(lambda: officer.get(second), lambda page: "Result applied" in page.text)
    until(lambda: granted.mother.get(granted.url), lambda page: "The money is in your account" in page.text)
    booked = "SELECT account, reason FROM payments JOIN batches ON batches.id = batch WHERE agency = 'bli'"
    assert sorted(blows.rows(running.home / "bank" / "bank.sqlite3", booked)) == [
        (CLOSED, "account-closed"),
        (OPEN, ""),
    ]
    stale = replace(failed.form_with("to_account"), action=failed.url)
    again = officer.submit(stale, to_bank="004", to_account=OPEN)
    assert again.status == 409  # the payment that failed is replaced once
    assert "batches/new" not in str(officer.get("/payments/").forms)


def unknown_reference(result: ResultFile) -> bytes:
    """The file speaks of a payment that was never sent."""
    return rewritten(result, reference="ZZZZZZZZZZ")


def wrong_amount(result: ResultFile) -> bytes:
    """The file has one dollar more than was sent."""
    return rewritten(result, amount=result.outcomes[0].amount + 1)


def cut_short(result: ResultFile) -> bytes:
    """The file ends before its last line."""
    whole = rewritten(result)
    return whole[: whole.rindex(b"\nT|") + 1]


def test_bad_result_files_are_refused_whole_and_the_true_one_is_applied_once(
    attempt: Attempt, granted: birth.Handed, country: Country, running: Running
) -> None:
    officer = seated(country, "sfaa-preparer", "Social", "preparer")
    with blows.slow_bank(running):
        released(seated(country, "sfaa-releaser", "Social", "releaser"), attempt.batch)
        until(lambda: officer.get(attempt.batch), lambda page: "At the bank" in page.text)
        true = Books(running.home / "bank").result(attempt.batch.rstrip("/").rsplit("/", 1)[1])
        expected: list[tuple[Callable[[ResultFile], bytes], str]] = [
            (unknown_reference, "These references were never sent: ZZZZZZZZZZ."),
            (wrong_amount, "is not the one that was sent."),
            (cut_short, "The file is cut short or altered."),
        ]
        for made, words in expected:
            answer = upload(officer, made(parse_result(true)))
            assert (answer.status, REFUSED in answer.text, words in answer.text) == (422, True, True), answer.text
            assert payment_states(running, attempt.batch) == ["sent"]
        applied = upload(officer, true)
        assert "Result applied" in applied.text, applied.text
        twice = upload(officer, true)
        assert (twice.status, "nothing was applied again" in twice.text) == (409, True), twice.text
        assert payment_states(running, attempt.batch) == ["failed"]
    news = until(lambda: granted.mother.get(granted.url), lambda page: "The bank sent the payment back" in page.text)
    assert news.text.count("NT$6,000 to account") <= 2  # ordered once, sent back once


def test_a_revoked_certificate_is_told_to_whoever_scans_it(granted: birth.Handed, country: Country) -> None:
    until(lambda: granted.mother.get(granted.url), lambda page: "/services/certificates/" in str(page.links))
    manager = seated(country, "ris-officer", "Household", "ertificate")
    page = manager.get(manager.get("/credentials/").link("/credentials/manage/"))
    public = page.url.replace("/manage/", "/verify/")
    stranger = Person(country, "father")
    assert "It was issued here and has not been revoked." in stranger.get(public).text
    form = page.form_with("reason")
    manager.submit(form, reason=form.choices["reason"][0])
    seen = stranger.get(public)
    assert "Revoked" in seen.text
    assert "Do not rely on it." in seen.text


def seated(country: Country, key: str, agency: str, role: str) -> Person:
    """One of the cast, signed in to a seat."""
    person = Person(country, key)
    person.sign_in()
    person.take_seat(agency, role)
    return person


def prepared(person: Person) -> str:
    """The address of a new batch of all that is ready, once something is."""
    page = until(lambda: person.get("/payments/"), lambda page: "batches/new" in str(page.forms))
    return person.submit(page.form_to("batches/new")).url


def released(person: Person, batch: str) -> Page:
    """Press the button; what comes back."""
    return person.submit(person.get(batch).form_to("release"))


def upload(person: Person, content: bytes) -> Page:
    """Hand in a result file by hand."""
    form = next(form for form in person.get("/payments/results").forms if form.files)
    return person.browser.upload(form, "file", "result.txt", content)


def rewritten(result: ResultFile, **changed: Any) -> bytes:
    """The file with its first line changed and a trailer that fits."""
    first, *rest = result.outcomes
    return write_result(replace(result, outcomes=(replace(first, **changed), *rest)), "2026-01-01T00:00:00+00:00")


def payment_states(running: Running, batch: str) -> list[str]:
    """Where the payments of a batch stand in the agency's database."""
    query = "SELECT state FROM payments_instruction WHERE batch_id = ?"
    identifier = re.sub(r".*/batches/([^/]+)/.*", r"\1", batch)
    return [state for (state,) in blows.web_rows(running, query, identifier)]
