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
    officers,
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
    Evidence,
    Person,
    Represented,
    Role,
    SeatView,
    Standing,
    mandate_over,
    not_while_acting,
)
from smartgov.blocks.identity.gate import SessionAuth, may, person
from smartgov.blocks.identity.means.papers import Begun as PaperBegun
from smartgov.blocks.identity.means.papers import Offer as SigningOffer
from smartgov.blocks.identity.means.papers import SigningCertificate
from smartgov.blocks.identity.means.papers import anchors as state_authorities
from smartgov.blocks.identity.means.papers import begin as begin_paper
from smartgov.blocks.identity.means.papers import certificates_of as signing_certificates
from smartgov.blocks.identity.means.papers import finding as state_finding
from smartgov.blocks.identity.means.papers import look as look_at_paper
from smartgov.blocks.identity.means.papers import offers as signing_offers
from smartgov.blocks.identity.means.papers import settle as settle_paper
from smartgov.blocks.identity.means.papers import subject_of as state_subject
from smartgov.blocks.identity.means.papers import take as take_paper
from smartgov.blocks.identity.means.waiting import page as waiting_page
from smartgov.blocks.identity.openid.details import register as register_detail
from smartgov.blocks.identity.openid.logouts import tell as tell_logout
from smartgov.blocks.identity.openid.resources import TokenHolder, proof_nonce, token_holder
from smartgov.blocks.identity.openid.resources import is_served as signs_in_for_others
from smartgov.blocks.identity.people.recovery import stop_word
from smartgov.blocks.identity.ports import Opened, Paper
from smartgov.blocks.identity.representing import register_mandates, standing
from smartgov.blocks.identity.sessions import lay_down, take_up
from smartgov.blocks.ops.api import actor, permit, public


def recovery_stop_path(recovery: str) -> str:
    """The address from which a recovery can be stopped without signing in; it goes to its owner only."""
    return f"/identity/recover/stop/{stop_word(recovery)}"


__all__ = [
    "Contact",
    "Opened",
    "Paper",
    "PaperBegun",
    "Person",
    "Represented",
    "Role",
    "Evidence",
    "Standing",
    "SeatView",
    "SessionAuth",
    "SigningCertificate",
    "SigningOffer",
    "TokenHolder",
    "account_by_national_id",
    "actor",
    "add_mobile_key",
    "add_seat",
    "begin_act",
    "begin_paper",
    "close",
    "contact",
    "end_seat",
    "enrol",
    "enrol_represented",
    "finish_act",
    "has_passkey",
    "lay_down",
    "look_at_paper",
    "mandate_over",
    "may",
    "mobile_keys",
    "not_while_acting",
    "officers",
    "pairwise",
    "permit",
    "person",
    "person_of_seat",
    "proof_nonce",
    "public",
    "recovery_stop_path",
    "register_detail",
    "register_mandates",
    "roles",
    "seat",
    "seats_of",
    "standing",
    "state_authorities",
    "state_finding",
    "state_subject",
    "settle_paper",
    "signing_certificates",
    "signing_offers",
    "signs_in_for_others",
    "subject_name",
    "subject_national_id",
    "take_paper",
    "take_up",
    "tell_logout",
    "token_holder",
    "waiting_page",
]
