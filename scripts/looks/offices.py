"""Offices: the case with its supplement, money that is sent back, and the other desks."""

from __future__ import annotations

from tests.journeys.visiting import Visitor

from scripts.looks.story import Story, on_a_simulator, send_nothing

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
    "officer": ("nhi-officer", "承辦", {"work-list-other": "/cases/?show=all", "forbidden": "/audit/"}),
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


REASON = "資料相符，依法核准。"


QUESTION = "請確認新生兒名字是否為「安安」二字。"


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
        album.in_both(desk.page, "case-error", lambda: send_nothing(desk, case, "form[action$='/decision'] button"))
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
    album.in_both(mother.page, "question-error", lambda: send_nothing(mother, here))
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
    on_a_simulator(story, "bank", f"http://localhost:{story.running.ports.bank}/")


def _send_a_bad_result(first: Visitor) -> None:
    first.go("/payments/results")
    bad = {"name": "result.txt", "mimeType": "text/plain", "buffer": b"not a result"}
    first.page.locator("input[type=file]").set_input_files(bad)  # type: ignore[arg-type]
    first.press()


def offices(story: Story) -> None:
    """The pages of other offices, full by now."""
    for key, seat, paths in OFFICES.values():
        with story.seated(key, seat) as desk:
            for name, path in paths.items():
                desk.go(path)
                story.album.take(desk.page, name)
            if key == "registrar":
                story.album.in_both(desk.page, "birth-new-error", lambda: send_nothing(desk, "/cases/births/new"))
