import json
import sqlite3
from datetime import timedelta

import pytest

from smartgov.shared import clock
from smartgov.shared.tw.national_id import urn

from .conftest import CHILD, FATHER, MOTHER, STRANGER

NEWBORN = {"national_id": urn(CHILD), "name": "林小安", "mother_id": urn(MOTHER), "father_id": urn(FATHER)}


def items(response):
    assert response.status in {200, 201}, response.body
    return json.loads(response.body)["items"]


def slug(response):
    assert response.headers["content-type"] == "application/problem+json"
    body = json.loads(response.body)
    assert {"type", "title", "status", "detail", "todo"} <= set(body)
    return body["type"].removeprefix("urn:smartgov:problem:")


def test_a_query_answers_about_its_subject_only(ask):
    [row] = items(ask("POST", "/people/query", {}, subject=MOTHER))
    assert (row["national_id"], row["name"], row["married"]) == (urn(MOTHER), "林淑芬", True)
    where = {"where": {"national_id": urn(STRANGER)}}
    assert items(ask("POST", "/people/query", where, subject=MOTHER)) == []
    assert items(ask("POST", "/people/query", {"where": {"name": "林淑芬"}}, subject=MOTHER)) == [row]
    assert items(ask("POST", "/people/query", {"where": {"father_id": None}}, subject=MOTHER)) == [row]


def test_without_a_subject_or_the_secret_nothing_is_told(ask):
    assert (ask("POST", "/people/query", {}).status, slug(ask("POST", "/people/query", {}))) == (
        400,
        "subject-required",
    )
    assert slug(ask("POST", "/people/query", {}, x_troad_subject=MOTHER)) == "subject-required"
    for secret in ("", "wrong", "s3cret ", "é"):
        response = ask("POST", "/people/query", {}, subject=MOTHER, secret=secret)
        assert (response.status, slug(response)) == (401, "caller-unknown")
    assert ask("GET", "/openapi.json", secret="wrong").status == 401


def test_a_value_changed_in_the_file_shows_in_the_next_answer(ask, home):
    assert items(ask("POST", "/people/query", {}, subject=MOTHER))[0]["name"] == "林淑芬"
    with sqlite3.connect(home / "register.sqlite3") as connection:
        connection.execute("UPDATE people SET name = '林淑芳' WHERE id = 'p1'")
    assert items(ask("POST", "/people/query", {}, subject=MOTHER))[0]["name"] == "林淑芳"


@pytest.mark.parametrize("key", ["application-1", None])
def test_a_repeated_create_makes_one_row(ask, key):
    """By its key, and by its own id where a gateway passes no key on."""
    row, headers = ({**NEWBORN, "id": "c1"}, {}) if key is None else (NEWBORN, {"idempotency_key": key})
    first = ask("POST", "/people", row, subject=MOTHER, **headers)
    again = ask("POST", "/people", row, subject=MOTHER, **headers)
    assert (first.status, again.status) == (201, 200)
    assert items(first) == items(again)
    assert len(items(ask("POST", "/people/query", {"where": {"mother_id": urn(MOTHER)}}, subject=MOTHER))) == 1
    other = ask("POST", "/people", {**row, "name": "別人"}, subject=MOTHER, **headers)
    assert (other.status, slug(other)) == (409, "create-conflict")


def test_a_create_repeated_after_a_later_change_returns_the_row_as_it_stands(ask):
    row = {**NEWBORN, "id": "c1"}
    ask("POST", "/people", row, subject=MOTHER)
    ask("PATCH", "/people/c1", {"name": "林小平"}, subject=MOTHER)
    again = ask("POST", "/people", row, subject=MOTHER)
    assert (again.status, items(again)[0]["name"]) == (200, "林小平")


def test_keys_belong_to_their_client_and_are_forgotten_after_a_week(ask, home):
    ask("POST", "/people", NEWBORN, subject=MOTHER, idempotency_key="k")
    other = ask("POST", "/people", NEWBORN, subject=MOTHER, idempotency_key="k", x_road_client="TW/GOV/hpa/births")
    assert other.status == 201
    with clock.travelling(delta=timedelta(days=8)):
        ask("POST", "/people", {**NEWBORN, "name": "次子"}, subject=MOTHER, idempotency_key="k2")
    with sqlite3.connect(home / "register.sqlite3") as connection:
        assert [key for (key,) in connection.execute("SELECT key FROM _creates")] == ["key:k2"]


def test_a_row_about_somebody_else_is_neither_made_nor_changed_nor_admitted(ask):
    response = ask("POST", "/people", {"national_id": urn(CHILD), "name": "無名"}, subject=MOTHER)
    assert (response.status, slug(response)) == (422, "row-invalid")
    assert ask("PATCH", "/people/p4", {"name": "改"}, subject=MOTHER).status == 404
    assert ask("PATCH", "/people/nowhere", {"name": "改"}, subject=MOTHER).status == 404
    taken = ask("POST", "/people", {**NEWBORN, "id": "p4"}, subject=MOTHER)
    assert (taken.status, slug(taken)) == (409, "create-conflict")
    assert STRANGER.encode() not in taken.body


def test_an_update_changes_the_named_columns_only(ask, home):
    [row] = items(ask("PATCH", "/people/p1", {"name": "林芬"}, subject=MOTHER, x_road_issue="case-9"))
    assert (row["name"], row["birth_date"]) == ("林芬", "1995-03-01")
    assert items(ask("POST", "/people/query", {}, subject=MOTHER)) == [row]
    assert slug(ask("PATCH", "/people/p1", {"birth_date": "2000-01-01"}, subject=MOTHER)) == "row-invalid"
    with sqlite3.connect(home / "register.sqlite3") as connection:
        assert connection.execute("SELECT row_id, action, fields, client, issue FROM _changes").fetchall() == [
            ("p1", "update", "name", "TW/GOV/ris/cases", "case-9")
        ]


def test_a_subject_cannot_be_written_out_of_her_row(ask):
    ask("POST", "/people", {**NEWBORN, "id": "c1"}, subject=MOTHER)
    response = ask("PATCH", "/people/c1", {"mother_id": urn(STRANGER)}, subject=MOTHER)
    assert (response.status, slug(response)) == (422, "row-invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"national_id": CHILD},
        {"national_id": "urn:tw:nid:A180000000"},
        {"birth_date": "2026-13-01"},
        {"birth_date": "20261101"},
        {"sex": "other"},
        {"children": 1.5},
        {"children": True},
        {"children": 2**70},
        {"married": "yes"},
        {"name": "長" * 41},
        {"name": None},
        {"name": "a\0b"},
        {"colour": "red"},
        {"id": CHILD},
        {"id": ""},
        {"id": "a/b"},
    ],
)
def test_each_wrong_field_is_named_and_its_value_is_not_repeated(ask, change):
    response = ask("POST", "/people", {**NEWBORN, **change}, subject=MOTHER)
    assert (response.status, slug(response)) == (422, "row-invalid")
    [name] = change
    assert set(json.loads(response.body)["errors"]) == {name}
    assert CHILD.encode() not in response.body


@pytest.mark.parametrize(
    "body", [[], "x", None, {"where": []}, {"limit": 0}, {"limit": True}, {"order": "name"}, {"after": 1}]
)
def test_a_strange_query_is_refused(ask, body):
    response = ask("POST", "/people/query", body, subject=MOTHER)
    assert response.status in {400, 422}
    assert slug(response) in {"row-invalid", "json-invalid"}


def test_only_public_tables_can_be_listed_and_pages_follow_each_other(ask):
    assert ask("GET", "/people", subject=MOTHER).status == 404
    first = json.loads(ask("GET", "/townships", query="limit=3").body)
    rest = json.loads(ask("GET", "/townships", query="limit=3&after=2").body)
    assert ([row["id"] for row in first["items"]], first["more"]) == (["0", "1", "2"], True)
    assert ([row["id"] for row in rest["items"]], rest["more"]) == (["3", "4"], False)
    assert items(ask("POST", "/townships/query", {"where": {"name": "T3"}})) == [{"id": "3", "name": "T3"}]
    assert ask("POST", "/townships", {"name": "new"}).status == 404


def test_no_person_stands_in_an_address(ask):
    for path, query in (
        (f"/people/{MOTHER}", ""),
        ("/townships", f"after={MOTHER}"),
        (f"/people/%{ord(MOTHER[0]):x}{MOTHER[1:]}", ""),
    ):
        response = ask("PATCH" if query == "" else "GET", path, {}, subject=MOTHER, query=query)
        assert (response.status, slug(response)) == (400, "person-in-clear")


def test_health_needs_no_secret_and_tells_no_data(ask):
    assert json.loads(ask("GET", "/health", secret="").body) == {"status": "ok", "name": "household"}


def test_a_file_that_is_held_or_gone_is_said_to_be_unavailable(ask, home, monkeypatch):
    monkeypatch.setattr("smartgov.engines.apigen.store.BUSY_SECONDS", 0)
    holder = sqlite3.connect(home / "register.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    held = ask("POST", "/people", NEWBORN, subject=MOTHER)
    holder.execute("ROLLBACK")
    holder.close()
    assert (held.status, slug(held)) == (503, "register-unavailable")
    assert ask("POST", "/people", NEWBORN, subject=MOTHER).status == 201
    (home / "register.sqlite3").rename(home / "elsewhere")
    gone = ask("POST", "/people/query", {}, subject=MOTHER)
    assert (gone.status, slug(gone)) == (503, "register-unavailable")
    assert not (home / "register.sqlite3").exists(), "asking must not make an empty register"
