"""Mandates by the registers' word, and the check of every mandate: at each page, and anew at each refresh."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import IntegrityError, transaction
from django.http import Http404

from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.api import Evidence, Represented, Standing
from smartgov.blocks.mandates import catalogue, domain, ending, evidence
from smartgov.blocks.mandates.domain import RECHECK_AFTER, End, State, comes_of_age
from smartgov.blocks.mandates.evidence import Ground
from smartgov.blocks.mandates.models import Business, Mandate
from smartgov.blocks.signing import api as signing
from smartgov.shared import clock
from smartgov.shared.actor import Actor

SYSTEM = ending.SYSTEM


@dataclass(frozen=True, slots=True)
class Mandates:
    """Implements the ports `Mandates` of `identity` and of `signing`."""

    def standing(self, *, subject: str, represented: str, mandate: str) -> Standing:
        """See the port."""
        return standing(subject=subject, represented=represented, mandate=mandate)

    def check(self, *, subject: str, represented: str, mandate: str) -> Standing:
        """See the port."""
        return check(subject=subject, represented=represented, mandate=mandate)

    def caption(self, *, subject: str, mandate: str) -> Represented | None:
        """See the port."""
        return caption(subject=subject, mandate=mandate)

    def word(self, *, mandate: str, represented: str, holder: str, at: datetime) -> Literal["held", "not-held"]:
        """See the port of `signing`."""
        return word(mandate=mandate, represented=represented, holder=holder, at=at)


def draw(*, actor: Actor) -> int:
    """Ask the registers for whom the actor may act; how many mandates that gives that were not there. Problem
    `mandate-register-silent` when one does not answer; what was found before stays as it was."""
    subject = _own(actor)
    number = identity.subject_national_id(actor=actor, subject=subject, purpose="mandate")
    found = list(evidence.of_person(SYSTEM, number))
    name = identity.subject_name(actor=actor, subject=subject, purpose="mandate")
    return sum(_keep(actor, subject, name, ground) for ground in found)


def take_up(*, actor: Actor, mandate: str) -> str:
    """Check the evidence anew before the actor begins to act; returns the represented subject."""
    subject = _own(actor)
    row = Mandate.objects.filter(id=mandate, representative=subject).first()
    if row is None:
        raise Http404
    check(subject=subject, represented=row.represented, mandate=mandate)
    with transaction.atomic():
        ending.note(actor, "mandate.taken_up", row)
    return row.represented


def standing(*, subject: str, represented: str, mandate: str) -> Standing:
    """What the mandate allows now, on evidence of the last five minutes."""
    return _stand(subject, represented, mandate, clock.now() - RECHECK_AFTER)


def check(*, subject: str, represented: str, mandate: str) -> Standing:
    """The same, on evidence asked now."""
    return _stand(subject, represented, mandate, None)


def caption(*, subject: str, mandate: str) -> Represented | None:
    """Whom it is about, in words, for its own representative."""
    row = Mandate.objects.filter(id=mandate, representative=subject).first()
    return _words(row) if row else None


def word(*, mandate: str, represented: str, holder: str, at: datetime) -> Literal["held", "not-held"]:
    """Whether this mandate let the signer sign for `represented`, a name, at `at`.

    `holder` is the signer's pseudonym at the authority.
    """
    row = Mandate.objects.filter(id=mandate).exclude(begins_at=None).first()
    if row is None or row.begins_at is None or row.represented_name != represented:
        return "not-held"
    ends = [moment for moment in (row.ends_at, row.over_at) if moment is not None]
    permitted = {name for code in row.scope for name in catalogue.known().scopes[code].permissions}
    # A stamp tells whole seconds: who signs in the second in which the mandate begins signs by it.
    begun = row.begins_at.replace(microsecond=0)
    holds = begun <= at and all(at < moment for moment in ends) and "signing.sign" in permitted
    return "held" if holds and signing.holder_of(row.representative) == holder else "not-held"


def expire() -> int:
    """End what is over by time; both sides are told. How many there were."""
    due = Mandate.objects.filter(state=State.ACTIVE, ends_at__lte=clock.now()).values_list("id", "by_birthday")
    return sum(ending.over(SYSTEM, mandate, End.BIRTHDAY if born else End.EXPIRED) for mandate, born in due)


def _stand(subject: str, represented: str, mandate: str, fresh_since: datetime | None) -> Standing:
    row = _active(subject, represented, mandate)
    kind = catalogue.known().kinds[row.kind]
    if kind.evidence and (fresh_since is None or row.checked_at is None or row.checked_at < fresh_since):
        _recheck(row)
        row = _active(subject, represented, mandate)
    scopes = [catalogue.known().scopes[code] for code in row.scope]
    return Standing(
        represented=_words(row),
        permissions=frozenset().union(*(scope.permissions for scope in scopes)),
        excludes=kind.excludes,
        signs_in=any(scope.signs_in for scope in scopes),
        until=row.ends_at,
        evidence=_evidence(row),
    )


def _evidence(row: Mandate) -> Evidence:
    if row.is_given:
        return Evidence("given", domain.terms_digest(json.loads(row.terms)), row.begins_at)
    return Evidence("register", row.evidence, row.checked_at)


def _active(subject: str, represented: str, mandate: str) -> Mandate:
    """The mandate in force of exactly these two, else Problem `mandate-over`; a day too late ends it at once."""
    row = Mandate.objects.filter(
        id=mandate, representative=subject, represented=represented, state=State.ACTIVE
    ).first()
    if row is None:
        raise identity.mandate_over()
    if row.ends_at is not None and row.ends_at <= clock.now():
        ending.over(SYSTEM, row.id, End.BIRTHDAY if row.by_birthday else End.EXPIRED)
        raise identity.mandate_over()
    return row


def _recheck(row: Mandate) -> None:
    """Ask the register again. Silence refuses and changes nothing; a no ends the mandate."""
    ground = _ground(row)
    if ground is None or ground.kind != row.kind:
        # The register may say no because the child is fourteen, and the clock here says so as well.
        birthday = row.by_birthday and row.ends_at is not None and row.ends_at <= clock.now()
        ending.over(SYSTEM, row.id, End.BIRTHDAY if birthday else End.REGISTER)
        return
    Mandate.objects.filter(id=row.id).update(
        checked_at=clock.now(), evidence=ground.exchange, ends_at=ground.ends, by_birthday=ground.by_birthday
    )


def _ground(row: Mandate) -> Ground | None:
    representative = _number(row.representative)
    if catalogue.known().kinds[row.kind].evidence == "business":
        business = Business.objects.filter(subject=row.represented).first()
        return evidence.for_business(SYSTEM, business.number, representative) if business else None
    return evidence.for_person(SYSTEM, _number(row.represented), representative)


def _number(subject: str) -> str:
    return identity.subject_national_id(actor=SYSTEM, subject=subject, purpose="mandate.check")


def _keep(actor: Actor, subject: str, name: str, ground: Ground) -> bool:
    kind = catalogue.known().kinds[ground.kind]
    represented = _subject_of(ground, kind.until_age)
    if represented == subject:
        return False
    values = {
        "state": State.ACTIVE,
        "represented_name": ground.name,
        "representative_name": name,
        "scope": list(kind.scope),
        "begins_at": clock.now(),
    }
    news = {
        "checked_at": clock.now(),
        "evidence": ground.exchange,
        "ends_at": ground.ends,
        "by_birthday": ground.by_birthday,
    }
    ours = {"kind": kind.code, "represented": represented, "representative": subject}
    try:
        with transaction.atomic():
            if Mandate.objects.filter(**ours, state=State.ACTIVE).update(**news):
                return False
            ending.begun(actor, Mandate.objects.create(**ours, **values, **news))
    except IntegrityError:  # the same was drawn in another window
        return False
    return True


def _subject_of(ground: Ground, until_age: int) -> str:
    if ground.kind == "company":
        row, _ = Business.objects.update_or_create(number=ground.number, defaults={"name": ground.name[:60]})
        return row.subject
    young = ground.born is not None and until_age and clock.today() < comes_of_age(ground.born, until_age)
    alone_from = comes_of_age(ground.born, until_age) if ground.born is not None and young else None
    return identity.enrol_represented(
        actor=SYSTEM, national_id=ground.number, name=ground.name, signs_in_from=alone_from
    )


def _words(row: Mandate) -> Represented:
    return Represented(row.represented_name, catalogue.known().kinds[row.kind].title)


def _own(actor: Actor) -> str:
    """The person as themselves: nobody draws or takes up a mandate while acting for another."""
    if actor.kind != "citizen" or not actor.subject or actor.acting_for:
        raise identity.not_while_acting()
    return actor.subject
