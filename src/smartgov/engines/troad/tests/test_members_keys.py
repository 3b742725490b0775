"""A centre that lists a false key for a member, and what a reader sees of it who knows that member's own key."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, Targets

from smartgov.engines.pki import keys
from smartgov.engines.troad import archive_check, past, verification, verify_evidence
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import commands
from smartgov.engines.troad.tests.made import EDU, HPA, MEMBERS, MOI, PORTAL, RIS, Keys, Land, both
from smartgov.engines.trust import Follower, Pins
from smartgov.engines.trust import metadata as md
from smartgov.shared.problems import Problem

DAY = timedelta(days=1)
VALID: tuple[str, tuple[str, ...]] = ("valid", ())
FALSE = ("invalid", ("member-key",))


@pytest.fixture
def land(tmp_path: Path) -> Land:
    return Land(tmp_path / "land")


@pytest.fixture
def trusted(land: Land, tmp_path: Path) -> Path:
    """A reader who knows the keys of all members from before."""
    return land.anchors(tmp_path / "anchors", members=known(land))


def known(land: Land, *members: str) -> dict[str, list[tuple[str, Any]]]:
    return {member: [(land.thumbprint(member), land.now - 30 * DAY)] for member in members or MEMBERS}


def colluding(land: Land, member: str) -> None:
    """The centre lists a key of its own for the member, and a gateway with keys of its own, signed for by that key."""
    land.members[member] = Keys()


def test_whoever_knows_no_member_believes_the_centre(land: Land, tmp_path: Path) -> None:
    colluding(land, HPA)
    assert both(land.bundle(), land.anchors(tmp_path / "bare")) == VALID


def test_a_sound_bundle_and_archive_are_valid_for_who_knows_all_members(land: Land, trusted: Path) -> None:
    assert both(land.bundle(), trusted) == VALID
    file = land.archive(land.folder / "a.archive.jsonl.gz", land.configuration())
    assert both(file, trusted) == VALID


@pytest.mark.parametrize("member", [RIS, HPA, PORTAL, EDU])
def test_a_false_key_of_any_member_is_seen(member: str, land: Land, trusted: Path) -> None:
    """Of the one who keeps the log, of the other party, of a witness, of one who has no part in it."""
    colluding(land, member)
    assert both(land.bundle(), trusted) == FALSE
    file = land.archive(land.folder / "a.archive.jsonl.gz", land.configuration())
    assert both(file, trusted) == FALSE


def test_a_false_key_in_the_configuration_of_the_head_is_seen(land: Land, trusted: Path) -> None:
    day = land.configuration()
    colluding(land, PORTAL)
    bundle = land.bundle(day)
    assert both({**bundle, "head_configuration": land.configuration(land.now)}, trusted) == FALSE


def test_a_regular_rotation_is_followed_from_the_first_key_known(land: Land, trusted: Path) -> None:
    land.rotate(HPA)
    assert both(land.bundle(), trusted) == VALID
    land.rotate(HPA)
    land.rotate(HPA)
    assert both(land.bundle(), trusted) == VALID


def test_a_statement_by_another_key_leads_nowhere(land: Land, trusted: Path) -> None:
    land.rotate(HPA, by=[keys.generate_p256()])
    assert both(land.bundle(), trusted) == FALSE


def test_a_statement_that_carries_another_old_key_leads_nowhere(land: Land, trusted: Path) -> None:
    """The centre's own key in the place of the old one, under the old one's name."""
    forger, honest = keys.generate_p256(), land.thumbprint(HPA)
    land.rotate(HPA)
    made = land.rotations.pop()
    assert made.old == honest
    stolen = type(made)(HPA, honest, made.new, made.at, {}, keys.public_jwk(forger.public_key())).signed(forger)
    signatures = {honest: next(iter(stolen.signatures.values()))}
    land.rotations.append(type(made)(HPA, honest, made.new, made.at, signatures, stolen.old_key))
    assert both(land.bundle(), trusted) == FALSE


def test_a_statement_without_the_old_key_leads_nowhere(land: Land, trusted: Path) -> None:
    """As gateways of protocol 2.6 sign it: a reader pins the new key."""
    land.rotate(HPA)
    made = land.rotations.pop()
    land.rotations.append(type(made)(made.member, made.old, made.new, made.at, made.signatures))
    assert both(land.bundle(), trusted) == FALSE


def test_a_statement_of_another_member_leads_nowhere(land: Land, trusted: Path) -> None:
    land.rotate(HPA)
    made = land.rotations.pop()
    land.rotations.append(type(made)(MOI, made.old, made.new, made.at, made.signatures, made.old_key))
    assert both(land.bundle(), trusted) == FALSE


@pytest.mark.parametrize("member", [RIS, HPA])
def test_a_key_changed_by_the_root_threshold_is_shown_as_such(member: str, land: Land, trusted: Path) -> None:
    land.rotate(member, by=land.roots[:2])
    assert both(land.bundle(), trusted) == ("unknown-status", ("member-key-by-root",))
    asked = {**known(land), member: [("x" * 43, land.now - 30 * DAY), (land.thumbprint(member), land.now - DAY)]}
    land.pinned(trusted, members=asked)
    assert both(land.bundle(), trusted) == VALID, "who has asked the member pins its new key"


def test_one_root_key_alone_puts_no_key_in_place(land: Land, trusted: Path) -> None:
    land.rotate(HPA, by=land.roots[:1])
    assert both(land.bundle(), trusted) == FALSE


def test_a_witness_whose_key_only_root_keys_changed_does_not_count(land: Land, trusted: Path) -> None:
    land.rotate(PORTAL, by=land.roots[:2])
    assert both(land.bundle(), trusted) == ("unknown-status", ("witnesses",))


def test_a_key_that_was_given_up_is_believed_no_more(land: Land, trusted: Path) -> None:
    """Stolen after it was replaced: the centre lists it again, or signs a hand-over with it to a key of its own."""
    old = land.members[HPA].own
    land.rotate(HPA)
    pins = {**known(land), HPA: [(keys.thumbprint(old.public_key()), land.now - 30 * DAY), known(land, HPA)[HPA][0]]}
    pins[HPA][1] = (pins[HPA][1][0], land.now - DAY)
    land.pinned(trusted, members=pins)
    assert both(land.bundle(), trusted) == VALID
    land.members[HPA].own = old
    assert both(land.bundle(), trusted) == FALSE
    land.rotate(HPA)
    assert both(land.bundle(), trusted) == FALSE


def test_a_configuration_covers_no_more_than_two_days_whatever_end_it_names(land: Land, trusted: Path) -> None:
    """The centre dates a configuration back to when a stolen key was the member's, and lets it hold for long."""
    early = land.configuration(land.now - timedelta(hours=40))
    assert both(land.bundle(early), trusted) == VALID
    early = land.configuration(issued_at=(land.now - 3 * DAY).isoformat())
    assert both(land.bundle(early), trusted) == ("unknown-status", ("configuration",))


def test_an_old_bundle_is_followed_as_far_as_the_pins_reach(land: Land, trusted: Path) -> None:
    bundle = land.bundle()
    late = {member: [(key, land.now + DAY)] for member, [(key, _)] in known(land).items()}
    land.pinned(trusted, members=late)
    assert both(bundle, trusted) == VALID, "the same key before the pin"
    land.rotate(HPA)
    land.pinned(trusted, members={**late, HPA: [(land.thumbprint(HPA), land.now + DAY)]})
    assert both(bundle, trusted) == ("unknown-status", ("member-key",)), "another one, which nothing is known of"


def test_a_bundle_of_version_1_has_no_word_of_its_witnesses(land: Land, trusted: Path, tmp_path: Path) -> None:
    old = land.bundle(land.configuration(offers=(RIS, HPA)))
    assert both(old, land.anchors(tmp_path / "bare")) == VALID
    land.pinned(trusted, members=known(land, RIS, HPA))
    assert both(old, trusted) == VALID
    land.pinned(trusted, members=known(land))
    assert both(old, trusted) == ("unknown-status", ("witnesses",))


@pytest.mark.parametrize("member", [RIS, HPA])
def test_a_pinned_party_must_have_signed_for_its_gateway(member: str, land: Land, trusted: Path) -> None:
    unsaid = ("unknown-status", ("member-key",))
    assert both(land.bundle(land.configuration(without_gateways=[member])), trusted) == unsaid
    others = [one for one in MEMBERS if one != member]
    assert both(land.bundle(land.configuration(offers=others)), trusted) == unsaid


@pytest.mark.parametrize("member", [RIS, HPA, PORTAL])
@pytest.mark.parametrize("key", ["message", "log", "witness"])
def test_a_gateway_listed_with_keys_that_its_member_did_not_sign_counts_for_nothing(
    member: str, key: str, land: Land, tmp_path: Path
) -> None:
    """Also for who knows no member: gateways leave it out."""
    bare, honest = land.anchors(tmp_path / "bare"), land.members[member]
    fresh = getattr(Keys(), key)
    listed = [{"id": one, "gateways": [land.members[one].listed()]} for one in MEMBERS if one != member]
    forged = {**honest.listed(), f"{key}_key": keys.public_jwk(fresh.public_key())}
    day = land.configuration(members=[*listed, {"id": member, "gateways": [forged]}])
    setattr(honest, key, fresh)
    wanted = ("unknown-status", ("witnesses",)) if member == PORTAL else ("invalid", ("gateway-key",))
    assert both(land.bundle(day), bare) == wanted


def test_an_offer_of_another_length_than_its_member_signed_is_none(land: Land, trusted: Path) -> None:
    """Only the member could sign it so: both verifiers say the same of it."""
    day = land.configuration()
    [name] = [name for name in day["files"] if name.endswith(f"{md.role_of(HPA)}.json")]
    offer = Metadata[Targets].from_bytes(day["files"][name].encode())
    for target in offer.signed.targets.values():
        target.length += 1
    day["files"][name] = md.signed(offer, land.members[HPA].own).decode()
    assert both(land.bundle(day), trusted) == ("invalid", ("configuration",))


def test_nobody_invents_members_where_only_those_known_may_witness(land: Land, trusted: Path) -> None:
    for name in ("TW/GOV/x", "TW/GOV/y"):
        land.members[name] = Keys()
    day, leaves = land.configuration(offers=(*MEMBERS, "TW/GOV/x", "TW/GOV/y")), land.bundle
    bundle = leaves(day, by=("TW/GOV/x", "TW/GOV/y"))
    assert both(bundle, trusted) == VALID
    land.pinned(trusted, members=known(land), only=True)
    assert both(bundle, trusted) == ("unknown-status", ("witnesses",))
    assert both(land.bundle(day), trusted) == VALID


def test_a_centre_that_lists_no_witness_does_not_make_them_needless(land: Land, trusted: Path) -> None:
    """A land of two, of which one keeps the log and the other is asked: known members count as witnesses."""
    pair = [{"id": one, "gateways": [land.members[one].listed()]} for one in (RIS, HPA)]
    day = land.configuration(members=pair)
    assert both(land.bundle(day, by=(HPA,)), trusted) == ("unknown-status", ("witnesses",))
    land.pinned(trusted, members=known(land, RIS, HPA))
    assert both(land.bundle(day, by=(HPA,)), trusted) == VALID


def test_a_gateway_signs_for_no_other_members_services(land: Land, trusted: Path, tmp_path: Path) -> None:
    """A member that is at hand, or made up, does not answer in the name of one whose key is known."""
    bundle = land.bundle(answerer=EDU)
    for anchors in (trusted, land.anchors(tmp_path / "bare")):
        assert both(bundle, anchors) == ("invalid", ("signer",))


@pytest.mark.parametrize("kind", ["trail", "meta"])
def test_a_question_of_another_kind_is_judged_by_who_asked(kind: str, land: Land, trusted: Path) -> None:
    assert both(land.bundle(kind=kind), trusted) == VALID


FORMS: dict[str, Any] = {
    "no JSON": "members",
    "no object": [],
    "no type": {"witnesses": "any", "members": {}},
    "another type": {"type": "troad-members-v2", "witnesses": "any", "members": {}},
    "another word": {"type": "troad-members-v1", "witnesses": "all", "members": {}},
    "more than that": {"type": "troad-members-v1", "witnesses": "any", "members": {}, "further": 1},
    "no pins": {"type": "troad-members-v1", "witnesses": "any", "members": {HPA: []}},
    "a pin without a time": {"type": "troad-members-v1", "witnesses": "any", "members": {HPA: [{"key": "x" * 43}]}},
    "a time without its offset": {
        "type": "troad-members-v1",
        "witnesses": "any",
        "members": {HPA: [{"key": "x" * 43, "from": "2026-01-01T00:00:00"}]},
    },
    "no thumbprint": {
        "type": "troad-members-v1",
        "witnesses": "any",
        "members": {HPA: [{"key": "x" * 42, "from": "2026-01-01T00:00:00Z"}]},
    },
    "not growing": {
        "type": "troad-members-v1",
        "witnesses": "any",
        "members": {HPA: [{"key": "x" * 43, "from": f"202{year}-01-01T00:00:00Z"} for year in (6, 5)]},
    },
}


@pytest.fixture(params=FORMS)
def unreadable(request: pytest.FixtureRequest) -> str:
    said = FORMS[request.param]
    return said if isinstance(said, str) else json.dumps(said)


def test_pins_in_another_form_are_not_taken_for_none(unreadable: str, land: Land, trusted: Path) -> None:
    (trusted / "members.json").write_text(unreadable)
    with pytest.raises(ValueError, match=r"members\.json"):
        Pins.read(trusted)
    bundle = trusted / "bundle.json"
    bundle.write_text("{}")
    for verify in (verification.verify, verify_evidence.verify, archive_check.verify):
        with pytest.raises(ValueError, match=r"members\.json"):
            verify(bundle, trusted)  # type: ignore[operator]
    with pytest.raises(SystemExit) as ended:
        verify_evidence.main([str(bundle), "--anchors", str(trusted)])
    assert ended.value.code == 2


VECTORS = Path(__file__).parents[5] / "docs" / "protocols" / "vectors" / "evidence"


@pytest.mark.parametrize("name", sorted(json.loads((VECTORS / "verdicts.json").read_text())))
def test_the_published_vectors_get_the_published_verdicts(name: str) -> None:
    bundle = json.loads((VECTORS / f"{name}.json").read_text())
    for pins, wanted in json.loads((VECTORS / "verdicts.json").read_text())[name].items():
        word, reasons = both(bundle, VECTORS / "anchors" / pins)
        assert [word, *reasons] == wanted, pins


def test_a_gateway_writes_down_the_keys_that_it_believes(land: Land, tmp_path: Path) -> None:
    """The folder that it makes holds a bundle of then, one of after a rotation, and no forged one."""
    home, folder = tmp_path / "home", tmp_path / "written"
    homes.create(home, member=RIS, port=1, local_port=2, subsystems={}, anchor=land.anchor)

    def take(at: Any) -> None:
        land.configuration(at)
        bundle = land.repository.bundle()
        past.keep(home, bundle, Follower(home / "trust", land.anchor).take(bundle, at).digest, at)

    take(land.now - 20 * DAY)
    write = ["pins", "--home", str(home), "--anchors", str(folder)]
    assert commands.main([*write, "--member", HPA]) == 0
    pins = Pins.read(folder)
    assert (set(pins.members), pins.only) == ({HPA}, False)
    assert pins.members[HPA][0].since == (land.now - 20 * DAY).timestamp()
    assert commands.main([*write, "--all"]) == 0
    land.rotate(HPA)
    take(land.now - 2 * DAY)
    assert commands.main([*write, "--all"]) == 0
    pins = Pins.read(folder)
    assert (set(pins.members), pins.only) == (set(MEMBERS), True)
    assert [one.since for one in pins.members[HPA]] == [(land.now - days * DAY).timestamp() for days in (20, 2)]
    before = (folder / "members.json").read_text()
    assert commands.main([*write, "--all"]) == 0
    assert (folder / "members.json").read_text() == before, "written once"
    (folder / "tsa.pem").write_bytes((land.anchors(tmp_path / "bare") / "tsa.pem").read_bytes())
    assert both(land.bundle(), folder) == VALID
    colluding(land, HPA)
    take(land.now - DAY)
    assert commands.main([*write, "--all"]) == 0
    assert (folder / "members.json").read_text() == before, "a key without proof is not believed"
    assert both(land.bundle(), folder) == FALSE
    for wrong in ("TW/GOV/nobody", HPA):
        if wrong == HPA:
            (folder / "members.json").write_text("{}")
        with pytest.raises(Problem):
            commands.main([*write, "--member", wrong])
