"""The configuration of T-Road as TUF metadata: a threshold root, expiry, and offers that each member signs itself."""

from smartgov.engines.trust.centre import Centre, SignsOffers, draft
from smartgov.engines.trust.follower import GRACE, Follower, View
from smartgov.engines.trust.offers import Offer, Vouched, check_offer, sign_offer, thumbprints
from smartgov.engines.trust.proof import is_whole, proving
from smartgov.engines.trust.repository import OnlineKeys, Repository
from smartgov.engines.trust.rotation import WAIT, Rotation

__all__ = [
    "GRACE",
    "WAIT",
    "Centre",
    "Follower",
    "Offer",
    "OnlineKeys",
    "Repository",
    "Rotation",
    "SignsOffers",
    "View",
    "Vouched",
    "check_offer",
    "draft",
    "is_whole",
    "proving",
    "sign_offer",
    "thumbprints",
]
