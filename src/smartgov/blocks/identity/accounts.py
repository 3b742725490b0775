"""Verbs over people: enrol, find, read what only identity knows, and their seats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from django.db import transaction
from django.db.models import Q

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.domain import Contact, Role, SeatView
from smartgov.blocks.identity.models import Account, MobileKey, Seat
from smartgov.shared import clock, content, ids
from smartgov.shared.actor import Actor
from smartgov.shared.sealed import blind_index
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id as nid

_INDEX = "identity.account.national_id"


@lru_cache(maxsize=1)
def roles() -> dict[str, Role]:
    """The roles of this jurisdiction by name."""
    return domain.read_roles(content.read("roles.yaml"))


def national_id_index(national_id: str) -> str:
    """The blind index by which an account is found."""
    return blind_index(national_id, _INDEX)


@transaction.atomic
def enrol(*, actor: Actor, national_id: str, name: str, email: str = "") -> str:
    """Make an account for a person, or bring the present one up to date; returns its subject id."""
    if not nid.is_valid(national_id):
        raise ValueError("enrolment needs a valid national id")
    account, created = Account.objects.update_or_create(
        national_id_index=national_id_index(national_id),
        defaults={"national_id": national_id, "name": name, "email": email},
    )
    action = "account.enrolled" if created else "account.updated"
    audit.record(actor=actor, action=action, object_type="account", object_id=account.subject)
    return account.subject


@transaction.atomic
def enrol_represented(*, actor: Actor, national_id: str, name: str, signs_in_from: date | None = None) -> str:
    """An account for somebody who is acted for; no one signs in to it before `signs_in_from`. Returns the subject."""
    subject = account_by_national_id(national_id) or enrol(actor=actor, national_id=national_id, name=name)
    Account.objects.filter(subject=subject).update(signs_in_from=signs_in_from)
    return subject


@transaction.atomic
def close(*, actor: Actor, subject: str) -> None:
    """Close an account: nobody signs in with it, its sessions end, and retirement blanks it later."""
    account = _account(subject)
    account.is_active, account.closed_at, account.session_epoch = False, clock.now(), ids.uuid7()
    account.save(update_fields=["is_active", "closed_at", "session_epoch"])
    account.seats.update(active=False)
    account.live_sessions.all().delete()
    audit.record(actor=actor, action="account.closed", object_type="account", object_id=subject)


@transaction.atomic
def add_seat(*, actor: Actor, subject: str, agency: str, role: str) -> str:
    """Give a person a seat in `role` at `agency`; returns the seat's id. An existing one is made active again."""
    if role not in roles() or role in (domain.CITIZEN, domain.RECOVERING):
        raise ValueError(f"there is no role {role!r} for seats")
    seat, _ = Seat.objects.update_or_create(
        account=_account(subject), agency=agency, role=role, defaults={"active": True}
    )
    audit.record(actor=actor, action="seat.given", object_type="seat", object_id=seat.id, detail={"role": role})
    return seat.id


@transaction.atomic
def end_seat(*, actor: Actor, seat: str) -> None:
    """End a seat; a session in it can do nothing any more."""
    Seat.objects.filter(id=seat).update(active=False)
    audit.record(actor=actor, action="seat.ended", object_type="seat", object_id=seat)


@transaction.atomic
def add_mobile_key(*, actor: Actor, subject: str, jwk: Mapping[str, str]) -> str:
    """Enrol the public P-256 key of a person's phone; returns its key id (RFC 7638 thumbprint)."""
    public = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    if (public["kty"], public["crv"]) != ("EC", "P-256"):
        raise ValueError("a mobile key is an EC key on P-256")
    domain.public_key(public)  # refuses a point that is not on the curve
    key_id = domain.thumbprint(public)
    _, created = MobileKey.objects.get_or_create(
        key_id=key_id, defaults={"account": _account(subject), "public_jwk": public}
    )
    if created:
        audit.record(actor=actor, action="mobile_key.added", object_type="account", object_id=subject)
    return key_id


def mobile_keys(*, subject: str) -> dict[str, dict[str, str]]:
    """The public keys of a person's phones by key id, for blocks that have something approved there.

    Phones that were enrolled in a recovery are not among them before they have cooled.
    """
    rows = MobileKey.objects.filter(account__subject=subject, account__is_active=True, suspended_at=None)
    rows = rows.filter(Q(cools_until=None) | Q(cools_until__lte=clock.now())).order_by("-id")
    return {row.key_id: dict(row.public_jwk) for row in rows}


def account_by_national_id(national_id: str) -> str | None:
    """The subject of the person with this national id, if they have an open account."""
    found = Account.objects.filter(national_id_index=national_id_index(national_id), is_active=True)
    return found.values_list("subject", flat=True).first()


@transaction.atomic
def subject_national_id(*, actor: Actor, subject: str, purpose: str) -> str:
    """A person's national id: for themselves, or for a system of ours with a purpose; the reading is audited."""
    return _read(actor, subject, "national_id", purpose).national_id


@transaction.atomic
def subject_name(*, actor: Actor, subject: str, purpose: str) -> str:
    """A person's name: for themselves, or for a system of ours with a purpose; the reading is audited."""
    return _read(actor, subject, "name", purpose).name


@transaction.atomic
def contact(*, actor: Actor, subject: str, purpose: str) -> Contact:
    """Name and e-mail address, for the block that sends notices."""
    account = _read(actor, subject, "contact", purpose)
    return Contact(account.name, account.email)


def _read(actor: Actor, subject: str, what: str, purpose: str) -> Account:
    own = actor.kind == "citizen" and subject in (actor.subject, actor.acting_for)
    if not own and actor.kind != "system":
        raise domain.person_unknown()
    account = _account(subject)
    if not own:
        audit.record(
            actor=actor,
            action=f"identity.{what}_read",
            object_type="account",
            object_id=subject,
            detail={"purpose": purpose},
        )
    return account


def _account(subject: str) -> Account:
    account = Account.objects.filter(subject=subject).first()
    if account is None:
        raise domain.person_unknown()
    return account


def seats_of(subject: str) -> list[SeatView]:
    """The active seats of a person, oldest first."""
    seats = Seat.objects.filter(account__subject=subject, account__is_active=True, active=True)
    return [view_of(seat) for seat in seats.select_related("account").order_by("since", "id")]


def officers(agency: str, permission: str) -> list[str]:
    """The subjects of those who may do this for an agency, each once; empty for an agency without seats here."""
    able = [name for name, role in roles().items() if role.allows(permission)]
    seats = Seat.objects.filter(agency=agency, role__in=able, active=True, account__is_active=True)
    return sorted(set(seats.values_list("account__subject", flat=True)))


def seat(seat_id: str) -> SeatView:
    """An active seat; Problem `person-unknown`."""
    found = Seat.objects.filter(id=seat_id, active=True, account__is_active=True).select_related("account").first()
    if found is None:
        raise domain.person_unknown()
    return view_of(found)


def title_of_seat(seat_id: str) -> Text | None:
    """The role of a seat that is or was held here; None when the seat is not known."""
    role = Seat.objects.filter(id=seat_id).values_list("role", flat=True).first()
    found = roles().get(role or "")
    return found.title if found else None


def person_of_seat(seat_id: str) -> str:
    """The subject of the person who sits or sat in a seat, so that two seats of one person are never two persons."""
    subject = Seat.objects.filter(id=seat_id).values_list("account__subject", flat=True).first()
    if subject is None:
        raise domain.person_unknown()
    return subject


def view_of(row: Seat) -> SeatView:
    """The view of a row whose account is loaded."""
    return SeatView(row.id, row.account.subject, row.agency, row.role, roles()[row.role].title)


def pairwise(subject: str, sector: str) -> str:
    """A pseudonym of a person that differs for every sector and does not lead back."""
    return blind_index(f"{sector}\n{subject}", "identity.pairwise")
