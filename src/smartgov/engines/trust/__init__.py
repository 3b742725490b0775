"""The configuration of T-Road as TUF metadata: a threshold root, expiry, and offers that each member signs itself."""

from smartgov.engines.trust.centre import Centre, SignsOffers, draft
from smartgov.engines.trust.follower import GRACE, Follower, View
from smartgov.engines.trust.offers import Offer, Vouched, check_offer, sign_offer, thumbprints
from smartgov.engines.trust.pins import Held, Pin, Pins
from smartgov.engines.trust.proof import Listing, is_whole, listing, proving
from smartgov.engines.trust.repository import OnlineKeys, Repository
from smartgov.engines.trust.rotation import WAIT, Rotation

__all__ = [
    "GRACE",
    "WAIT",
    "Centre",
    "Follower",
    "Held",
    "Listing",
    "Offer",
    "OnlineKeys",
    "Pin",
    "Pins",
    "Repository",
    "Rotation",
    "SignsOffers",
    "View",
    "Vouched",
    "check_offer",
    "draft",
    "is_whole",
    "listing",
    "proving",
    "sign_offer",
    "thumbprints",
]
