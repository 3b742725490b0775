import json
from email.message import EmailMessage

import pytest

from smartgov.simulators.mailbox.app import MailboxApp
from smartgov.simulators.mailbox.store import Mailbox

from .driving import ask


@pytest.fixture
def app(tmp_path):
    return MailboxApp(Mailbox(tmp_path))


def letter(subject="核定通知", text="請見 http://localhost:8000/services/ 。", html=None):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "gov@example.tw", "mother@example.tw", subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_the_newest_message_stands_first_and_opens(app):
    app.mailbox.add(letter("first"))
    name = app.mailbox.add(letter())
    page = ask(app, "GET", "/").body.decode()
    assert page.index("核定通知") < page.index("first")
    opened = ask(app, "GET", f"/messages/{name}").body.decode()
    assert "gov@example.tw" in opened
    assert '<a href="http://localhost:8000/services/"' in opened


def test_a_message_is_shown_as_text_whatever_it_contains(app):
    evil = '<script>alert(1)</script> https://evil.example/x http://localhost@evil.example/ "><img src=x>'
    name = app.mailbox.add(letter("<b>bold</b>", evil, html="<h1>shown elsewhere</h1>"))
    page = ask(app, "GET", f"/messages/{name}").body.decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "evil.example/x" in page
    assert 'href="http' not in page
    assert "shown elsewhere" not in page


def test_html_alone_is_shown_as_its_source(app):
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("<h1>big</h1>", subtype="html")
    name = app.mailbox.add(message.as_bytes())
    assert "&lt;h1&gt;big" in ask(app, "GET", f"/messages/{name}").body.decode()


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"Subject: =?utf-8?B?broken", b"Content-Type: text/plain; charset=no-such\n\nx"]
)
def test_a_broken_message_does_not_hide_the_others(app, raw):
    app.mailbox.add(raw)
    app.mailbox.add(letter("intact"))
    assert "intact" in ask(app, "GET", "/").body.decode()
    assert len(json.loads(ask(app, "GET", "/messages.json").body)) == 2


def test_programs_get_the_same_and_may_ask_for_fewer(app):
    for number in range(3):
        app.mailbox.add(letter(f"n{number}"))
    got = json.loads(ask(app, "GET", "/messages.json?limit=2").body)
    assert [mail["subject"] for mail in got] == ["n2", "n1"]
    assert got[0]["recipients"] == "mother@example.tw"
    assert "services" in got[0]["text"]


def test_unknown_and_climbing_names_find_nothing(app, tmp_path):
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
    for name in ("none", "..%2fsecret", "0190a0a0-0000-7000-8000-000000000000"):
        assert ask(app, "GET", f"/messages/{name}").status == 404


def test_only_the_newest_are_kept_and_only_their_owner_reads_them(app, monkeypatch):
    monkeypatch.setattr("smartgov.simulators.mailbox.store.KEPT", 2)
    for number in range(4):
        app.mailbox.add(letter(f"n{number}"))
    files = list(app.mailbox.folder.glob("*.eml"))
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert [mail.subject for mail in app.mailbox.newest()] == ["n3", "n2"]
