"""A member whose keys were lost, or changed, enters anew: nothing that may happen only once is done twice by it.

The gateway of the old keys works until the new one is approved and started, and another gateway of the member may have
been in charge, for as long as anybody believes the old keys.
"""

from __future__ import annotations

import shutil
import time
from argparse import Namespace
from typing import Any
from uuid import uuid4

import pytest

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import backup
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.joining import looking_after, setting_up
from smartgov.engines.troad.single_place import LOST_SECONDS
from smartgov.engines.troad.tests.country import wait_for
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.test_rekeyed_process import date_back
from smartgov.engines.troad.tests.test_restore_process import HPA, Story, asked, story
from smartgov.engines.trust import Rotation
from smartgov.shared import clock
from smartgov.shared.ids import uuid7

__all__ = ["story"]
pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


class Entering:
    """hpa with a new home, whose request is written while the gateway of the old keys goes on."""

    def __init__(self, story: Story, waits: int = 0) -> None:
        self.story, self.country, self.new = story, story.country, story.folder / "new"
        at = homes.load(story.home)
        homes.create(self.new, member="hpa", port=at.port, local_port=at.local_port, subsystems={}, anchor=at.anchor())
        shutil.copy(story.home / "gateway.yaml", self.new / "gateway.yaml")
        shutil.copytree(story.home / "secrets", self.new / "secrets", dirs_exist_ok=True)
        self.began = int(time.time())
        backup.mark_restored(self.new, entering={"since": self.began, "waits": waits})

    def start(self) -> None:
        """It was approved: stop the old one, start the new one, and wait until its log has begun."""
        story = self.story
        story.process.end()
        old = story.home.rename(story.folder / "old")
        self.new.rename(story.home)
        self.old = homes.load(old).p256("configuration")
        date_back(story)
        self.publish(since=self.began)
        backup.mark_listed(story.home)
        story.process.start()
        wait_for(lambda: "log-restored" not in story.health()["alarms"])

    def publish(self, *, since: int) -> None:
        country, home = self.country, self.story.home
        country.described["hpa"] |= homes.describe(home)
        new = homes.configuration_key(home)
        said = Rotation.make(member=HPA, old=self.old.public_key(), new=new, at=clock.now(), by=[self.old])

        def sign(**offer: Any) -> Any:
            own = {"once": {"gateway": "gw1", "since": since}} if offer["member"] == HPA else {}
            return homes.sign_offer(country.folder / offer["member"].rsplit("/", 1)[1], **{**offer, **own})

        data = country.data()
        data["services"][0]["related"] = ["father_id", f"signed-for-{since}"]  # so that the member signs anew
        country.centre.publish(
            data,
            member_keys={
                one["member"]: homes.configuration_key(country.folder / code) for code, one in country.described.items()
            },
            sign=sign,
            now=clock.now(),
            rotations=[said],
        )
        for code in country.described:
            homes.set_bundle(country.folder / code, country.centre.repository.bundle())

    def until_taken(self) -> None:
        """What was made up to a minute after its start is refused."""
        wait_for(lambda: asked(self.country) == "answered")


@pytest.fixture
def done(story: Story) -> list[str]:
    """What the service has carried out."""
    carried_out: list[str] = []

    def service(request: Request) -> Response:
        carried_out.append(request.path)
        return Response.json({"hospital": "x"}, 201)

    story.country.behind.answer = service
    return carried_out


def test_a_key_that_the_old_gateway_took_after_the_request_is_not_used_again(story: Story, done: list[str]) -> None:
    entering, keys, kept = Entering(story), list[str](), Kept(story.country)
    time.sleep(7)  # the request says that nothing of the minute after it is taken; it is dated back by 55 seconds
    for key in (uuid7(), str(uuid4())):
        assert kept.ask(idempotency_key=key) == "answered"
        keys.append(key)
    of_old = set(kept.told)
    entering.start()
    entering.until_taken()
    done.clear()
    for key in keys:
        assert asked(story.country, idempotency_key=key) == "outcome-unknown"
    assert done == []
    assert kept.ask(idempotency_key=uuid7()) == "answered", "one of now was not used"
    kept.hold("ris")
    kept.hold("hpa", but=of_old)


def test_keys_wait_until_nobody_believes_the_lost_ones_any_more(story: Story, done: list[str]) -> None:
    """As where nobody knows which gateway was in charge, or it was another one; also after a restart."""
    entering = Entering(story, LOST_SECONDS)
    entering.start()
    entering.until_taken()
    for _ in range(2):
        done.clear()
        for key in (uuid7(), str(uuid4())):
            assert asked(story.country, idempotency_key=key) == "once-moving"
        assert done == []
        assert story.health()["once"] == {"gateway": "TW/GOV/hpa/gw1", "state": "moving"}
        story.process.end()
        story.process.start()
        wait_for(lambda: asked(story.country) == "answered")
    at, words = homes.load(story.home), Namespace(once="gw1", former_stopped=True)
    said = looking_after._once(at, Configuration(at), {"gw1"}, words)
    assert said is not None
    entering.publish(since=said["since"])
    wait_for(lambda: story.health()["once"]["state"] == "here")
    time.sleep(2)
    kept = Kept(story.country)
    assert kept.ask(idempotency_key=uuid7()) == "answered"
    assert asked(story.country, idempotency_key=str(uuid4())) == "outcome-unknown"
    kept.hold()


def test_who_was_in_charge_is_read_from_what_the_lost_keys_have_signed(story: Story) -> None:
    country = story.country
    bundle, root = country.publish(), country.centre.anchor
    assert setting_up.published_once(bundle, root, HPA) == "gw1"
    assert setting_up.published_once(bundle, root, "TW/GOV/nobody") == ""
    assert setting_up.published_once(b"{}", root, HPA) == ""
