"""Mandates that a person gives: drafted, approved with a passkey, accepted by the other, ended by either side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import Http404

from smartgov.blocks.identity import api as identity
from smartgov.blocks.mandates import catalogue, domain, ending
from smartgov.blocks.mandates.domain import FOLLOWS, OFFER_LIFE, End, MandateView, State
from smartgov.blocks.mandates.models import Mandate
from smartgov.blocks.notify import api as notify
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id
from smartgov.shared.tw.roc import written

NEEDED_ASSURANCE = 2


@transaction.atomic
def draft(*, actor: Actor, kind: str, to: str, to_name: str, scope: Iterable[str], until: date | None) -> str:
    """Write down a mandate that nobody has approved yet; returns its id. Problem `mandate-invalid` names what to mend.

    Whether the other has an account is not told: a stranger could look people up by it. The mandate then finds nobody.
    """
    subject = _own(actor)
    rule = catalogue.known().kinds.get(kind)
    number, chosen = to.strip().upper(), [code for code in scope if rule and code in rule.scope]
    if rule is None or rule.evidence:
        raise _wrong("kind", Text("Choose the kind of mandate.", "請選擇委任種類。"))
    if not national_id.is_valid(number):
        raise _wrong("to", Text("This is not a national id number.", "身分證統一編號格式不符。"))
    if not to_name.strip():
        raise _wrong("to_name", Text("Write the name of the person.", "請填寫代理人姓名。"))
    if not chosen:
        raise _wrong("scope", Text("Choose at least one matter.", "請至少勾選一項代理事項。"))
    latest = clock.today() + timedelta(days=rule.most_days)
    if until is None or not clock.today() <= until <= latest:
        raise _wrong(
            "until",
            Text("Choose a day from today to {day}.", "請選擇今日至{day}之間的日期。").format(day=written(latest)),
        )
    representative = identity.account_by_national_id(number) or ""
    if representative == subject:
        raise _wrong("to", Text("This is your own number.", "這是您自己的號碼。"))
    name = identity.subject_name(actor=actor, subject=subject, purpose="mandate")
    row = Mandate(
        kind=kind,
        represented=subject,
        representative=representative,
        represented_name=name,
        representative_name=to_name.strip()[:60],
        scope=chosen,
        ends_at=domain.start_of(until + timedelta(days=1)),
        is_given=True,
    )
    row.terms = json.dumps(_terms(row, until), ensure_ascii=False)
    row.save()
    return row.id


def offer(*, actor: Actor, mandate: str, proof: Mapping[str, Any]) -> None:
    """Approve a draft by `proof`, a passkey's signature over its digest made now; the other is asked.

    Problem `mandate-needs-passkey` below level 2 or when the proof is for other terms.
    """
    subject = _own(actor)
    with transaction.atomic():
        row = Mandate.objects.select_for_update().filter(id=mandate, represented=subject).first()
        if row is None or row.state != State.DRAFT:
            raise Http404
        if actor.assurance < NEEDED_ASSURANCE or proof.get("digest") != domain.terms_digest(json.loads(row.terms)):
            raise domain.NEEDS_PASSKEY
        row.state, row.proof = State.OFFERED, json.dumps(dict(proof))
        row.save(update_fields=["state", "proof"])
        ending.note(actor, "mandate.offered", row)
        if row.representative:
            _ask(actor, row)


def accept(*, actor: Actor, mandate: str) -> None:
    """Accept a mandate that was offered to the actor; from now on it is in force."""
    with transaction.atomic():
        row = _offered(actor, mandate)
        if actor.assurance < NEEDED_ASSURANCE:
            raise domain.NEEDS_PASSKEY
        row.state, row.begins_at = State.ACTIVE, clock.now()
        row.representative_name = identity.subject_name(actor=actor, subject=row.representative, purpose="mandate")
        row.save(update_fields=["state", "begins_at", "representative_name"])
        ending.begun(actor, row)


def refuse(*, actor: Actor, mandate: str) -> None:
    """Refuse a mandate that was offered to the actor."""
    with transaction.atomic():
        row = _offered(actor, mandate)
        row.state, row.over_at = State.REFUSED, clock.now()
        row.save(update_fields=["state", "over_at"])
        ending.note(actor, "mandate.refused", row)


def end(*, actor: Actor, mandate: str) -> None:
    """End a mandate by either side; the next request of whoever acts by it is refused."""
    row = _mine(_own(actor), mandate)
    why = End.REPRESENTED if row.represented == actor.subject else End.REPRESENTATIVE
    ending.over(actor, row.id, why)


def views(*, actor: Actor) -> list[MandateView]:
    """All mandates in which the actor has a side, newest first; drafts and unsigned ones only for their giver."""
    subject = _own(actor)
    rows = Mandate.objects.filter(_visible(subject)).order_by("-made_at")
    return [_view(row, subject) for row in rows]


def one(*, actor: Actor, mandate: str) -> MandateView:
    """One of them, else Http404."""
    subject = _own(actor)
    return _view(_mine(subject, mandate), subject)


def _visible(subject: str) -> Q:
    return Q(represented=subject) | (
        Q(representative=subject) & ~Q(state=State.DRAFT) & ~Q(state=State.ENDED, begins_at=None)
    )


def _mine(subject: str, mandate: str) -> Mandate:
    row = Mandate.objects.filter(_visible(subject), id=mandate).first()
    if row is None:
        raise Http404
    return row


def _offered(actor: Actor, mandate: str) -> Mandate:
    subject = _own(actor)
    row = Mandate.objects.select_for_update().filter(id=mandate, representative=subject, state=State.OFFERED).first()
    late = row is not None and (row.made_at + OFFER_LIFE <= clock.now() or _is_over(row))
    if row is None or late or State.ACTIVE not in FOLLOWS[State(row.state)]:
        raise Http404
    return row


def _is_over(row: Mandate) -> bool:
    return row.ends_at is not None and row.ends_at <= clock.now()


def _terms(row: Mandate, until: date) -> dict[str, Any]:
    known = catalogue.known()
    return {
        "mandate": row.id,
        "kind": row.kind,
        "represented": row.represented_name,
        "representative": row.representative_name,
        "scope": [{"code": code, **known.scopes[code].title.as_dict()} for code in row.scope],
        "until": until.isoformat(),
        "law": known.kinds[row.kind].law.as_dict(),
    }


def _ask(actor: Actor, row: Mandate) -> None:
    notify.send(
        actor=actor,
        subject=row.representative,
        template="mandate_offered",
        context={
            "who": row.represented_name,
            "kind": catalogue.known().kinds[row.kind].title,
            "until": written(date.fromisoformat(json.loads(row.terms)["until"])),
        },
        link=f"/mandates/{row.id}",
        key=f"mandate_offered:{row.id}",
    )


def _view(row: Mandate, subject: str) -> MandateView:
    known = catalogue.known()
    return MandateView(
        id=row.id,
        kind=known.kinds[row.kind],
        state=State(row.state),
        represented=row.represented_name,
        representative=row.representative_name,
        scope=tuple(known.scopes[code] for code in row.scope),
        begins=row.begins_at,
        ends=row.ends_at,
        over=End(row.over) if row.over else None,
        over_at=row.over_at,
        checked_at=row.checked_at,
        mine="represented" if row.represented == subject else "representative",
        terms=json.loads(row.terms) if row.terms else {},
        proof=json.loads(row.proof) if row.proof else {},
    )


def _wrong(field: str, what: Text) -> Problem:
    return Problem("mandate-invalid", 422, what=what, field=field)


def _own(actor: Actor) -> str:
    """The person as themselves: no mandate is given, accepted or ended while acting for another."""
    if actor.kind != "citizen" or not actor.subject:
        raise Http404
    if actor.acting_for:
        raise identity.not_while_acting()
    return actor.subject
