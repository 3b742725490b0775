"""Every page in every state that matters, as pictures: at a phone's and a desk's width, in Chinese and in English.

    python scripts/looks.py [--out DIR] [--port 9600] [--only PART ...]

Raises a country of its own, lives through one birth with all its mishaps (a register down, a supplement, money sent
back, a tampered certificate, a changed log), and takes each page four times. Beside each picture lies what the page
says; `report.txt` lists what axe finds, what is wider than the screen, and words of the other language. Contact sheets
(`sheet-*.png`) show many pages at once. The exit status is the number of pages with a finding (at most 99).
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.journeys import applying, blows, proving, signing, wallet  # noqa: E402
from tests.journeys.browser import JourneyBrowser, chromium  # noqa: E402
from tests.journeys.people import Country  # noqa: E402
from tests.journeys.visiting import Visitor, choose_number, scan  # noqa: E402

from scripts.album import LANGUAGES, Album  # noqa: E402
from smartgov.simulators.card.home import library  # noqa: E402
from smartgov.site.country import raise_country  # noqa: E402
from smartgov.site.country.ports import Ports  # noqa: E402
from smartgov.site.supervise import Country as Running  # noqa: E402

SIZE = 4000
CLOSED = "1234567890000"
_ASK_AGAIN = "main form button.quiet"
REASON = "資料相符，依法核准。"
QUESTION = "請確認新生兒名字是否為「安安」二字。"
PUBLIC = {
    "front": "/",
    "catalogue": "/services/",
    "service": "/services/birth/",
    "agencies": "/directory/",
    "certificate-check": "/credentials/check",
    "signing-check": "/signing/check",
    "certificate-unknown": "/credentials/verify/AAAAAAAAAAAAAAAA",
    "sign-in": "/identity/sign-in",
    "personas": "/identity/personas",
    "not-found": "/nowhere",
    "gallery": "/theme/gallery",
    "gallery-officer": "/theme/gallery?as=officer",
    "gallery-question": "/theme/gallery/question",
    "gallery-problem": "/theme/gallery/problem",
}
# Who sees which pages from which seat; `{}` opens nothing that a later part needs untouched.
OFFICES: dict[str, tuple[str, str, dict[str, str]]] = {
    "integrator": (
        "ris-integrator",
        "資料交換",
        {
            "exchange-services": "/exchange/services",
            "exchange-service": "/exchange/services/TW~GOV~ris~household~people.v1",
            "exchange-service-new": "/exchange/services/new",
            "exchange-ask": "/exchange/services/TW~GOV~hpa~births~births.v1/ask",
            "exchange-requests": "/exchange/requests",
            "exchange-member": "/exchange/members/ris",
            "exchange-rights-own": "/exchange/rights",
            "exchange-traffic": "/exchange/traffic",
            "exchange-rules": "/exchange/rules",
        },
    ),
    "officer": ("nhi-officer", "承辦", {"work-list-other": "/cases/?show=all", "forbidden": "/payments/"}),
    "registrar": ("registrar", "出生通報", {"births": "/cases/births/", "birth-new": "/cases/births/new"}),
    "auditor": ("auditor", "戶政司", {"audit": "/audit/"}),
    "operator": (
        "operator",
        "維運",
        {
            "exchange-members": "/exchange/",
            "exchange-rights": "/exchange/rights",
            "exchange-joining": "/exchange/joining",
            "ops": "/ops/",
        },
    ),
}


class Story:
    """One birth and its mishaps, told in parts; what an earlier part made, a later one finds here."""

    def __init__(self, running: Running, browser: JourneyBrowser, album: Album) -> None:
        self.running, self.browser, self.album = running, browser, album
        self.country = Country(running.home, running.ports.web)
        self.mother = self.visitor("mother")
        self.timeline = ""

    def visitor(self, key: str, seat: str = "") -> Visitor:
        """Somebody at a browser, signed in when a seat is named."""
        found = Visitor(self.browser, self.country, key, width="desk")
        if seat:
            found.sign_in(seat=seat)
        return found

    @contextmanager
    def seated(self, key: str, seat: str) -> Iterator[Visitor]:
        """Somebody in a seat, for a while."""
        found = self.visitor(key, seat)
        try:
            yield found
        finally:
            found.page.context.close()


# -- before signing in ------------------------------------------------------------------------------------------------


def public_pages(story: Story) -> None:
    """What everybody may read."""
    stranger = story.visitor("father")
    for name, path in PUBLIC.items():
        stranger.go(path)
        story.album.take(stranger.page, name)
    story.album.in_both(stranger.page, "certificate-check-empty", lambda: _send_nothing(stranger, "/credentials/check"))
    stranger.page.context.close()


def signing_in(story: Story) -> None:
    """By code, by push, with the wrong number, and by passkey; the phone's own pages."""
    mother, album = story.mother, story.album
    wrong = story.visitor("father")
    number = wrong.send_push()
    album.take(wrong.page, "sign-in-push")
    with wrong.phone() as phone:
        phone.goto(f"{story.country.phones}/")
        album.take(phone, "phone-all", languages=())
        phone.goto(f"{story.country.phones}/phones/father")
        album.take(phone, "phone-own", languages=())
        phone.locator("a[href*='/requests/']").last.click()
        album.take(phone, "phone-request", languages=())
        phone.locator(f"button[name=number]:not([value='{number}'])").first.click()
        phone.locator("[role=status]").wait_for()
        album.take(phone, "phone-wrong-number", languages=())
    wrong.see("重新")
    album.take(wrong.page, "sign-in-refused")
    wrong.page.context.close()
    mother.go("/identity/sign-in")
    number, address = mother.begin_with_code()
    album.take(mother.page, "sign-in-code")
    with mother.phone() as phone:
        phone.goto(address)
        album.take(phone, "phone-scan", languages=())
        scan(phone, address, mother.key)
        choose_number(phone, number)
        album.take(phone, "phone-approved", languages=())
        phone.goto(address)
        album.take(phone, "phone-used", languages=())
    mother.arrive()
    mother.passkeys()
    mother.go("/identity/account/passkeys/new")
    album.take(mother.page, "passkey-new")
    mother.press("[data-passkey=register] button")
    album.take(mother.page, "account")
    operator = story.visitor("operator")
    operator.sign_in()
    operator.go("/identity/seat")
    album.take(operator.page, "seats")
    operator.page.context.close()


def nothing_yet(story: Story) -> None:
    """Somebody for whom nothing has happened: every page says what will appear there."""
    father = story.visitor("father")
    father.sign_in()
    for name, path in {
        "wall": "/",
        "trail": "/mydata/",
        "consents": "/mydata/consents/",
        "notices": "/notify/",
    }.items():
        father.go(path)
        story.album.take(father.page, f"{name}-empty")
    father.page.context.close()
    for name, key, seat, path in (
        ("work-list-empty", "nhi-officer", "承辦", "/cases/"),
        ("payments-empty", "sfaa-preparer", "撥款經辦", "/payments/"),
        ("certificates-empty", "ris-officer", "證書", "/credentials/"),
    ):
        with story.seated(key, seat) as desk:
            desk.go(path)
            story.album.take(desk.page, name)


# -- the application --------------------------------------------------------------------------------------------------


def applying_page_by_page(story: Story) -> None:
    """From the wall to the receipt: each page, a missing fact, errors, a lost session."""
    mother, album = story.mother, story.album
    mother.go("/")
    mother.wait_for(mother.page.locator("form[action$='/services/start'] button"))
    album.take(mother.page, "wall-birth")
    applying.start(mother)
    taken: set[str] = set()
    for _ in range(24):
        name = "consent" if "/mydata/requests/" in mother.page.url else mother.station
        if name not in taken:
            album.take(mother.page, f"apply-{len(taken) + 1:02}-{name}")
        taken.add(name)
        if name == applying.LAST:
            break
        if name == "facts" and "facts-asked" not in taken:
            taken.add("facts-asked")
            _facts_with_a_register_down(story)
            continue
        _go_wrong(story, name)
        applying.answer(mother)
        mother.press()
    album.take_if_new(mother.page, "apply-before-hand-in")
    mother.go("/")
    album.take(mother.page, "wall-saved")


def _facts_with_a_register_down(story: Story) -> None:
    mother = story.mother
    with blows.down(story.running, "register-nhi"):
        mother.press()
        story.album.take(mother.page, "facts-missing")
    with blows.foreign_message_key(story.running, "hpa"):
        mother.press(_ASK_AGAIN)
        story.album.take(mother.page, "facts-unproven")
    mother.press(_ASK_AGAIN)
    story.album.take(mother.page, "facts")


def _go_wrong(story: Story, station: str) -> None:
    """An error with its summary, and a session that ends, each in both languages."""
    mother, here = story.mother, story.mother.page.url

    def send_wrong() -> None:
        mother.go(here)
        if station == "account":
            mother.page.locator("input[name=bank_account_account]").fill("12-34")
        mother.press()

    if station in {"surname", "account"}:
        story.album.in_both(mother.page, f"error-{station}", send_wrong)
        mother.go(here)
    if station == "name":
        applying.answer(mother)
        mother.lose_session()
        mother.press()
        story.album.take(mother.page, "session-expired")
        mother.sign_in_again()
        story.album.take(mother.page, "session-kept")
        mother.press()
        mother.go(here)


def handing_in(story: Story) -> None:
    """The receipt, with the household agency's gateway down and then up again."""
    mother, album = story.mother, story.album
    applying.start(mother)
    mother.go(re.sub("/(check|pages/[a-z]+)$", "/pages/account", re.split("[?#]", mother.page.url)[0]))
    mother.page.locator("input[name=bank_account_account]").fill(CLOSED)
    mother.press()
    for _ in range(10):
        if mother.station == applying.LAST:
            break
        applying.answer(mother)
        mother.press()
    with blows.down(story.running, "gateway-ris"):
        story.timeline = applying.hand_in(mother)
        album.take(mother.page, "timeline-handed-in")
        mother.wait_for(mother.page.locator("main", has_text="機關暫無回應"))
        album.take(mother.page, "timeline-agency-down")
    mother.number_of("registration")
    mother.wait_for(mother.page.locator("#part-registration", has_text="審核中"))
    album.take(mother.page, "timeline-in-review")
    mother.go(f"{story.timeline}withdraw")
    album.take(mother.page, "withdraw")


# -- offices ----------------------------------------------------------------------------------------------------------


def officers_case(story: Story) -> None:
    """The work list, the case, a supplement asked and answered, an empty decision, the decision."""
    mother, album = story.mother, story.album
    mother.go(story.timeline)
    number = mother.number_of("registration")
    with story.seated("ris-officer", "承辦") as desk:
        desk.go("/cases/")
        row = desk.page.locator("tr", has_text=number)
        desk.wait_for(row)
        album.take(desk.page, "work-list")
        desk.press(row.locator("a"))
        case = desk.page.url
        album.take(desk.page, "case")
        album.in_both(desk.page, "case-error", lambda: _send_nothing(desk, case, "form[action$='/decision'] button"))
        desk.go(case)
        desk.page.locator("details", has=desk.page.locator("textarea[name=question]")).locator("summary").click()
        desk.page.locator("textarea[name=question]").fill(QUESTION)
        desk.press("form[action$='/supplement'] button")
        album.take(desk.page, "case-supplement-asked")
        _answer_the_question(story)
        desk.go(case)
        desk.wait_for(desk.page.locator("form[action$='/decision']"))
        album.take(desk.page, "case-supplement-answered")
        desk.page.locator("input[name=decision][value=approve]").check()
        desk.page.locator("textarea[name=reason]").fill(REASON)
        desk.press("form[action$='/decision'] button")
        album.take(desk.page, "case-decided")
        desk.go("/cases/?show=all")
        album.take(desk.page, "work-list-all")


def _answer_the_question(story: Story) -> None:
    mother, album = story.mother, story.album
    mother.go("/")
    mother.wait_for(mother.page.locator(".notice", has_text="等候您的回答"))
    album.take(mother.page, "wall-question")
    mother.go(story.timeline)
    album.take(mother.page, "timeline-question")
    mother.press("main a.button[href*='/services/questions/']")
    album.take(mother.page, "question")
    here = mother.page.url
    album.in_both(mother.page, "question-error", lambda: _send_nothing(mother, here))
    mother.go(here)
    mother.page.locator("main textarea").first.fill("是，名字是安安。")
    mother.press()
    album.take(mother.page, "question-answered")


def money(story: Story) -> None:
    """A batch, its release by another person, a payment that the bank sends back, its correction."""
    album = story.album
    story.mother.go(story.timeline)
    for part in ("nhi", "allowance", "maternity"):
        story.mother.wait_for(story.mother.page.locator(f"#part-{part}", has_text="已核准"))
    with story.seated("sfaa-preparer", "撥款經辦") as first:
        first.go("/payments/")
        first.wait_for(first.page.locator("form[action$='/batches/new']"))
        album.take(first.page, "payments-ready")
        first.press("main tbody th a")
        album.take(first.page, "payment-instruction")
        first.go("/payments/")
        first.press("form[action$='/batches/new'] button")
        batch = first.page.url
        album.take(first.page, "batch-preparer")
        first.go("/payments/results")
        album.take(first.page, "bank-result")
        album.in_both(first.page, "bank-result-bad", lambda: _send_a_bad_result(first))
    with story.seated("sfaa-releaser", "撥款核准") as second:
        second.go(batch)
        album.take(second.page, "batch-releaser")
        second.press("form[action$='/release'] button")
        second.wait_for(second.page.get_by_text("結果已"))
        album.take(second.page, "batch-settled")
    with story.seated("sfaa-preparer", "撥款經辦") as first:
        first.go("/payments/")
        album.take(first.page, "payments-failed")
        first.press("main tbody th a")
        album.take(first.page, "payment-failed")
    with story.seated("sfaa-officer", "承辦") as desk:
        desk.go("/cases/?show=all")
        album.take(desk.page, "work-list-failed-payment")
        desk.press("main tbody a")
        album.take(desk.page, "case-failed-payment")
    _plain(story, "bank", f"http://localhost:{story.running.ports.bank}/")


def _send_a_bad_result(first: Visitor) -> None:
    first.go("/payments/results")
    bad = {"name": "result.txt", "mimeType": "text/plain", "buffer": b"not a result"}
    first.page.locator("input[type=file]").set_input_files(bad)  # type: ignore[arg-type]
    first.press()


def afterwards(story: Story) -> None:
    """The timeline at its end, notices, mail, consents, the certificate and its public pages."""
    mother, album = story.mother, story.album
    mother.go(story.timeline)
    link = mother.page.locator("a[href*='/services/certificates/']")
    mother.wait_for(link)
    album.take(mother.page, "timeline-done")
    with mother.page.expect_download() as download:
        link.first.click()
    paper = download.value.path().read_bytes()
    for name, path in {"wall-done": "/", "notices": "/notify/", "consents": "/mydata/consents/"}.items():
        mother.go(path)
        album.take(mother.page, name)
    mother.go("/mydata/consents/")
    mother.press("main a[href$='/revoke']")
    album.take(mother.page, "consent-revoke")
    mother.press("main .button.danger")
    album.take(mother.page, "consents-revoked")
    _plain(story, "mailbox", f"{story.country.mailbox}/", then="main table a")
    certificates(story, paper)


def certificates(story: Story, paper: bytes) -> None:
    """Valid, checked, tampered with, managed, revoked."""
    album, stranger = story.album, story.visitor("father")
    with story.seated("ris-officer", "證書") as desk:
        desk.go("/credentials/")
        album.take(desk.page, "certificates")
        desk.press("main tbody a")
        album.take(desk.page, "certificate-manage")
        code = desk.station
        stranger.go(f"/credentials/verify/{code}")
        album.take(stranger.page, "certificate-valid")
        for name, content in {
            "certificate-file-good": paper,
            "certificate-file-tampered": paper[:2000] + bytes([paper[2000] ^ 1]) + paper[2001:],
        }.items():
            album.in_both(stranger.page, name, lambda content=content: _check_file(stranger, content))  # type: ignore[misc]
        desk.page.locator("input[name=reason]").first.check()
        desk.press("main button.danger")
        album.take(desk.page, "certificate-manage-revoked")
        stranger.go(f"/credentials/verify/{code}")
        album.take(stranger.page, "certificate-revoked")
        album.in_both(stranger.page, "certificate-file-revoked", lambda: _check_file(stranger, paper))
    stranger.page.context.close()


def _check_file(stranger: Visitor, content: bytes) -> None:
    stranger.go("/credentials/check")
    file = {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": content}
    stranger.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    stranger.press()


def trail(story: Story) -> None:
    """Proven; with entries opened; a gateway that does not answer; a log that somebody changed."""
    mother, album = story.mother, story.album
    mother.go("/mydata/")
    album.take(mother.page, "trail")
    mother.go("/mydata/?who=people")
    mother.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    album.take(mother.page, "trail-opened", languages=())
    with blows.down(story.running, "gateway-nhi"):
        mother.go("/mydata/")
        album.take(mother.page, "trail-gateway-down")
    _change_log(story.running, "hpa")
    mother.go("/mydata/")
    album.take(mother.page, "trail-red")


def _change_log(running: Running, agency: str) -> None:
    """Change what a gateway has recorded, as its owner could; it cannot prove its entries from then on."""
    with blows.down(running, f"gateway-{agency}"):
        with sqlite3.connect(running.home / "gateways" / agency / "log.sqlite3") as log:
            changed = log.execute(
                "UPDATE ledger_record SET record = CAST(replace(CAST(record AS TEXT), 'births', 'b1rths') AS BLOB)"
                " WHERE instr(CAST(record AS TEXT), 'births') > 0"
            )
        if not changed.rowcount:
            raise RuntimeError("no record was changed")


def offices(story: Story) -> None:
    """The pages of other offices, full by now."""
    for key, seat, paths in OFFICES.values():
        with story.seated(key, seat) as desk:
            for name, path in paths.items():
                desk.go(path)
                story.album.take(desk.page, name)
            if key == "registrar":
                story.album.in_both(desk.page, "birth-new-error", lambda: _send_nothing(desk, "/cases/births/new"))


# -- the signing desk -------------------------------------------------------------------------------------------------


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
        album.in_both(signer.page, "signing-check-empty", lambda: _send_nothing(signer, "/signing/check"))
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


PARTS: tuple[Callable[[Story], None], ...] = (
    public_pages,
    nothing_yet,
    signing_in,
    applying_page_by_page,
    handing_in,
    officers_case,
    money,
    afterwards,
    trail,
    offices,
    signing_desk,
    wallets,
    citizen_certificates,
    state_papers,
)


def _send_nothing(visitor: Visitor, path: str, button: str = "main .button.primary") -> None:
    """Open a form and send it as it is."""
    visitor.go(path)
    visitor.page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    visitor.press(button)


def _plain(story: Story, name: str, url: str, then: str = "") -> None:
    """A page of a simulator, which speaks both languages at once."""
    page: Page = story.browser.page(width="desk")
    page.goto(url)
    story.album.take(page, name, languages=())
    if then and page.locator(then).count():
        page.locator(then).first.click()
        story.album.take(page, f"{name}-one", languages=())
    page.context.close()


def main() -> int:
    """Tell the story and say what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "looks")
    parser.add_argument("--port", type=int, default=9600, help="first of 60 ports of the country")
    parser.add_argument("--only", nargs="*", help="only these parts (each needs what the ones before it did)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smartgov-looks-") as folder, chromium() as browser:
        home = Path(folder) / "country"
        raise_country(home, ports=Ports(options.port), size=SIZE)
        with Running(home, port=options.port) as running:
            album = Album(options.out, running.url)
            story = Story(running, browser, album)
            for part in PARTS:
                if options.only and part.__name__ not in options.only:
                    continue
                try:
                    part(story)
                except Exception:
                    album.note(part.__name__, "did not end", traceback.format_exc(limit=6))
            album.bind(browser)
    return min(album.findings, 99)


if __name__ == "__main__":
    raise SystemExit(main())
