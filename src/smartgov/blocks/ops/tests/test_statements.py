"""Statements that are written once say what Django's own would have said."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from smartgov.blocks.identity.models import Account, OpenidAuthorization, OpenidToken
from smartgov.blocks.ops.api import Statements
from smartgov.shared import clock

pytestmark = pytest.mark.django_db
NOW = clock.now()


def an_authorization(name: str, **other: object) -> OpenidAuthorization:
    made = {"client": "c", "state": "pushed", "way": "par", "asked": {"scopes": ["openid"]}, "created_at": NOW}
    return OpenidAuthorization(**{**made, "id": name, "expires_at": NOW, "keep_until": NOW, **other})


def columns(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def same(one: Model | None, other: Model) -> bool:
    return one is not None and [getattr(one, f.attname) for f in one._meta.concrete_fields] == [
        getattr(other, f.attname) for f in other._meta.concrete_fields
    ]


def test_rows_go_in_and_come_out_as_by_the_manager() -> None:
    table = Statements(OpenidAuthorization)
    one, two = an_authorization("one", granted={"名": [1, None]}), an_authorization("two", code_expires_at=NOW)
    table.insert(columns(one), columns(two))
    for name in ("one", "two"):
        assert same(table.first(id=name), OpenidAuthorization.objects.get(id=name))
    assert table.first(id="three") is None
    found = table.first(id="two")
    assert found is not None
    assert found.code_expires_at == NOW
    assert found.created_at.tzinfo is UTC or found.created_at.utcoffset() == timedelta(0)


def test_a_foreign_key_is_written_by_its_column() -> None:
    Statements(OpenidAuthorization).insert(columns(an_authorization("one")))
    token = OpenidToken(
        key="k", kind="access", authorization_id="one", client="c", scopes="", issued_at=NOW, expires_at=NOW
    )
    Statements(OpenidToken).insert(columns(token))
    assert OpenidToken.objects.get(key="k").authorization.client == "c"
    found = Statements(OpenidToken).pair(
        ("key", "issued_at"), Statements(OpenidAuthorization), ("id", "asked"), by="authorization_id", key="k"
    )
    assert found == (["k", NOW], ["one", {"scopes": ["openid"]}])
    assert (
        Statements(OpenidToken).pair(("key",), Statements(OpenidAuthorization), (), by="authorization_id", key="x")
        is None
    )


def test_who_listens_hears_them() -> None:
    with CaptureQueriesContext(connection) as heard:
        assert Statements(OpenidAuthorization).values(("id",), id="none") is None
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_is_told_anew() -> None:
    table = Statements(OpenidAuthorization)
    for name in ("one", "two"):
        with transaction.atomic():
            table.insert(columns(an_authorization(name)))
        connection.close()
    with pytest.raises(IntegrityError):
        table.insert(columns(an_authorization("one")))
    assert table.values(("state",), id="two") == ["pushed"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_undoes_them() -> None:
    table = Statements(OpenidAuthorization)
    with transaction.atomic():
        table.insert(columns(an_authorization("one")))
        assert table.update({"state": "opened"}, id="one") == 1
        transaction.set_rollback(True)
    assert table.values(("state",), id="one") is None


def test_a_broken_transaction_runs_nothing_more() -> None:
    table = Statements(OpenidAuthorization)
    table.insert(columns(an_authorization("one")))
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            table.values(("state",), id="one")


def test_a_row_is_whole_or_not_written() -> None:
    with pytest.raises(ValueError, match="lacks"):
        Statements(OpenidAuthorization).insert({"id": "one"})
    Statements(OpenidAuthorization).insert(columns(an_authorization("one")))
    with pytest.raises(IntegrityError), transaction.atomic():
        Statements(OpenidAuthorization).insert(columns(an_authorization("one")))


def test_changes_count_the_rows_they_met() -> None:
    table = Statements(OpenidAuthorization)
    table.insert(columns(an_authorization("one")))
    assert table.update({"state": "opened", "granted": {"a": 1}}, id="one", state=("pushed", "approved")) == 1
    assert table.update({"state": "refused"}, id="one", state=("pushed",)) == 0
    assert table.values(("state", "granted"), id="one") == ["opened", {"a": 1}]


def test_sealed_columns_stay_sealed() -> None:
    Statements(Account).insert(columns(Account(id=900_001, subject="s", name="林美玲")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM identity_account WHERE subject = 's'")
        assert "林" not in cursor.fetchone()[0]
    assert Statements(Account).values(("name",), subject="s", is_active=True) == ["林美玲"]


def test_names_are_the_models_own() -> None:
    with pytest.raises(FieldDoesNotExist):
        Statements(Account).first(**{"subject = '' OR 1=1 --": "x"})
