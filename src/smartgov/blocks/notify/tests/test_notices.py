"""A notice is on the wall at once, is mailed once, and the mail tells nothing but that there is news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import Http404

from smartgov.blocks.identity.tests.factories import SEEDER, a_person, signed_in_citizen
from smartgov.blocks.notify import api, ports
from smartgov.blocks.notify.adapters.smtp import compose
from smartgov.blocks.notify.domain import ALLOWED_IN_MAIL, Mail, Template, places, template
from smartgov.blocks.notify.models import Notice
from smartgov.blocks.ops import api as ops
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock, content
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

CONTEXT = {
    "reference": "B-7K3M9Q",
    "agency": Text("Household registration", "戶政司"),
    "ask": Text("Which ward?", "在哪個病房出生？"),
    "due": Text("2026-12-01", "民國115年12月1日"),
}


class Mailbox:
    """Takes mail, or is down."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.down = False

    def send(self, mail: Mail) -> None:
        if self.down:
            raise ConnectionRefusedError
        self.mails.append(mail)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with ports.replaced(box):
        yield box


def tell(subject: str, *, key: str = "k-1") -> str:
    return api.send(
        actor=SEEDER, subject=subject, template="supplement_asked", context=CONTEXT, link="/services/", key=key
    )


def emitted() -> ops.EmittedEvent:
    event = Event.objects.filter(name="notice_created").latest("id")
    return ops.EmittedEvent(event.name, event.aggregate, event.payload, SEEDER, event.id)


@pytest.mark.parametrize("name", content.names("notices"))
def test_every_template_is_bilingual_and_keeps_personal_data_out_of_mail(name: str) -> None:
    found = template(name)
    for text in (found.subject, found.mail):
        assert places(text.en) == places(text.zh) <= ALLOWED_IN_MAIL
    assert places(found.body.en) == places(found.body.zh)


def test_a_template_that_would_mail_a_name_is_refused() -> None:
    both = {"en": "Dear {name}", "zh": "親愛的{name}"}
    plain = {"en": "News", "zh": "新消息"}
    with pytest.raises(ValueError, match="name may not appear"):
        Template.of("x", {"subject": plain, "body": plain, "mail": both})


@pytest.mark.django_db
def test_it_is_on_the_wall_at_once_and_sent_once(mailbox: Mailbox) -> None:
    subject = a_person(email="mother@example.test")
    citizen = Actor("citizen", subject=subject)
    assert tell(subject) == tell(subject)
    (view,) = api.wall(actor=citizen)
    assert (view.read, view.mail_state) == (False, "waiting")
    assert "在哪個病房出生？" in view.body.zh
    api.deliver(emitted())
    api.deliver(emitted())
    (mail,) = mailbox.mails
    assert mail.to == "mother@example.test"
    assert "病房" not in mail.subject + mail.text
    assert "B-7K3M9Q" in mail.subject
    assert mail.text.endswith("/services/\n")
    assert api.wall(actor=citizen)[0].mail_state == "sent"


@pytest.mark.django_db
def test_a_mail_server_that_is_down_delays_the_mail_and_not_the_notice(mailbox: Mailbox) -> None:
    subject = a_person()
    mailbox.down = True
    tell(subject)
    with pytest.raises(ConnectionRefusedError):
        api.deliver(emitted())
    assert len(api.wall(actor=Actor("citizen", subject=subject))) == 1
    mailbox.down = False
    api.deliver(emitted())
    assert len(mailbox.mails) == 1


@pytest.mark.django_db
def test_without_an_address_there_is_only_the_wall(mailbox: Mailbox) -> None:
    subject = a_person(email="")
    tell(subject)
    api.deliver(emitted())
    assert mailbox.mails == []
    assert api.wall(actor=Actor("citizen", subject=subject))[0].mail_state == "none"


def test_the_message_is_well_formed_and_recognisable_when_sent_again() -> None:
    mail = Mail("mother@example.test", "您的申請", "內容", "<n-1@smartgov.example>")
    first, second = compose(mail), compose(mail)
    assert first["Message-ID"] == second["Message-ID"] == "<n-1@smartgov.example>"
    assert first["Subject"] == "您的申請"
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_line_break_cannot_smuggle_a_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        compose(Mail("mother@example.test", "x\r\nBcc: all@example.test", "y", "<n-1@smartgov.example>"))


@pytest.mark.django_db
def test_reading_marks_and_leads_on_and_others_find_nothing(mailbox: Mailbox) -> None:
    subject = a_person()
    notice = tell(subject)
    browser = signed_in_citizen(subject)
    assert "戶政司" in browser.get("/notify/").content.decode()
    assert api.unread(actor=Actor("citizen", subject=subject)) == 1
    assert browser.post(f"/notify/{notice}/read")["Location"] == "/services/"
    assert api.unread(actor=Actor("citizen", subject=subject)) == 0
    stranger = signed_in_citizen()
    assert stranger.post(f"/notify/{notice}/read").status_code == 404
    assert "戶政司" not in stranger.get("/notify/").content.decode()
    with pytest.raises(Http404):
        api.wall(actor=Actor("officer", subject=subject, seat="s", agency="ris"))


@pytest.mark.django_db
def test_notices_are_gone_after_two_years(mailbox: Mailbox) -> None:
    tell(a_person())
    with clock.travelling(delta=timedelta(days=731)):
        ops.retire_all(clock.now())
    assert not Notice.objects.exists()
