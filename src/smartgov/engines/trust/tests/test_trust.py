"""What a gateway believes, what it does not, and for how long."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.trust import GRACE, WAIT, Follower, OnlineKeys, Rotation, View, sign_offer
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.tests.country import HPA, NOW, RIS, Country, listed
from smartgov.shared.problems import Problem

HOUR = timedelta(hours=1)


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country(tmp_path / "centre")


@pytest.fixture
def follower(tmp_path: Path, country: Country) -> Follower:
    return Follower(tmp_path / "gateway", country.anchor)


def refused(slug: str, act: Callable[[], object]) -> None:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.slug == slug


def test_a_gateway_takes_the_country_and_what_its_members_offer(country, follower):
    view = follower.take(country.publish(), NOW)
    merged = view.merged(NOW)
    assert [member["id"] for member in merged["members"]] == [HPA, RIS]
    assert {right["service"] for right in merged["rights"]} == {f"{m}/register/people.v1" for m in (RIS, HPA)}
    assert view.alarms == ()
    assert len(view.digest) == 64


def test_a_right_that_the_member_did_not_sign_is_not_published(country):
    forged = sign_offer(
        keys.generate_p256(), member=HPA, services=[{"id": f"{HPA}/r/s"}], rights=[], version=2, now=NOW
    )
    before = country.publish()
    refused("offer-invalid", lambda: country.publish(forged))
    assert country.repository.bundle() == before


def test_a_member_cannot_speak_for_another(country):
    refused(
        "offer-invalid",
        lambda: sign_offer(
            country.members[RIS], member=RIS, services=[{"id": f"{HPA}/r/s"}], rights=[], version=1, now=NOW
        ),
    )


def test_a_changed_content_does_not_verify(country, follower):
    files = json.loads(country.publish())["files"]
    [name] = [name for name in files if name.startswith("targets/") and name.endswith("country.json")]
    files[name] = files[name].replace("TW", "XX")
    refused("configuration-invalid", lambda: follower.take(json.dumps({"files": files}).encode(), NOW))


def test_an_older_state_is_never_taken_again(country, follower):
    old = country.publish()
    follower.take(country.publish(), NOW)
    refused("configuration-invalid", lambda: follower.take(old, NOW))


def test_what_was_taken_survives_a_restart(country, follower, tmp_path):
    bundle = country.publish()
    view = follower.take(bundle, NOW)
    again = Follower(tmp_path / "gateway", country.anchor)
    assert again.take(bundle, NOW).merged(NOW)["services"] == view.merged(NOW)["services"] != []


def test_grace_is_a_day_and_no_more(country, follower):
    view = follower.take(country.publish(), NOW)
    assert view.expires_at == NOW + timedelta(hours=24)
    assert view.usable_until == view.expires_at + GRACE == NOW + timedelta(hours=48)
    assert follower.take(country.repository.bundle(), NOW + timedelta(days=9)).usable_until == view.usable_until


def test_an_offer_ends_when_it_says_also_in_grace(country, follower):
    offers = [country.offer(member, now=NOW - timedelta(days=29, hours=12)) for member in (RIS, HPA)]
    view = follower.take(country.publish(*offers), NOW)
    assert view.next_end(NOW) == NOW + 12 * HOUR
    assert len(view.merged(NOW + 11 * HOUR)["rights"]) == 2
    assert view.merged(NOW + 13 * HOUR)["rights"] == []


@pytest.mark.parametrize("share", [1, 2])
def test_a_root_needs_its_threshold(country, follower, share):
    fresh = [keys.generate_p256() for _ in range(3)]
    online = OnlineKeys(*(keys.generate_p256() for _ in range(3)))

    def replace() -> None:
        country.repository.replace_root(
            by=[*country.roots[:share], *fresh[:2]],
            root_keys=[key.public_key() for key in fresh],
            threshold=2,
            online=online.public(),
            now=NOW,
        )

    if share == 1:
        refused("configuration-invalid", replace)
        return
    follower.take(country.publish(), NOW)
    replace()
    assert follower.take(country.publish(online=online), NOW).version == 2
    refused("configuration-invalid", lambda: follower.take(country.publish(online=country.online), NOW))


def test_a_stolen_online_key_cannot_write_a_right(country, follower):
    """Whoever has the centre's online keys lists a key of their own for a member, and signs rights with it."""
    follower.take(country.publish(), NOW)
    country.members[HPA] = keys.generate_p256()
    bundle = country.publish(country.offer(RIS), country.offer(HPA, version=2, fields=["everything"]))
    view = follower.take(bundle, NOW)
    assert view.offers[HPA]["rights"][0]["fields"] == ["name"]
    assert view.alarms == (f"key-of-{HPA}-changed-without-proof",)


def test_the_old_key_hands_over_at_once(country, follower):
    follower.take(country.publish(), NOW)
    old = country.members[HPA]
    country.members[HPA] = keys.generate_p256()
    proof = Rotation.make(member=HPA, old=old.public_key(), new=country.members[HPA].public_key(), at=NOW, by=[old])
    bundle = country.publish(country.offer(RIS), country.offer(HPA, version=2, fields=["born"]), rotations=[proof])
    view = follower.take(bundle, NOW)
    assert (view.offers[HPA]["rights"][0]["fields"], view.alarms) == (["born"], ())


def rotated(country: Country, *by: md.PrivateKey) -> Rotation:
    """HPA takes a new key; stated by these keys, or by the one before."""
    old, country.members[HPA] = country.members[HPA], keys.generate_p256()
    return Rotation.make(
        member=HPA, old=old.public_key(), new=country.members[HPA].public_key(), at=NOW, by=by or [old]
    )


def seen(country: Country, follower: Follower, number: int, said: list[Rotation], now: datetime = NOW) -> View:
    """What a gateway believes of the offer with this number, by HPA's present key, and these statements."""
    offers = [country.offer(RIS, version=number, now=now), country.offer(HPA, version=number, now=now)]
    return follower.take(country.publish(*offers, now=now, rotations=said), now)


@pytest.mark.parametrize("order", [1, -1])
def test_who_was_away_during_several_changes_of_a_key_follows_them(country, follower, order):
    follower.take(country.publish(), NOW)
    said = [rotated(country) for _ in range(3)]
    view = seen(country, follower, 2, said[::order])
    assert (view.offer_versions[HPA], view.alarms) == (2, ())
    said.append(rotated(country))
    assert seen(country, follower, 3, said).offer_versions[HPA] == 3, "and from there on"


def test_a_chain_with_a_step_that_its_predecessor_did_not_sign_leads_nowhere(country, follower):
    """Each step by itself: forged, of another member, without the key that it replaces, or missing."""
    follower.take(country.publish(), NOW)
    first, forger, last = rotated(country), keys.generate_p256(), country.members[HPA]
    second = rotated(country)
    forged = Rotation.make(member=HPA, old=last.public_key(), new=country.members[HPA].public_key(), at=NOW, by=[])
    carrying = replace(forged, old_key=keys.public_jwk(forger.public_key()))
    mark = {second.old: next(iter(carrying.signed(forger).signatures.values()))}
    broken = [
        [second],
        [first],
        [first, forged.signed(forger)],
        [first, replace(carrying, signatures=mark)],
        [first, replace(second, member=RIS)],
        [first, replace(second, old_key=None)],
        [first, replace(second, old_key={"kty": "EC"})],
        [first, replace(second, new=first.new), replace(second, old=first.old)],
    ]
    for number, said in enumerate(broken, start=2):
        view = seen(country, follower, number, said)
        assert (view.offer_versions[HPA], view.alarms) == (1, (f"key-of-{HPA}-changed-without-proof",)), number
    assert seen(country, follower, 20, [first, second]).offer_versions[HPA] == 20


def test_a_chain_with_a_step_by_root_keys_is_not_one_of_the_members_own(country, follower):
    follower.take(country.publish(), NOW)
    said = [rotated(country, *country.roots[:2]), rotated(country)]
    assert seen(country, follower, 2, said).alarms == (f"key-of-{HPA}-changed-without-proof",)
    said.append(rotated(country, *country.roots[:2]))
    assert "replaced-by-root" in seen(country, follower, 3, said).alarms[0]
    view = seen(country, follower, 4, said, NOW + WAIT - HOUR)
    assert view.offer_versions[HPA] == 1, "and waits as every other"
    assert seen(country, follower, 5, said, NOW + WAIT).offer_versions[HPA] == 5


def test_root_keys_word_of_then_does_not_bring_back_a_key_that_was_replaced_since(country, follower):
    """Stolen after it was given up: whoever has the centre's online keys lists it with the statement of then."""
    follower.take(country.publish(), NOW)
    by_root = rotated(country, *country.roots[:2])
    stolen = country.members[HPA]
    seen(country, follower, 2, [by_root])
    assert seen(country, follower, 3, [by_root], NOW + WAIT).offer_versions[HPA] == 3
    said, late = [by_root, rotated(country)], NOW + 2 * WAIT
    assert seen(country, follower, 4, said, late).offer_versions[HPA] == 4
    country.members[HPA] = stolen
    for at in (late, late + WAIT, late + 2 * WAIT):
        view = seen(country, follower, 5, [by_root], at)
        assert (view.offer_versions[HPA], view.alarms) == (4, (f"key-of-{HPA}-changed-without-proof",))


def test_a_statement_that_nobody_can_read_does_not_keep_the_others_from_being_read(country, follower, monkeypatch):
    follower.take(country.publish(), NOW)
    said = rotated(country)
    monkeypatch.setattr(Rotation, "as_json", lambda one: {**_as_json(one), **({} if one is said else {"at": "soon"})})
    view = seen(country, follower, 2, [replace(said), said])
    assert (view.offer_versions[HPA], view.alarms) == (2, ())


_as_json = Rotation.as_json


@pytest.mark.parametrize(("signers", "accepted"), [(1, False), (2, True)])
def test_root_keys_hand_over_after_three_days_and_say_so(country, follower, signers, accepted):
    follower.take(country.publish(), NOW)
    old = country.members[HPA].public_key()
    country.members[HPA] = keys.generate_p256()
    proof = Rotation.make(
        member=HPA,
        old=old,
        new=country.members[HPA].public_key(),
        at=NOW - 10 * WAIT,  # a day that proves nothing: what counts is when a gateway first saw it
        by=country.roots[:signers],
    )

    def publish(now):
        offers = [country.offer(RIS, now=now), country.offer(HPA, version=2, now=now, fields=["born"])]
        return follower.take(country.publish(*offers, now=now, rotations=[proof]), now)

    first = publish(NOW)
    assert first.offers[HPA]["rights"][0]["fields"] == ["name"]
    assert first.alarms
    later = publish(NOW + WAIT)
    assert later.offers[HPA]["rights"][0]["fields"] == (["born"] if accepted else ["name"])
    assert later.alarms


def test_a_member_that_is_dropped_offers_nothing(country, follower):
    follower.take(country.publish(), NOW)
    del country.members[HPA]
    view = follower.take(country.publish(country.offer(RIS)), NOW)
    assert set(view.offers) == {RIS}


@pytest.mark.parametrize("bundle", [b"", b"{}", b"[]", b'{"files": 3}', b'{"files": {}}'])
def test_what_is_no_bundle_is_refused_with_words(follower, bundle):
    refused("configuration-invalid", lambda: follower.take(bundle, NOW))


def test_a_stolen_online_key_cannot_list_a_gateway_for_a_member(country, follower):
    """With another message key beside the member's name, whoever has the online keys would ask with its rights."""
    country.gateways[RIS] = own = listed()
    bundle = country.publish()
    assert follower.take(bundle, NOW).merged(NOW)["members"][1]["gateways"] == [own]
    country.gateways[RIS] = listed()
    bundle = country.publish(country.offer(HPA, version=2))
    view = follower.take(bundle, NOW)
    assert view.merged(NOW)["members"][1]["gateways"] == []
    assert view.alarms == (f"gateway-{RIS}/gw1-with-keys-that-its-member-did-not-sign",)
    # Nor when the offer has ended: what the member once signed about its keys stays so until it says otherwise.
    late = NOW + timedelta(days=40)
    assert follower.take(country.publish(country.offer(HPA, version=3)), late).foreign == {f"{RIS}/gw1"}
    country.gateways[RIS] = own
    assert follower.take(country.publish(country.offer(HPA, version=4)), NOW).foreign == frozenset()


def test_a_member_that_was_dropped_does_not_come_back_as_another(country, follower):
    follower.take(country.publish(), NOW)
    old = country.members.pop(HPA)
    follower.take(country.publish(country.offer(RIS)), NOW)
    country.members[HPA] = keys.generate_p256()
    view = follower.take(country.publish(country.offer(RIS), country.offer(HPA, version=2)), NOW)
    assert (set(view.offers), view.alarms) == ({RIS}, (f"key-of-{HPA}-changed-without-proof",))
    country.members[HPA] = old
    assert set(follower.take(country.publish(country.offer(HPA, version=3)), NOW).offers) == {RIS, HPA}


def test_a_folder_keeps_only_the_state_in_force(country):
    for _ in range(3):
        country.publish()
    left = {str(path.relative_to(country.folder)) for path in country.folder.rglob("*.json")}
    assert left == {*json.loads(country.repository.bundle())["files"], "bundle.json"}


def test_who_reads_in_the_midst_of_a_publication_gets_one_whole_state(country, follower, monkeypatch):
    country.publish()
    read, write = set[bytes](), country.repository._write

    def watched(name: str, data: bytes) -> None:
        write(name, data)
        read.add(country.repository.bundle())

    monkeypatch.setattr(country.repository, "_write", watched)
    last = country.publish()
    assert len(read) == 2
    for bundle in sorted(read, key=last.__eq__):
        assert follower.take(bundle, NOW).alarms == ()


def test_a_new_root_is_handed_on_with_the_state_in_force(country, follower):
    country.publish()
    country.repository.replace_root(
        by=country.roots,
        root_keys=[key.public_key() for key in country.roots],
        threshold=2,
        online=country.online.public(),
        now=NOW,
    )
    bundle = country.repository.bundle()
    assert "2.root.json" in json.loads(bundle)["files"]
    follower.take(bundle, NOW)
