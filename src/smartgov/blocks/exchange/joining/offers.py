"""What members sign: the draft that they read, and the offer that they hand in."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from smartgov.blocks.exchange import joining_problems
from smartgov.blocks.exchange.joining.acts import at_the_centre, of_gateway
from smartgov.blocks.exchange.joining.speakers import key_of
from smartgov.blocks.exchange.models import SignedOffer
from smartgov.blocks.exchange.publishing import changed, publication
from smartgov.engines import trust
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import clock


def draft(letter: Letter) -> dict[str, Any]:
    """What the register says that a member offers, for it to read and to sign; and the number for its signature."""
    member = str(letter.content.get("member", ""))
    key_of(letter, member)
    last = SignedOffer.objects.filter(member=member).values_list("version", flat=True).first() or 0
    return {"said": trust.draft(member, publication(clock.now())), "version": max(last, 1) + 1}


@transaction.atomic
def hand_in(letter: Letter) -> int:
    """Take a member's signed offer and publish it; returns its number. An older one than before is refused."""
    at_the_centre()
    given = letter.content.get("offer")
    offer = trust.Offer.of(given if isinstance(given, dict) else {})
    key = key_of(letter, offer.member)
    signed = trust.check_offer(offer, key)
    last = SignedOffer.objects.select_for_update().filter(member=offer.member).first()
    if last is not None and signed.version <= last.version:
        raise joining_problems.REPLAYED
    keep(offer)
    changed(of_gateway(offer.member), "exchange.offer_signed", "member", offer.member, version=signed.version)
    return int(signed.version)


def keep(offer: trust.Offer) -> None:
    """Keep a member's signed offer in place of the one before."""
    SignedOffer.objects.update_or_create(
        member=offer.member,
        defaults={"offer": offer.as_json(), "version": offer.version, "handed_at": clock.now()},
    )
