"""A person signs on the desk's own pages with a card and with TW FidO; and every way in which nothing is signed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.means import connected, standing
from smartgov.blocks.identity.models import CitizenCertificate
from smartgov.blocks.identity.tests import outside
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.identity.tests.outside import Outside
from smartgov.blocks.identity.tests.test_proving_process import Silent
from smartgov.blocks.mandates import api as mandates
from smartgov.blocks.mandates.tests.factories import a_family, registers
from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import StatePaper
from smartgov.blocks.signing.tests import factories as make
from smartgov.blocks.signing.tests.factories import Gateway
from smartgov.blocks.signing.tests.signers import Signer, text
from smartgov.engines.pki import certificates, revocation
from smartgov.engines.pki.keys import b64url
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.simulators.card import home as cards
from smartgov.simulators.moica import home as ministry

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]
IDS = {"mother": national_id.make(930_001, 2), "father": national_id.make(930_002, 1)}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside.running(tmp_path_factory.mktemp("desk-papers"), IDS) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[make.World]:
    house = Gateway(tmp_path / "house")
    with make.world(tmp_path) as found, transport.replaced(house), vouching.replaced(house):  # type: ignore[arg-type]
        yield found


@pytest.fixture(params=["card", "twfido"])
def signer(
    request: pytest.FixtureRequest,
    running: Outside,
    world: make.World,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> Signer:
    outside.met(running, monkeypatch, settings)
    subject, browser = a_person("林美玲", nid=IDS["mother"]), Client()
    outside.first_sign_in(browser, running, request.param, IDS["mother"])
    return Signer(subject, str(request.param), running, browser)


def test_the_whole_way_and_what_the_signed_document_says(signer: Signer, tmp_path: Path) -> None:
    page = signer.laid()
    shown = text(signer.browser.get(page))
    assert "Synthetic Ministry of the Interior" in shown, "whose certificate it is stands beside the choice"
    assert "目前沒有有效的憑證" in shown, "the phone's certificate is not offered, and why"
    waiting = signer.begun(page)
    assert "委託書.pdf" in text(signer.browser.get(waiting))
    signer.acts(waiting)
    assert signer.browser.get(waiting)["Location"] == page
    done = text(signer.browser.get(page))
    title = {"card": "自然人憑證 IC 卡", "twfido": "行動自然人憑證"}[signer.means]
    for words in ("PAdES B-LT", title, "Synthetic Ministry of the Interior Certification Authority", "附可信時戳"):
        assert words in done, words
    pdf = signer.browser.get(f"{page}/signed").content
    found = Client().post("/signing/check.json", {"file": SimpleUploadedFile("a.pdf", pdf)}).json()
    assert found["valid"], found
    one = found["signatures"][0]
    assert (one["name"], one["level"], one["revocation"]["status"]) == ("林美玲", "B-LT", "good")
    assert one["revocation"]["source"] == "ocsp"
    said = text(
        Client(headers={"accept-language": "en"}).post("/signing/check", {"file": SimpleUploadedFile("a", pdf)})
    )
    for words in ("Rely on it", "林美玲", "B-LT", "Synthetic Ministry", "its authority's answer"):
        assert words in said, words
    _poppler_agrees(pdf, tmp_path)


def _poppler_agrees(pdf: bytes, folder: Path) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("NOT RUN: poppler-utils is absent")
    (folder / "signed.pdf").write_bytes(pdf)
    poppler = subprocess.run(
        ["pdfsig", "-nocert", "signed.pdf"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in poppler.stdout


@pytest.fixture
def mandate(signer: Signer) -> str:
    """She has taken up in this browser to act for her child, by the household register's word."""
    family = a_family(mother=(signer.subject, IDS["mother"]))
    with registers(family):
        assert mandates.draw(actor=family.actor) == 1
        (view,) = mandates.views(actor=family.actor)
        assert signer.browser.post(f"/mandates/{view.id}/act").status_code == 302
    return view.id


def test_a_representative_signs_with_her_own_certificate_and_the_document_says_for_whom(
    signer: Signer, mandate: str, tmp_path: Path
) -> None:
    page = signer.laid()
    assert "陳小安" in text(signer.browser.get(page))
    waiting = signer.begun(page)
    shown = text(signer.browser.get(waiting))
    for words in ("陳小安", "您以本人憑證簽署"):
        assert words in shown, words
    signer.acts(waiting)
    assert signer.browser.get(waiting)["Location"] == page
    pdf = signer.browser.get(f"{page}/signed").content
    report = api.check(pdf)
    assert report.valid, report.problems
    (one,) = report.signatures
    row = CitizenCertificate.objects.get(account__subject=signer.subject, means=signer.means)
    assert one.certificate == certificates.from_pem(row.certificate.encode()), "it is her own certificate that signed"
    assert (one.name, one.on_behalf_of, one.mandate) == ("林美玲", "陳小安", mandate)
    assert (one.level, one.mandate_word) == ("B-LT", "held")
    said = text(
        Client(headers={"accept-language": "en"}).post("/signing/check", {"file": SimpleUploadedFile("a", pdf)})
    )
    for words in ("Rely on it", "林美玲", "陳小安", mandate, "The mandate held when it was signed."):
        assert words in said, words
    _poppler_agrees(pdf, tmp_path)


def test_what_is_asked_for_another_is_not_signed_after_the_mandate_has_ended(signer: Signer, mandate: str) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    signer.acts(waiting)
    with clock.travelling(delta=timedelta(seconds=-1)):  # stamps tell whole seconds
        mandates.end(actor=signer.actor, mandate=mandate)
    assert signer.browser.get(waiting).status_code == 403
    as_herself = signed_in_citizen(signer.subject)
    refusal = as_herself.get(waiting)
    assert refusal.status_code == 403
    assert "代理權限已終止" in text(refusal)
    assert as_herself.get(f"{page}/signed").status_code == 404


def test_what_was_revoked_after_it_signed_still_holds_and_before_does_not(signer: Signer) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    signer.acts(waiting)
    signer.browser.get(waiting)
    pdf = signer.browser.get(f"{page}/signed").content
    later = signer.laid()
    stuck = signer.begun(later)
    moica = signer.programs.home / "moica"
    before = (moica / "issued.json").read_bytes()
    row = CitizenCertificate.objects.get(account__subject=signer.subject, means=signer.means)
    signer.acts(stuck)
    time.sleep(1)  # stamps and answers tell whole seconds; what falls into one second counts as revoked before
    ministry.revoke(moica, str(certificates.from_pem(row.certificate.encode()).serial_number))
    standing.forget()
    try:
        refusal = signer.browser.get(stuck)
        assert refusal.status_code == 403
        assert "已廢止或暫時停用" in text(refusal)
        assert "未完成簽署" in text(refusal)
        assert signer.browser.get(f"{later}/signed").status_code == 404
        begun_now = signer.browser.post(later, {"with": signer.means})
        assert begun_now.status_code == 403
        assert "已廢止或暫時停用" in text(begun_now)
        assert api.check(pdf).valid, "the stamp shows that it signed before"
    finally:
        (moica / "issued.json").write_bytes(before)


def test_while_nobody_can_say_whether_it_is_good_nothing_is_signed_and_it_may_be_tried_again(signer: Signer) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    signer.acts(waiting)
    standing.forget()
    with connected.replaced(certifier=Silent(connected.current().certifier, crl=False)):
        refusal = signer.browser.get(waiting)
        assert refusal.status_code == 503
        assert "無法向憑證機構確認" in text(refusal)
        assert "再試一次" in text(refusal)
        assert signer.browser.post(page, {"with": signer.means}).status_code == 503
    assert signer.browser.get(waiting)["Location"] == page


def test_a_certificate_of_which_only_the_list_speaks_is_shown_by_the_list(signer: Signer) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    signer.acts(waiting)
    standing.forget()
    with connected.replaced(certifier=Silent(connected.current().certifier, crl=True)):
        assert signer.browser.get(waiting)["Location"] == page
        found = api.check(signer.browser.get(f"{page}/signed").content)
    assert found.valid, found.problems
    assert found.signatures[0].level == "B-LT"
    assert found.signatures[0].revocation.source.startswith("crl")


def test_cancelling_here_or_there_signs_nothing(signer: Signer) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    assert signer.browser.post(f"{waiting}/cancel")["Location"] == page
    assert signer.browser.get(waiting).status_code == 403
    there = signer.begun(page)
    signer.acts(there, cancel="yes")
    refusal = signer.browser.get(there)
    assert refusal.status_code == 403
    assert "您已取消" in text(refusal)
    assert "未完成簽署" in text(refusal)
    assert signer.browser.get(f"{page}/signed").status_code == 404


def test_the_session_may_end_meanwhile_and_a_stranger_gets_nothing(signer: Signer) -> None:
    page = signer.laid()
    waiting = signer.begun(page)
    signer.acts(waiting)
    gone = Client()
    assert gone.get(waiting)["Location"].startswith("/identity/sign-in?next=")
    stranger = signed_in_citizen()
    assert stranger.get(waiting).status_code == 404
    assert stranger.post(f"{waiting}/cancel").status_code == 404
    assert stranger.get(f"{waiting}/state").status_code == 404
    again = signed_in_citizen(signer.subject)
    assert again.get(waiting)["Location"] == page


def test_the_back_button_and_a_second_tab_end_at_the_signed_document(signer: Signer) -> None:
    page = signer.laid()
    first, second = signer.begun(page), signer.begun(page)
    signer.acts(second)
    assert signer.browser.get(second)["Location"] == page
    signed = signer.browser.get(f"{page}/signed").content
    assert signer.browser.get(second)["Location"] == page, "the back button"
    if signer.means == "card":
        form_to, request = signer.form(first)
        signer.brings(first, outside.with_card(form_to, request, "mother"))
        assert signer.browser.get(first)["Location"] == page, "the tab that came too late"
    assert signer.browser.get(f"{page}/signed").content == signed
    assert signer.browser.get(page).status_code == 200
    assert signer.browser.post(page, {"with": signer.means}).status_code == 200, "nothing is begun on a signed one"
    assert StatePaper.objects.count() == 2


def test_an_answer_that_comes_late_or_twice_or_from_elsewhere_signs_nothing(signer: Signer) -> None:
    page = signer.laid()
    late = signer.begun(page)
    signer.acts(late)
    with clock.travelling(delta=timedelta(minutes=6)):
        refusal = signed_in_citizen(signer.subject).get(late)
        assert refusal.status_code == 403
        assert "已逾時" in text(refusal)
    if signer.means != "card":
        return
    waiting, other = signer.begun(page), signer.begun(page)
    form_to, request = signer.form(waiting)
    answer = outside.with_card(form_to, request, "mother")
    signer.brings(other, answer)
    assert "回應與此處的請求不符" in text(signer.browser.get(other)), "the signature of another request"
    signer.brings(waiting, "!")
    signer.brings(waiting, answer)
    assert signer.browser.get(waiting).status_code == 403, "the first answer counts"
    for rubbish in ("", "x" * 30_000):
        signer.brings(signer.begun(page), rubbish)


def test_a_wrong_pin_is_said_by_the_helper_and_a_locked_card_by_us(signer: Signer) -> None:
    if signer.means != "card":
        pytest.skip("only the card has a PIN")
    page = signer.laid()
    waiting = signer.begun(page)
    form_to, request = signer.form(waiting)
    asked = outside.post(form_to, {"request": request}, {"origin": outside.ORIGIN})
    wrong = outside.press(form_to, asked, 0, card="mother", pin="000000")
    assert "PIN 碼錯誤" in wrong
    done = outside.press(form_to, wrong, 0, card="mother", pin=cards.DEMO_PIN)
    found = re.search(r'name="answer" value="([^"]*)"', done)
    assert found is not None
    signer.brings(waiting, found[1])
    assert signer.browser.get(waiting)["Location"] == page
    locked = signer.begun(signer.laid())

    signer.brings(locked, b64url(b'{"refused": "pin-locked"}'))
    refusal = signer.browser.get(locked)
    assert "卡片已鎖定" in text(refusal)
    assert "戶政事務所" in text(refusal)


def test_only_what_is_linked_and_in_force_is_offered_and_the_page_says_why(signer: Signer) -> None:
    other = {"card": "twfido", "twfido": "card"}[signer.means]
    page = signer.laid()
    shown = text(signer.browser.get(page))
    assert f'value="{signer.means}"' in shown
    assert f'value="{other}"' not in shown
    assert "尚未綁定" in shown
    assert signer.browser.post(page, {"with": other}).status_code == 409
    assert signer.browser.post(page, {"with": "fax"}).status_code == 409
    with clock.travelling(delta=timedelta(days=6 * 365)):
        found = {one.means: one for one in api.choices(actor=signer.actor)}
        assert found[signer.means].lack is not None
        assert "已到期" in found[signer.means].lack.zh
    with connected.replaced(means={}):
        assert all(one.lack for one in api.choices(actor=signer.actor))
    weak = Actor("citizen", subject=signer.subject, assurance=1)

    with pytest.raises(Problem, match="assurance-too-low"):
        api.begin_paper(actor=weak, document_id=page.rsplit("/", 1)[-1], choice=signer.means)


def test_a_document_that_was_not_opened_is_not_sent_to_the_card(signer: Signer) -> None:
    page = signer.browser.post("/signing/", {"file": SimpleUploadedFile("a.pdf", make.a_pdf())})["Location"]
    assert signer.browser.post(page, {"with": signer.means}).status_code == 409


def test_the_states_authorities_count_at_the_desk_and_their_number_is_nobodys_here(signer: Signer) -> None:
    row = CitizenCertificate.objects.get(account__subject=signer.subject, means=signer.means)
    certificate = certificates.from_pem(row.certificate.encode())
    assert any(revocation.issuer_id(one) == row.authority for one in api.trust().roots)

    assert identity.state_subject(certificate) == signer.subject
    row.delete()
    assert identity.state_subject(certificate) is None
