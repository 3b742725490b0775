"""What the registration office watches over, what holders do themselves, and mandates behind signatures."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.http import Http404
from django.test import Client

from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.mandates import api as mandates
from smartgov.blocks.mandates.tests.factories import a_family, registers, takes_up
from smartgov.blocks.signing import api, represented
from smartgov.blocks.signing.tests import factories as make
from smartgov.blocks.signing.tests.factories import Gateway, refused
from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki import signing as engine
from smartgov.engines.pki.authority import State
from smartgov.engines.pki.signing.behalf import Behalf
from smartgov.shared import clock
from smartgov.shared.actor import Actor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


def test_the_office_sees_lists_with_numbers_and_checked_trails(world: make.World, citizen: Actor) -> None:
    record = make.certified(world, citizen)
    officer = make.officer()
    before = api.overview(actor=officer)
    api.act_on(actor=officer, record=record.id, step="suspend")
    after = api.overview(actor=officer)
    assert int(after.own[0].number) == int(before.own[0].number) + 1
    assert (before.own[0].rows, after.own[0].rows) == (0, 1)
    assert [one.flaw for one in after.trails] == [None, None]
    assert after.trails[0].entries == before.trails[0].entries + 1
    with pytest.raises(Http404):
        api.overview(actor=make.officer("nhi"))


def test_an_altered_trail_is_told_with_the_entry(
    world: make.World, citizen: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.certified(world, citizen)
    entries = list(world.authority.trail())
    entries[1] = replace(entries[1], body=entries[1].body.replace("prove", "issue"))
    monkeypatch.setattr(world.authority, "trail", lambda: entries)
    assert api.overview(actor=make.officer()).trails[0].flaw == 2
    page = people.signed_in_officer("ris", "credential_manager").get("/signing/lists/").content.decode()
    assert "第 2 筆遭更動" in page


def test_a_list_of_a_known_authority_is_taken_in_on_the_page(world: make.World, tmp_path: Path) -> None:
    outside = certificates.CertificateAuthority.create(tmp_path / "outside", "Elsewhere")
    browser = people.signed_in_officer("ris", "credential_manager")

    def posted(content: bytes, **more: str) -> int:
        form = {"list": SimpleUploadedFile("a.crl", content), **more}
        return int(browser.post("/signing/lists/", form).status_code)

    first = outside.crl([7])
    assert posted(first) == 422, "whom to trust is not decided at a desk"
    (tmp_path / "ca.pem").write_bytes(certificates.pem(outside.certificate))
    (tmp_path / "one.crl").write_bytes(first)
    call_command("take_in_crl", authority=tmp_path / "ca.pem", list=tmp_path / "one.crl")
    second = outside.crl([7, 8])
    assert posted(second, digest="0" * 64) == 422
    assert posted(b"nonsense") == 422
    assert posted(second) == 200
    assert posted(first) == 422, "never backwards"
    (listed,) = api.overview(actor=make.officer()).others
    assert (listed.name, listed.rows, listed.stale) == ("Elsewhere", 2, False)
    assert "Elsewhere" in browser.get("/signing/lists/").content.decode()


def test_a_holder_stops_her_own_certificate_at_once(world: make.World, citizen: Actor) -> None:
    record = make.certified(world, citizen)
    browser = people.signed_in_citizen(citizen.subject)
    assert "停用我的憑證" in browser.get("/signing/").content.decode()
    assert browser.post("/signing/suspension").status_code == 302
    assert world.authority.get(record.id).state is State.SUSPENDED
    assert refused(lambda: api.suspend_own(actor=citizen)) == "no-certificate"
    assert refused(lambda: api.begin_signature(actor=citizen, document_id=make.laid(citizen))) == "no-certificate"


def test_seals_of_agencies_have_their_own_shelf(world: make.World, citizen: Actor) -> None:
    record = make.certified(world, citizen)
    officer = make.officer()
    assert [one.id for one in api.certificates(actor=officer)] == [record.id]
    assert list(api.certificates(actor=officer, of="seals")) == []
    page = people.signed_in_officer("ris", "credential_manager").get("/signing/certificates/?of=seals")
    assert "機關印章" in page.content.decode()
    assert "陳美玲" not in page.content.decode()


@pytest.fixture
def acting(world: make.World) -> Actor:
    """The citizen of this world, who acts for her child by the household register's word."""
    number = people.a_national_id()
    citizen = make.a_citizen(world, nid=number)
    family = a_family(mother=(citizen.subject or "", number))
    with registers(family):
        return takes_up(family)


def begun(world: make.World, acting: Actor) -> tuple[str, str]:
    """Document and approval of a signature for her child, approved on her phone and not yet taken."""
    make.certified(world, replace(acting, acting_for=None, mandate=None))
    document = make.laid(acting)
    approval = api.begin_signature(actor=acting, document_id=document, reason="同意")
    world.phone.approve()
    return document, approval


@pytest.mark.parametrize(("kept", "words"), [("held", "The mandate held"), ("unknown", "nobody was asked")])
def test_a_mandate_behind_a_signature_is_asked_about(
    world: make.World, acting: Actor, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, kept: str, words: str
) -> None:
    document, approval = begun(world, acting)
    assert api.settle(actor=acting, approval_id=approval)
    pdf = api.signed_document(actor=acting, document_id=document)[1]
    if kept == "unknown":  # a house without the block that keeps mandates
        monkeypatch.setattr(represented, "_mandates", [])
    report = api.check(pdf)
    (one,) = report.signatures
    assert (one.name, one.on_behalf_of, one.mandate, one.mandate_word) == ("陳美玲", "陳小安", acting.mandate, kept)
    assert report.valid, report.problems
    browser = Client(headers={"accept-language": "en"})
    page = browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", pdf)}).content.decode()
    assert words in page
    assert "minutes old" in page
    said = browser.post("/signing/check.json", {"file": SimpleUploadedFile("a.pdf", pdf)}).json()["signatures"][0]
    assert said["mandate_word"] == kept
    assert said["revocation"]["age_s"] >= 0


def test_a_mandate_that_ends_while_the_phone_is_asked_signs_nothing(world: make.World, acting: Actor) -> None:
    document, approval = begun(world, acting)
    herself = replace(acting, acting_for=None, mandate=None)
    with clock.travelling(delta=timedelta(seconds=-1)):  # stamps tell whole seconds
        mandates.end(actor=herself, mandate=acting.mandate or "")
    assert refused(lambda: api.settle(actor=acting, approval_id=approval)) == "mandate-over"
    assert refused(lambda: api.settle(actor=herself, approval_id=approval)) == "not-approved", "it was used"
    with pytest.raises(Http404):
        api.signed_document(actor=herself, document_id=document)


def test_a_mandate_that_never_was_makes_a_signature_worthless(
    world: make.World, acting: Actor, gateway: Gateway
) -> None:
    """Another program writes what it likes into the file; nobody here has such a mandate."""
    elsewhere = certificates.CertificateAuthority.create(world.phone.home / "elsewhere", "Elsewhere")
    key = keys.generate_p256()
    certificate = elsewhere.issue(key.public_key(), common_name="王小明", organisation="Elsewhere", usage="mobile")
    (world.phone.home / "ca.pem").write_bytes(certificates.pem(elsewhere.certificate))
    (world.phone.home / "one.crl").write_bytes(elsewhere.crl())
    call_command("take_in_crl", authority=world.phone.home / "ca.pem", list=world.phone.home / "one.crl")
    for claim in (Behalf("陳小安", "m-17"), Behalf("陳小安", acting.mandate or "")):
        pdf = engine.sign(
            make.a_pdf(),
            signer=lambda data: keys.sign_der(key, data),
            certificate=certificate,
            chain=[elsewhere.certificate],
            reason="x",
            on_behalf_of=claim,
        )
        report = api.check(pdf)
        assert report.signatures[0].mandate_word == "not-held"
        assert report.problems == ("mandate-not-held",), "her mandate is not the signer's"
        page = Client(headers={"accept-language": "en"}).post(
            "/signing/check", {"file": SimpleUploadedFile("a.pdf", pdf)}
        )
        assert "did not hold" in page.content.decode()
