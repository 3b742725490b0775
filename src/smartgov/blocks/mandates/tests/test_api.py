"""Drawing, checking, giving and ending mandates, through the block's door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.http import Http404

from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.models import Account
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.mandates import api, domain, drawing
from smartgov.blocks.mandates.models import Mandate
from smartgov.blocks.mandates.tests.factories import Family, a_family, registers
from smartgov.blocks.mandates.web import rows
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.notify import api as notify
from smartgov.blocks.signing import api as signing
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
World = tuple[Family, RecordedTransport]


@pytest.fixture
def world() -> Iterator[World]:
    family = a_family()
    with registers(family) as road:
        yield family, road


def refused(verb: object) -> str:
    with pytest.raises(Problem) as caught:
        verb()  # type: ignore[operator]
    return caught.value.slug


def drawn(family: Family) -> api.MandateView:
    assert api.draw(actor=family.actor) == 1
    (view,) = api.views(actor=family.actor)
    return view


def acting(family: Family, view: api.MandateView) -> Actor:
    represented = api.take_up(actor=family.actor, mandate=view.id)
    return replace(family.actor, acting_for=represented, mandate=view.id)


def given(family: Family, kind: str = "attorney", **other: object) -> str:
    words = {
        "kind": kind,
        "to": family.father_id,
        "to_name": "陳志明",
        "scope": ["applications", "messages"],
        "until": clock.today() + timedelta(days=30),
        **other,
    }
    return api.draft(actor=family.actor, **words)  # type: ignore[arg-type]


def offered(family: Family) -> str:
    made = given(family)
    digest = api.one(actor=family.actor, mandate=made).digest
    api.offer(actor=family.actor, mandate=made, proof={"digest": digest})
    return made


def test_a_mother_is_found_to_represent_her_child(world: World) -> None:
    family, road = world
    view = drawn(family)
    assert (view.kind.code, view.represented, view.state) == ("parent", "陳小安", "active")
    assert view.ends is not None
    assert view.ends.astimezone(clock.TAIPEI).date() == date(2034, 5, 6)
    assert api.draw(actor=family.actor) == 0
    assert {call.purpose for call in road.calls} == {"mandate.check"}
    assert all(national_id.urn(call.subject or "") in str(call.json) for call in road.calls)


def test_both_sides_are_told(world: World) -> None:
    family, _ = world
    who = acting(family, drawn(family))
    assert len(notify.wall(actor=family.actor)) == len(notify.wall(actor=who)) == 1
    api.end(actor=family.actor, mandate=who.mandate or "")
    assert len(notify.wall(actor=who)) == 2


def test_a_child_below_14_has_no_sign_in_of_its_own(world: World) -> None:
    family, _ = world
    who = acting(family, drawn(family))
    assert who.acting_for is not None
    with clock.travelling(delta=timedelta(0)):
        assert refused(lambda: people.signed_in_citizen(who.acting_for)) == "under-age"
    with clock.travelling(to=domain.start_of(date(2034, 5, 6))):
        people.signed_in_citizen(who.acting_for)
    assert Account.objects.get(subject=who.acting_for).signs_in_from == date(2034, 5, 6)


def test_the_birthday_ends_it_at_midnight_in_taipei(world: World) -> None:
    family, _ = world
    who = acting(family, drawn(family))
    with clock.travelling(to=domain.start_of(date(2034, 5, 6)) - timedelta(seconds=2)):
        assert identity.standing(actor=who).represented.name == "陳小安"
    with clock.travelling(to=domain.start_of(date(2034, 5, 6))):
        assert refused(lambda: identity.standing(actor=who)) == "mandate-over"
        (view,) = api.views(actor=family.actor)
        assert (view.state, view.over) == ("ended", "birthday")
        assert api.draw(actor=family.actor) == 0


def test_the_hourly_look_ends_what_is_over_and_tells_both(world: World) -> None:
    family, _ = world
    view = drawn(family)
    with clock.travelling(to=domain.start_of(date(2034, 5, 6))):
        assert api.expire() == 1
        assert api.expire() == 0
        assert api.one(actor=family.actor, mandate=view.id).over == "birthday"
        assert len(notify.wall(actor=family.actor)) == 2


def test_a_register_that_is_silent_refuses_with_a_clear_word(world: World) -> None:
    family, _ = world
    view = drawn(family)
    who = acting(family, view)
    family.silent = True
    assert refused(lambda: api.draw(actor=family.actor)) == "mandate-register-silent"
    assert refused(lambda: api.take_up(actor=family.actor, mandate=view.id)) == "mandate-register-silent"
    identity.standing(actor=who)  # asked less than five minutes ago
    with clock.travelling(delta=domain.RECHECK_AFTER + timedelta(seconds=1)):
        assert refused(lambda: identity.standing(actor=who)) == "mandate-register-silent"
        family.silent = False
        identity.standing(actor=who)
    assert api.one(actor=family.actor, mandate=view.id).state == "active"


def test_a_register_that_says_no_ends_it(world: World) -> None:
    family, _ = world
    who = acting(family, drawn(family))
    family.custody.append(family.custody_row(family.father_id))
    identity.standing(actor=who)
    with clock.travelling(delta=domain.RECHECK_AFTER + timedelta(seconds=1)):
        assert refused(lambda: identity.standing(actor=who)) == "mandate-over"
    (view,) = api.views(actor=family.actor)
    assert view.over == "register"


def test_each_token_asks_the_register_anew(world: World) -> None:
    from smartgov.blocks.identity.openid.folk import AccountPeople
    from smartgov.engines.openid.model import Authentication

    family, road = world
    who = acting(family, drawn(family))
    event = Authentication(
        family.mother, "session", clock.now(), 2, acting_for=who.acting_for or "", mandate=who.mandate or ""
    )
    before = len(road.calls)
    assert AccountPeople().still_holds(event)
    assert len(road.calls) > before
    assert not AccountPeople().still_holds(replace(event, subject=family.father))
    assert not AccountPeople().still_holds(replace(event, acting_for=family.father))
    family.silent = True
    assert not AccountPeople().still_holds(event)


def test_a_guardian_and_a_business(world: World) -> None:
    family, _ = world
    aunt_id = people.a_national_id()
    aunt = Actor("citizen", subject=people.a_person("王姑姑", nid=aunt_id), assurance=2)
    family.custody.append(family.custody_row(aunt_id, "guardianship"))
    family.businesses.append(
        {"number": "90000001", "name": "金盛有限公司", "responsible_id": national_id.urn(aunt_id), "status": "active"}
    )
    assert api.draw(actor=aunt) == 2
    assert api.draw(actor=family.actor) == 0  # parental rights lie with the guardian
    kinds = {view.kind.code: view for view in api.views(actor=aunt)}
    assert set(kinds) == {"guardian", "company"}
    represented = api.take_up(actor=aunt, mandate=kinds["company"].id)
    who = replace(aunt, acting_for=represented, mandate=kinds["company"].id)
    assert identity.standing(actor=who).represented.name == "金盛有限公司"
    family.businesses[0]["status"] = "closed"
    assert refused(lambda: api.take_up(actor=aunt, mandate=kinds["company"].id)) == "mandate-over"


def test_nobody_mints_or_touches_mandates_while_acting(world: World) -> None:
    family, _ = world
    view = drawn(family)
    who = acting(family, view)
    for verb in (
        lambda: api.draw(actor=who),
        lambda: api.take_up(actor=who, mandate=view.id),
        lambda: api.views(actor=who),
        lambda: api.end(actor=who, mandate=view.id),
        lambda: api.draft(actor=who, kind="proxy", to="", to_name="", scope=(), until=None),
    ):
        assert refused(verb) == "not-while-acting"


def test_a_given_mandate_holds_once_accepted_and_ends_at_once(world: World) -> None:
    family, _ = world
    made = offered(family)
    assert refused(lambda: api.take_up(actor=family.father_actor, mandate=made)) == "mandate-over"
    assert len(notify.wall(actor=family.father_actor)) == 1
    api.accept(actor=family.father_actor, mandate=made)
    represented = api.take_up(actor=family.father_actor, mandate=made)
    who = replace(family.father_actor, acting_for=represented, mandate=made)
    assert identity.standing(actor=who).permissions == {"services.apply", "mydata.consent", "notify.wall"}
    api.end(actor=family.actor, mandate=made)
    assert refused(lambda: identity.standing(actor=who)) == "mandate-over"
    assert api.one(actor=family.father_actor, mandate=made).over == "represented"


def test_who_is_asked_accepts_or_refuses_and_has_nothing_to_lay_down_yet(world: World) -> None:
    family, _ = world
    made = offered(family)
    sides = {who: rows.row(api.one(actor=who, mandate=made)) for who in (family.actor, family.father_actor)}
    assert [sides[who]["may_end"] for who in sides] == [True, False]
    assert sides[family.father_actor]["may_answer"]
    api.accept(actor=family.father_actor, mandate=made)
    assert rows.row(api.one(actor=family.father_actor, mandate=made))["may_end"]


def test_a_given_mandate_ends_with_its_last_day(world: World) -> None:
    family, _ = world
    made = offered(family)
    api.accept(actor=family.father_actor, mandate=made)
    who = replace(family.father_actor, acting_for=family.mother, mandate=made)
    last = clock.today() + timedelta(days=30)
    with clock.travelling(to=domain.start_of(last + timedelta(days=1)) - timedelta(seconds=2)):
        identity.standing(actor=who)
    with clock.travelling(to=domain.start_of(last + timedelta(days=1))):
        assert refused(lambda: identity.standing(actor=who)) == "mandate-over"


def test_a_draft_is_approved_by_its_own_digest_and_level(world: World) -> None:
    family, _ = world
    made = given(family)
    digest = api.one(actor=family.actor, mandate=made).digest
    weak = replace(family.actor, assurance=1)
    for who, proof in ((family.actor, {"digest": "0" * 64}), (family.actor, {}), (weak, {"digest": digest})):
        assert refused(lambda who=who, proof=proof: api.offer(actor=who, mandate=made, proof=proof)) == (
            "mandate-needs-passkey"
        )
    with pytest.raises(Http404):
        api.one(actor=family.father_actor, mandate=made)
    with pytest.raises(Http404):
        api.accept(actor=family.father_actor, mandate=made)


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("kind", {"kind": "parent"}),
        ("to", {"to": "A123"}),
        ("to_name", {"to_name": " "}),
        ("scope", {"scope": ["everything"]}),
        ("until", {"until": None}),
        ("until", {"until": date(2020, 1, 1)}),
        ("until", {"until": date(2099, 1, 1)}),
    ],
)
def test_a_form_says_what_to_mend(world: World, field: str, other: dict[str, object]) -> None:
    with pytest.raises(Problem) as caught:
        given(world[0], **other)
    assert caught.value.extra["field"] == field


def test_a_stranger_cannot_tell_who_has_an_account(world: World) -> None:
    family, _ = world
    made = given(family, to=people.a_national_id())
    api.offer(
        actor=family.actor,
        mandate=made,
        proof={"digest": api.one(actor=family.actor, mandate=made).digest},
    )
    assert api.one(actor=family.actor, mandate=made).state == "offered"


def test_somebody_elses_mandates_do_not_exist(world: World) -> None:
    family, _ = world
    view, made = drawn(family), offered(family)
    stranger = Actor("citizen", subject=people.a_person(), assurance=2)
    for verb in (api.one, api.end, api.accept, api.refuse, api.take_up):
        for mandate in (made, view.id):
            with pytest.raises(Http404):
                verb(actor=stranger, mandate=mandate)
    assert Mandate.objects.filter(state="active").count() == 1


def test_the_word_about_a_signature(world: World) -> None:
    family, _ = world
    view, now = drawn(family), clock.now()
    ask = {"mandate": view.id, "represented": "陳小安", "holder": signing.holder_of(family.mother), "at": now}
    assert drawing.word(**ask) == "held"  # type: ignore[arg-type]
    for other in (
        {"mandate": "none"},
        {"represented": "陳大文"},
        {"holder": signing.holder_of(family.father)},
        {"at": now - timedelta(days=1)},
        {"at": domain.start_of(date(2034, 5, 6))},
    ):
        assert drawing.word(**{**ask, **other}) == "not-held"  # type: ignore[arg-type]
    api.end(actor=family.actor, mandate=view.id)
    assert drawing.word(**ask) == "held"  # type: ignore[arg-type]
    assert drawing.word(**{**ask, "at": clock.now()}) == "not-held"  # type: ignore[arg-type]
