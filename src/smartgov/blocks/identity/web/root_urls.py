"""Addresses that specifications fix, or that stand in relying parties' configurations for years."""

from django.urls import include, path

from smartgov.blocks.identity.web import openid, openid_machine, openid_remote
from smartgov.blocks.ops.api import MachineDoor
from smartgov.engines.openid import machine

_PATTERNS = [
    *(path(address, openid_machine.door, name="door") for address in openid_machine.ADDRESSES),
    path("openid/authorize", openid.authorize, name="authorize"),
    path("openid/interaction/<str:authorization>", openid.interaction, name="interaction"),
    path("openid/interaction/<str:authorization>/other-device", openid_remote.other_device, name="other-device"),
    path("openid/link/<str:code>", openid_remote.link, name="link"),
    path("openid/asked", openid_remote.asked, name="asked"),
    path("openid/asked/<str:asked>", openid_remote.asked_one, name="asked-one"),
    path("openid/end-session", openid.end_session, name="end-session"),
    path("openid/leave", openid.leave, name="leave"),
    path("openid/services", openid.services, name="services"),
    path("openid/services/<str:relation>/withdraw", openid.withdraw, name="withdraw"),
]
urlpatterns = [path("", include((_PATTERNS, "openid")))]
# The same doors by address, for the site to lead programs to them past everything that only pages need; and people who
# are signed in and have agreed before, who see no page.
MACHINE_DOORS = {
    **{f"/{address}": MachineDoor(openid_machine.answer, machine.refused) for address in openid_machine.ADDRESSES},
    "/openid/authorize": MachineDoor(openid.straight_back, lambda _: None),
}
