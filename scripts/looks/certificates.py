"""Certificates of persons: the signing desk, wallets, the card and TW FidO."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from playwright.sync_api import Page
from tests.journeys import proving, signing, wallet

from scripts.looks.album import LANGUAGES
from scripts.looks.story import Story, send_nothing
from smartgov.simulators.card.home import library


def signing_desk(story: Story) -> None:
    """A certificate, a document signed on the phone, its check; the registration office; a batch of seals."""
    album, signer = story.album, story.visitor("father")
    signer.sign_in()

    def look(page: Page, name: str) -> None:
        album.take(page, name, languages=() if name == "signing-phone" else LANGUAGES)

    with tempfile.TemporaryDirectory() as folder:
        file = signing.paper(Path(folder))
        signing.certificate(signer, look)
        pdf = signing.sign(signer, file, look)
        for name, content in (("signing-check-good", pdf), ("signing-check-bad", pdf + b"\n% more")):
            album.in_both(signer.page, name, partial(signing.check, signer, "a.pdf", content))
        album.in_both(signer.page, "signing-check-empty", lambda: send_nothing(signer, "/signing/check"))
        with story.seated("ris-officer", "證書") as desk:
            desk.go("/signing/certificates/")
            album.take(desk.page, "signing-certificates")
            desk.press("tbody a")
            album.take(desk.page, "signing-certificate")
            for name, path in {"certificates-seals": "certificates/?of=seals", "lists": "lists/"}.items():
                desk.go(f"/signing/{path}")
                album.take(desk.page, f"signing-{name}")
            desk.go("/signing/batches/")
            album.take(desk.page, "signing-batches-empty")
            desk.page.locator("input[name=name]").fill("十一月公文")
            desk.page.locator("input[name=files]").set_input_files([file])
            desk.press("form:has(input[type=file]) .button.primary")
            desk.wait_for(desk.page.locator("tbody a"))
            album.take(desk.page, "signing-batch")
            desk.go("/signing/batches/")
            album.take(desk.page, "signing-batches")
        with story.seated("nhi-officer", "承辦") as desk:
            desk.go("/credentials/ask")
            album.take(desk.page, "credential-ask")
            desk.page.locator("input[type=checkbox]").first.check()
            desk.press("form .button.primary")
            album.take(desk.page, "credential-asked")
    signer.page.context.close()


def wallets(story: Story) -> None:
    """A certificate into the wallet by sign-in and out to an agency, on a phone; the register of verifiers."""
    album, mother = story.album, story.visitor("mother")
    mother.sign_in()

    def look(page: Page, name: str) -> None:
        album.take(page, name, languages=() if page.url.startswith(story.country.wallets) else LANGUAGES)

    wallet.take_by_sign_in(mother, look)
    look(mother.page, "wallet-taken")
    mother.go(f"{story.country.wallets}/wallets/{mother.key}")
    mother.page.locator("summary").first.click()
    look(mother.page, "wallet-own")
    with story.seated("nhi-officer", "承辦") as desk:
        address = wallet.ask(desk, "子女姓名", "出生日期")
        wallet.scan(mother, address)
        wallet.show(mother, look)
        look(mother.page, "wallet-shown")
        desk.page.locator("dl.summary").wait_for()
        album.take(desk.page, "credential-shown")
    mother.go("/credentials/verifiers")
    look(mother.page, "wallet-verifiers")
    mother.page.context.close()


_SIMULATED = ("card-helper", "card-helper-wrong", "card-helper-done", "card-helper-locked")


def citizen_certificates(story: Story) -> None:
    """The card: a wrong PIN, the first time, locked; TW FidO by code, link and push; the Ministry's page."""
    album, holder = story.album, story.visitor("mother")

    def look(page: Page, name: str) -> None:
        simulated = name in _SIMULATED or name.startswith("twfido-")
        album.take(page, name, languages=() if simulated else LANGUAGES)

    if library() is not None:
        proving.to_the_card(holder, look)
        proving.type_pin(holder, look, pin="000000")
        proving.type_pin(holder, look, name="card-helper-wrong")
        proving.back_from_helper(holder, look)
        proving.say_who(holder, look)
        holder.go("/identity/account")
        album.take(holder.page, "account-certificates")
        officer = story.visitor("ris-officer")
        proving.to_the_card(officer)
        for _ in range(3):
            proving.type_pin(officer, pin="999999")
        look(officer.page, "card-helper-locked")
        officer.press("form:has(input[name=answer]) button")
        album.take(officer.page, "card-locked", languages=())
    father = story.visitor("father")
    for way in ("code", "app", "push"):
        number = proving.to_the_app(father, way)
        album.take(father.page, f"app-{way}")
    proving.in_the_app(father, number, look)
    proving.arrive(father)
    father.go(f"{proving.ministry(father)}/")
    album.take(father.page, "twfido-ministry", languages=())


def state_papers(story: Story) -> None:
    """The signing desk with the card and with TW FidO: every page from choosing to the signed document."""
    album, look = story.album, story.album.take

    def show(page: Page, name: str) -> None:
        look(page, f"paper-{name}")

    with tempfile.TemporaryDirectory() as folder:
        father = story.visitor("father")
        number = proving.to_the_app(father)
        proving.in_the_app(father, number)
        proving.arrive(father)
        signing.lay(father, signing.paper(Path(folder)), show)
        for means in ("twfido-code", "twfido-app", "twfido"):
            page = father.page.url
            number = signing.choose(father, means)
            show(father.page, means)
            if means != "twfido":
                father.go(page)
        proving.in_the_app(father, number)
        father.see("PAdES B-LT")
        show(father.page, "signed-twfido")
        pdf = signing.home(father)
        album.in_both(father.page, "paper-check", partial(signing.check, father, "a.pdf", pdf))
        if library() is None:
            return
        holder = story.visitor("mother")
        proving.to_the_card(holder)
        proving.type_pin(holder)
        proving.back_from_helper(holder)
        if holder.page.locator("input[name=national_id]").count():
            proving.say_who(holder)
        signing.lay(holder, signing.paper(Path(folder)), lambda page, name: show(page, f"card-{name}"))
        signing.choose(holder, "card")
        show(holder.page, "card")
        signing.to_the_helper(holder)
        look(holder.page, "paper-helper", languages=())
        holder.press("button[name=cancel]")
        proving.back_from_helper(holder)
        show(holder.page, "card-cancelled")
