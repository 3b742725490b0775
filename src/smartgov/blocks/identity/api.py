"""The door of `identity`: who is this, may they, and what only identity knows of a person."""

from __future__ import annotations

from smartgov.blocks.identity.accounts import (
    account_by_national_id,
    add_mobile_key,
    add_seat,
    close,
    contact,
    end_seat,
    enrol,
    enrol_represented,
    mobile_keys,
    pairwise,
    person_of_seat,
    roles,
    seat,
    seats_of,
    subject_name,
    subject_national_id,
)
from smartgov.blocks.identity.acts import begin_act, finish_act, has_passkey
from smartgov.blocks.identity.domain import (
    Contact,
    Person,
    Represented,
    Role,
    SeatView,
    Standing,
    mandate_over,
    not_while_acting,
)
from smartgov.blocks.identity.gate import SessionAuth, may, person
from smartgov.blocks.identity.openid.logouts import tell as tell_logout
from smartgov.blocks.identity.representing import register_mandates, standing
from smartgov.blocks.identity.sessions import lay_down, take_up
from smartgov.blocks.ops.api import actor, permit, public

__all__ = [
    "Contact",
    "Person",
    "Represented",
    "Role",
    "Standing",
    "SeatView",
    "SessionAuth",
    "account_by_national_id",
    "actor",
    "add_mobile_key",
    "add_seat",
    "begin_act",
    "close",
    "contact",
    "end_seat",
    "enrol",
    "enrol_represented",
    "finish_act",
    "has_passkey",
    "lay_down",
    "mandate_over",
    "may",
    "mobile_keys",
    "not_while_acting",
    "pairwise",
    "permit",
    "person",
    "person_of_seat",
    "public",
    "register_mandates",
    "roles",
    "seat",
    "seats_of",
    "standing",
    "subject_name",
    "subject_national_id",
    "take_up",
    "tell_logout",
]
