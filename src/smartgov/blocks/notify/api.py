"""Tell people what happened: on their wall at once, by e-mail as soon as the mail server takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.http import Http404

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.notify import ports
from smartgov.blocks.notify.domain import Mail, NoticeView, template
from smartgov.blocks.notify.models import Notice
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text

__all__ = ["NoticeView", "deliver", "mark_read", "send", "tell_of_account", "tell_of_ending", "unread", "wall"]

logger = structlog.get_logger()
POSTMAN = Actor.for_system("portal", "notify")


@transaction.atomic
def send(
    *,
    actor: Actor,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    link: str = "",
    key: str | None = None,
) -> str:
    """Put a notice on the wall of `subject` and queue its e-mail; returns the notice's id.

    `template` names a file of content/tw/notices; values of `context` may be Text. `link` is a path of this site. With
    the same `key` a second call changes nothing and returns the first id, so that listeners may run twice.
    """
    form = _template(template)
    key = key or uuid7()
    notice, created = Notice.objects.get_or_create(
        key=key,
        defaults={
            "subject": subject,
            "template": template,
            "title": _dump(form.subject.format(**context)),
            "body": _dump(form.body.format(**context)),
            "mail_text": {
                "subject": form.subject.format(**context).as_dict(),
                "text": form.mail.format(**context).as_dict(),
            },
            "link": link if link.startswith("/") else "",
        },
    )
    if created:
        ops.emit("notice_created", aggregate=notice.id, payload={"notice": notice.id}, actor=actor)
    return notice.id


def tell_of_account(event: ops.EmittedEvent) -> None:
    """Listener of `account_touched`: tell the person of it; a recovery that has begun can be stopped from the mail."""
    what, recovery = event.payload["what"], event.payload["recovery"]
    stoppable = what in ("recovery_begun", "recovery_proven")
    send(
        actor=POSTMAN,
        subject=event.payload["subject"],
        template=f"account_{what}",
        context={},
        link=identity.recovery_stop_path(recovery) if stoppable else "/identity/account",
        key=event.id,
    )


def tell_of_ending(event: ops.EmittedEvent) -> None:
    """Listener of `ending_near`: tell the officers who may renew or ask anew, on both sides, once for each stage."""
    said = event.payload
    found = exchange.ending(said["kind"], said["object"])
    if found is None:
        return  # renewed or ended meanwhile
    day = f"{found.ends_at.astimezone(clock.TAIPEI):%Y-%m-%d %H:%M}"
    context = {"name": found.name, "other": found.other, "day": day}
    link = "/exchange/rights" if found.kind == "right" else "/exchange/joining"
    officers = {one for agency, permission in found.told for one in identity.officers(agency, permission)}
    for subject in sorted(officers):
        send(
            actor=POSTMAN,
            subject=subject,
            template=f"{found.kind}_{'ended' if said['stage'] == 'ended' else 'ending'}",
            context=context,
            link=link,
            key=f"{event.id}:{subject}",
        )


def wall(*, actor: Actor, limit: int = 50, only_unread: bool = False) -> list[NoticeView]:
    """The actor's own notices, newest first."""
    mine = Notice.objects.filter(subject=_subject(actor))
    if only_unread:
        mine = mine.filter(read_at=None)
    return [_view(notice) for notice in mine.order_by("-created_at")[:limit]]


def unread(*, actor: Actor) -> int:
    """How many of the actor's notices are unread."""
    return Notice.objects.filter(subject=_subject(actor), read_at=None).count()


def mark_read(*, actor: Actor, notice: str) -> NoticeView:
    """Mark one of the actor's own notices as read; somebody else's does not exist (Http404)."""
    row = Notice.objects.filter(subject=_subject(actor), id=notice).first()
    if row is None:
        raise Http404
    if row.read_at is None:
        row.read_at = clock.now()
        row.save(update_fields=["read_at"])
    return _view(row)


def deliver(event: ops.EmittedEvent) -> None:
    """Listener of `notice_created`: mail the notice once. A server that does not answer raises; the outbox retries."""
    row = Notice.objects.filter(id=event.payload["notice"], mail_state=Notice.MailState.WAITING).first()
    if row is None:
        return
    contact = identity.contact(actor=POSTMAN, subject=row.subject, purpose="notice")
    if not contact.email:
        _set_state(row, Notice.MailState.NONE)
        return
    ports.current().send(_mail(row, contact.email))
    _set_state(row, Notice.MailState.SENT)
    logger.info("notice_mailed", notice=row.id)


def _mail(row: Notice, to: str) -> Mail:
    """The message in both languages: mail is read where no language was chosen."""
    subject, text = Text.of(row.mail_text["subject"]), Text.of(row.mail_text["text"])
    return Mail(
        to=to,
        subject=f"{subject.zh} {subject.en}",
        text=f"{text.zh}\n\n{text.en}\n\n{settings.ORIGIN}{row.link or '/'}\n",
        message_id=f"<{row.id}@smartgov.example>",
    )


def _set_state(row: Notice, state: Notice.MailState) -> None:
    row.mail_state = state
    row.mailed_at = clock.now() if state == Notice.MailState.SENT else None
    row.save(update_fields=["mail_state", "mailed_at"])


def _view(row: Notice) -> NoticeView:
    return NoticeView(
        id=row.id,
        subject=Text.of(json.loads(row.title)),
        body=Text.of(json.loads(row.body)),
        link=row.link,
        created_at=row.created_at,
        read=row.read_at is not None,
        mail_state=row.mail_state,
    )


def _subject(actor: Actor) -> str:
    if actor.kind != "citizen" or not actor.subject:
        raise Http404
    return actor.acting_for or actor.subject


def _dump(text: Text) -> str:
    return json.dumps(text.as_dict(), ensure_ascii=False)


_template = template
