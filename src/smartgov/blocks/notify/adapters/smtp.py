"""Mail by SMTP to the server that SMARTGOV_SMTP names."""

from __future__ import annotations

import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from smartgov.blocks.notify.domain import Mail
from smartgov.shared import clock, settings

SENDER = Address("smartgov", "no-reply", "smartgov.example")
TIMEOUT_S = 10


class SmtpCarrier:
    """Speaks to the next mail server; a refusal or silence raises OSError and the outbox tries again."""

    def send(self, mail: Mail) -> None:
        """One connection a message: volumes are small, and a broken connection then harms one message only."""
        host, _, port = settings.get("SMARTGOV_SMTP").rpartition(":")
        with smtplib.SMTP(host, int(port), timeout=TIMEOUT_S) as server:
            server.send_message(compose(mail))


def compose(mail: Mail) -> EmailMessage:
    """The RFC 5322 form of `mail`."""
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(clock.now())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
