"""A person gets a certificate and signs; what was not shown, or came from elsewhere, is not signed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404
from django.test import Client

from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops import api as ops
from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import Approval, Document
from smartgov.blocks.signing.tests import factories as make
from smartgov.blocks.signing.tests.factories import refused
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import State
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


def test_a_certificate_comes_by_way_of_the_phone_and_bears_the_persons_own_name(world, citizen):
    record = make.certified(world, citizen)
    assert record.state is State.ACTIVE
    assert record.common_name == "陳美玲"
    assert citizen.subject not in record.certificate
    assert record.holder != citizen.subject


def test_a_signed_document_holds_for_years_and_says_so(world, citizen, gateway):
    make.certified(world, citizen)
    pdf = make.signed(world, citizen)
    report = api.check(pdf)
    assert report.valid, report.problems
    one = report.signatures[0]
    assert (one.name, one.level, one.reason) == ("陳美玲", "B-LT", "同意")
    assert one.coverage == "evidence"


def test_what_was_not_opened_is_not_signed(world, citizen):
    make.certified(world, citizen)
    document = make.laid(citizen, opened=False)
    assert refused(lambda: api.begin_signature(actor=citizen, document_id=document)) == "document-not-shown"


def test_without_certificate_phone_or_strong_sign_in_nothing_is_begun(world, citizen):
    document = make.laid(citizen)
    assert refused(lambda: api.begin_signature(actor=citizen, document_id=document)) == "no-certificate"
    weak = replace(citizen, assurance=1)
    assert refused(lambda: api.begin_certificate(actor=weak)) == "assurance-too-low"
    assert refused(lambda: api.begin_certificate(actor=replace(citizen, acting_for="x"))) == "certificate-is-personal"
    stranger = replace(citizen, subject=people.a_person())
    assert refused(lambda: api.begin_certificate(actor=stranger)) == "no-phone"


def begun(citizen):
    document = make.laid(citizen)
    return document, api.begin_signature(actor=citizen, document_id=document)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://elsewhere.example"},
        {"nonce": "another"},
        {"number": "99"},
        {"text": {"en": "Win a prize", "zh": "抽獎"}},
        {"outcome": {"signature": "AAAA"}},
        {"outcome": {"signature": "!"}},
        {"outcome": {"other": "thing"}},
    ],
)
def test_an_approval_of_anything_else_signs_nothing(world, citizen, change):
    make.certified(world, citizen)
    document, approval = begun(citizen)
    world.phone.approve(**change)
    with pytest.raises(Problem):
        api.settle(actor=citizen, approval_id=approval)
    with pytest.raises(Http404):
        api.signed_document(actor=citizen, document_id=document)


def test_an_approval_of_another_document_signs_nothing(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    task = dict(world.phone.latest.task)
    _, other = begun(citizen)
    world.phone.approve(task=task)
    assert refused(lambda: api.settle(actor=citizen, approval_id=other)) == "not-approved"
    assert approval != other


def test_the_phone_signs_no_document_but_the_one_it_shows(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    assert approval
    task = dict(world.phone.latest.task)
    for wrong in ({"digest": "0" * 64}, {"to_sign": keys.b64url(b"transfer all")}, {"extra": "x"}):
        with pytest.raises(Problem) as caught:
            world.phone.ask(key_id="k", origin="o", nonce="n", number="11", text="t", task={**task, **wrong})
        assert caught.value.slug == "request-invalid"


def test_a_refusal_an_old_answer_and_a_second_use_sign_nothing(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    assert not api.settle(actor=citizen, approval_id=approval)
    assert api.is_waiting(actor=citizen, approval_id=approval)
    world.phone.refuse()
    assert refused(lambda: api.settle(actor=citizen, approval_id=approval)) == "not-approved"
    _, late = begun(citizen)
    world.phone.approve()
    with clock.travelling(delta=timedelta(minutes=6)):
        assert refused(lambda: api.settle(actor=citizen, approval_id=late)) == "not-approved"
    _, once = begun(citizen)
    world.phone.approve()
    assert api.settle(actor=citizen, approval_id=once)
    assert refused(lambda: api.settle(actor=citizen, approval_id=once)) == "already-signed"


def test_a_suspended_certificate_signs_nothing(world, citizen):
    record = make.certified(world, citizen)
    officer = make.officer()
    api.act_on(actor=officer, record=record.id, step="suspend")
    assert refused(lambda: begun(citizen)) == "no-certificate"
    api.act_on(actor=officer, record=record.id, step="resume")
    assert begun(citizen)
    with pytest.raises(Http404):
        api.act_on(actor=make.officer("nhi"), record=record.id, step="suspend")
    steps = [row.step.en for row in api.trail(actor=officer, record=record.id)]
    assert steps == ["Asked for", "Identity proved", "Issued", "Activated", "Suspended", "Suspension ended"]


def test_revocation_counts_from_its_moment(world, citizen, gateway):
    record = make.certified(world, citizen)
    pdf = make.signed(world, citizen)
    with clock.travelling(delta=timedelta(minutes=5)):
        api.act_on(actor=make.officer(), record=record.id, step="revoke", reason="keyCompromise")
        assert api.check(pdf).valid, "the stamp shows that it was signed before"
        assert api.own_certificate(actor=citizen) is None


def test_without_stamps_nothing_is_signed(world, citizen):
    make.certified(world, citizen)
    document, approval = begun(citizen)
    world.clocktower.down = True
    world.phone.approve()
    assert refused(lambda: api.settle(actor=citizen, approval_id=approval)) == "stamp-missing"
    with pytest.raises(Http404):
        api.signed_document(actor=citizen, document_id=document)


def test_a_renewal_takes_the_place_of_the_old_when_it_is_activated(world, citizen):
    old = make.certified(world, citizen)
    approval = api.begin_certificate(actor=citizen)
    world.phone.approve()
    api.settle(actor=citizen, approval_id=approval)
    assert api.own_certificate(actor=citizen) == world.authority.get(old.id), "the old one until then"
    approval = api.begin_activation(actor=citizen)
    world.phone.approve()
    api.settle(actor=citizen, approval_id=approval)
    assert api.own_certificate(actor=citizen).renews == old.id
    assert world.authority.get(old.id).reason == "superseded"
    assert make.signed(world, citizen)


def test_a_certificate_is_extended_on_the_desk_in_its_last_days(world, citizen):
    record = make.certified(world, citizen)
    assert not api.may_extend(record)
    assert refused(lambda: api.extend(actor=citizen)) == "no-extension"
    with clock.travelling(to=record.not_after - timedelta(days=20)):
        browser = people.signed_in_citizen(citizen.subject)
        assert "展期" in browser.get("/signing/").content.decode()
        assert browser.post("/signing/extension").status_code == 302
        assert api.own_certificate(actor=citizen).is_extension


def test_documents_are_unreadable_at_rest_and_leave_after_thirty_days(world, citizen):
    make.certified(world, citizen)
    make.signed(world, citizen)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM signing_document")
        stored = " ".join(str(value) for value in cursor.fetchone())
        cursor.execute("SELECT * FROM signing_approval")
        stored += " ".join(str(value) for row in cursor.fetchall() for value in row)
    assert "委託書" not in stored
    assert "JVBER" not in stored
    assert ops.retire(Document, clock.now() + timedelta(days=31)) == 1
    assert ops.retire(Approval, clock.now() + timedelta(days=2)) == 3


def test_the_whole_way_in_a_browser(world, citizen, gateway):
    browser = people.signed_in_citizen(citizen.subject)
    page = browser.get("/signing/")
    assert "申請簽章憑證" in page.content.decode()
    for start in ("/signing/certificate", "/signing/activation"):
        waiting = browser.post(start)["Location"]
        assert browser.get(f"{waiting}/state").json() == {"waiting": True}
        assert browser.get(waiting).status_code == 200
        world.phone.approve()
        assert browser.get(waiting)["Location"] == "/signing/"
    document = browser.post("/signing/", {"file": SimpleUploadedFile("合約.pdf", make.a_pdf())})["Location"]
    assert browser.post(document, {"reason": "同意"}).status_code == 409
    shown = browser.get(f"{document}/file")
    assert shown.content.startswith(b"%PDF")
    assert "sandbox" in shown["Content-Security-Policy"]
    waiting = browser.post(document, {"reason": "同意"})["Location"]
    page = browser.get(waiting).content.decode()
    digest = world.phone.latest.task["digest"]
    assert f"{digest[:4]} {digest[4:8]}".upper() in page
    assert world.phone.latest.number in page
    world.phone.approve()
    assert browser.get(waiting)["Location"] == document
    pdf = browser.get(f"{document}/signed").content
    public = Client(headers={"accept-language": "en"})
    page = public.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", pdf)}).content.decode()
    for words in ("Rely on it", "陳美玲", "同意", "stamped by Synthetic time stamps", "B-LT", "In force"):
        assert words in page, words
    found = public.post("/signing/check.json", {"file": SimpleUploadedFile("a.pdf", pdf)}).json()
    assert found["valid"]
    assert found["signatures"][0]["revocation"]["status"] == "good"
    refusal = public.post("/signing/check.json", {})
    assert (refusal.status_code, refusal["Content-Type"]) == (422, "application/problem+json")
