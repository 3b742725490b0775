"""Before anything has happened: public pages, signing in, and pages that are still empty."""

from __future__ import annotations

from tests.journeys.visiting import choose_number, scan

from scripts.looks.story import Story, send_nothing

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


def public_pages(story: Story) -> None:
    """What everybody may read."""
    stranger = story.visitor("father")
    for name, path in PUBLIC.items():
        stranger.go(path)
        story.album.take(stranger.page, name)
    story.album.in_both(stranger.page, "certificate-check-empty", lambda: send_nothing(stranger, "/credentials/check"))
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
        phone.locator("a[href*='/requests/']").first.click()
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
