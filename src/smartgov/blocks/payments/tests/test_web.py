"""The pages: prepare, compare, release by another, apply a file, correct an account."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.payments import api
from smartgov.blocks.payments.models import Batch, Instruction
from smartgov.blocks.payments.tests import factories as make

pytestmark = pytest.mark.django_db


def test_one_person_prepares_another_compares_and_releases() -> None:
    make.instruct()
    preparer = people.signed_in_officer(make.AGENCY, "payment_preparer")
    releaser = people.signed_in_officer(make.AGENCY, "payment_releaser")
    desk = preparer.get("/payments/").content.decode()
    assert "陳美玲" in desk
    assert "12345678901234" not in desk, "lists show the end of an account only"
    assert preparer.post("/payments/batches/new").status_code == 302
    batch = Batch.objects.get()
    page = releaser.get(f"/payments/batches/{batch.id}/").content.decode()
    assert "放行後即送交銀行" in page
    assert "不會付款：批次中的 1 筆付款" in preparer.get(f"/payments/batches/{batch.id}/").content.decode()
    assert batch.digest in page
    assert "12345678901234" in page, "what is released is shown whole"
    assert releaser.post(f"/payments/batches/{batch.id}/release", {"seen_hash": "0" * 64}).status_code == 409
    assert preparer.post(f"/payments/batches/{batch.id}/release", {"seen_hash": batch.digest}).status_code == 403
    assert releaser.post(f"/payments/batches/{batch.id}/release", {"seen_hash": batch.digest}).status_code == 302
    assert Batch.objects.get().state == "released"


def test_a_payment_that_the_bank_may_have_is_not_offered_for_correction() -> None:
    line = make.instruct()
    preparer = people.signed_in_officer(make.AGENCY, "payment_preparer")
    releaser = people.signed_in_officer(make.AGENCY, "payment_releaser")
    preparer.post("/payments/batches/new")
    page = f"/payments/instructions/{line}/"
    assert "更正付款" in preparer.get(page).content.decode()
    batch = Batch.objects.get()
    releaser.post(f"/payments/batches/{batch.id}/release", {"seen_hash": batch.digest})
    told = preparer.get(page).content.decode()
    assert "已放行，送往銀行中" in told
    assert "銀行可能已受理" in told
    assert "更正付款" not in told
    assert "已放行，送往銀行中" in preparer.get(f"/payments/batches/{batch.id}/").content.decode()


def test_what_went_wrong_with_a_batch_is_said_in_the_language_of_the_page() -> None:
    make.instruct()
    preparer = people.signed_in_officer(make.AGENCY, "payment_preparer")
    preparer.post("/payments/batches/new")
    batch = Batch.objects.get()
    page = f"/payments/batches/{batch.id}/"
    Batch.objects.update(problem="bank-unreachable")
    assert "銀行沒有回應" in preparer.get(page).content.decode()
    assert "The bank does not answer" in preparer.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert preparer.post(f"{page}void").status_code == 302
    told = preparer.get(page).content.decode()
    assert "由機關解散" in told
    assert "dissolved" not in told


def test_a_person_with_both_seats_cannot_release_her_own_batch() -> None:
    make.instruct()
    subject = people.a_person()
    people.signed_in_officer(make.AGENCY, "payment_preparer", subject).post("/payments/batches/new")
    batch = Batch.objects.get()
    other_seat = people.signed_in_officer(make.AGENCY, "payment_releaser", subject)
    refused = other_seat.post(f"/payments/batches/{batch.id}/release", {"seen_hash": batch.digest})
    assert refused.status_code == 403
    assert "須由另一人放行" in refused.content.decode()
    assert Batch.objects.get().state == "prepared"


@pytest.mark.parametrize(("agency", "wanted"), [("bli", 404), ("sfaa", 403)])
def test_another_agency_or_role_gets_nowhere(agency: str, wanted: int) -> None:
    instruction = make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    roles = {"bli": ("payment_preparer", "payment_releaser"), "sfaa": ("credential_manager", "credential_manager")}
    preparer, releaser = (people.signed_in_officer(agency, role) for role in roles[agency])
    assert preparer.get(f"/payments/batches/{batch}/").status_code == wanted
    assert preparer.get(f"/payments/instructions/{instruction}/").status_code == wanted
    assert preparer.post(f"/payments/batches/{batch}/void").status_code == wanted
    typed = {"seen_hash": Batch.objects.get().digest}
    assert releaser.post(f"/payments/batches/{batch}/release", typed).status_code == wanted
    assert Batch.objects.get().state == "prepared"


def test_a_result_file_by_hand_is_applied_whole_or_says_why_not() -> None:
    make.instruct()
    browser = people.signed_in_officer(make.AGENCY, "payment_preparer")
    with make.bank() as bank:
        batch = make.released(bank)
        file = bank.answer(batch)
    assert browser.post("/payments/results", {}).status_code == 422
    cut = browser.post("/payments/results", {"file": SimpleUploadedFile("r.txt", file[:-9])})
    assert cut.status_code == 422
    assert "檔案不完整" in cut.content.decode()
    assert Instruction.objects.get().state == "sent"
    assert browser.post("/payments/results", {"file": SimpleUploadedFile("r.txt", file)}).status_code == 302
    assert Instruction.objects.get().state == "settled"
    assert browser.post("/payments/results", {"file": SimpleUploadedFile("r.txt", file)}).status_code == 409


def test_a_wrong_account_is_told_at_its_field_and_a_right_one_replaces_the_payment() -> None:
    instruction = make.instruct()
    browser = people.signed_in_officer(make.AGENCY, "payment_preparer")
    address = f"/payments/instructions/{instruction}/"
    assert browser.get(address).status_code == 200
    wrong = browser.post(address, {"payee_name": "陳美玲", "to_bank": "81", "to_account": "x"})
    assert wrong.status_code == 422
    assert 'href="#f-to"' in wrong.content.decode()
    typed = {"payee_name": "陳美玲", "to_bank": "812", "to_account": "55555555555555"}
    assert browser.post(address, typed).status_code == 302
    assert set(Instruction.objects.values_list("state", flat=True)) == {"replaced", "ready"}
    assert browser.post(address, typed).status_code == 409
