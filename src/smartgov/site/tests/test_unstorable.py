"""A NUL in what somebody sends is refused at every kind of door, and is no fault of ours on any database."""

from __future__ import annotations

import json

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from smartgov.shared.problems import Problem
from smartgov.site import middleware, refusals
from smartgov.site.tests.test_machine_doors import ask, refused
from smartgov.site.unstorable import holds_nul

pytestmark = pytest.mark.django_db
TEXTS = st.text(st.characters(exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS, lambda part: st.lists(part) | st.dictionaries(TEXTS, part), max_leaves=8
)


@pytest.mark.parametrize("path", ["/openid/interaction/a%00b", "/identity/mobile/%00", "/?next=%00", "/?%00=1"])
def test_a_page_is_not_asked_with_one(path: str) -> None:
    answer = Client().get(path, follow=True)
    assert answer.status_code == 400
    assert "text/html" in answer["content-type"]
    assert refusals.NUL_IN_ADDRESS.todo.zh in answer.content.decode()


def test_a_form_does_not_carry_one() -> None:
    form = "application/x-www-form-urlencoded"
    answer = Client().post("/identity/sign-in", "username=a%00b", content_type=form)
    assert answer.status_code == 400
    assert refusals.NUL_IN_FORM.todo.zh in answer.content.decode()
    assert Client().post("/identity/sign-in", "username=a%20b", content_type=form).status_code == 405


@pytest.mark.parametrize("problem", refusals.FOR_PEOPLE)
def test_people_read_on_a_page_what_they_can_do_and_programs_what_is_documented(problem: Problem) -> None:
    asked = RequestFactory().get("/x")
    asked.session = SessionStore()
    page = middleware.respond(asked, problem)
    told = json.loads(middleware.respond(RequestFactory().get("/api/x"), problem).content)
    for_people = refusals.FOR_PEOPLE[problem]
    assert page.status_code == told["status"] == problem.status
    assert for_people.todo.zh in page.content.decode()
    assert problem.todo.zh in told["detail"]
    assert for_people.slug == problem.slug


@pytest.mark.parametrize("told", [{"QUERY_STRING": "a=%00"}, {"body": b"a=%00", "CONTENT_LENGTH": "5"}])
def test_a_door_before_django_does_not_take_one(told: dict[str, object]) -> None:
    refused(ask(REQUEST_METHOD="POST", **told), "400")


@pytest.mark.parametrize("path", ["/openid/token", "/openid/par", "/credentials/issuers/ris/token"])
def test_programs_read_it_in_the_words_of_their_protocol(path: str) -> None:
    """A wallet or a relying party knows no page: the door refuses by its own form, whoever meets the NUL."""
    answer = Client().post(path, "code=%00", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer["content-type"]) == (400, "application/json")
    assert answer.json()["error"] == "invalid_request"
    assert answer["cache-control"] == "no-store"


@given(VALUES)
def test_a_value_without_one_is_taken(value: object) -> None:
    assert not holds_nul(value)


@given(st.recursive(st.just("a\0"), lambda part: st.lists(part, min_size=1) | st.dictionaries(TEXTS, part, min_size=1)))
def test_one_is_found_wherever_it_is(value: object) -> None:
    assert holds_nul(value)
    assert holds_nul({"\0": 1})
