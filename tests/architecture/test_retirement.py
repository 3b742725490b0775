"""Personal data ends: a whole life is written down, the clock moves past every period, and nothing is found."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from structlog.testing import capture_logs

from smartgov.blocks.audit import api as audit
from smartgov.blocks.audit.adapters.memory import MemoryLedger
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops import api as ops
from smartgov.blocks.ops.models import Event, Occasion
from smartgov.shared import clock
from smartgov.shared.tw import national_id
from tests.architecture import life

DECLARED = [declared for declared in map(ops.declaration_of, ops.our_models()) if declared.fields]
PERSONAL: dict[str, Any] = {declared.model._meta.label: declared.model for declared in DECLARED}
LONGEST = max(declared.after for declared in DECLARED if declared.after is not None)
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
# Rows that stay and name nobody; of every other model that declares personal data, the rows are deleted.
STAYS = {
    "cases.AssignedNumber",
    "cases.Case",
    "cases.RegisterWrite",
    "cases.Step",
    "cases.Supplement",
    "credentials.Certificate",
    "identity.Account",
    "payments.Instruction",
}

CORNER = base64.urlsafe_b64encode(f"(??>{life.MOTHER}".encode()).decode().rstrip("=")

pytestmark = pytest.mark.django_db


def readable(text: str) -> str:
    """The text with what it holds in JSON escapes or base64 written out."""
    parts = [text, _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)]
    for token in _BASE64.findall(text):
        plain = token.rstrip("=").translate(str.maketrans("-_", "+/"))
        plain = plain[: len(plain) - (len(plain) % 4 == 1)]
        parts.append(base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "replace"))
    return "\n".join(parts)


def everything() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as stored."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", _text(value)
    for session in Session.objects.all():  # stored compressed
        yield "django_session", json.dumps(session.get_decoded(), ensure_ascii=False)


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value, default=str)


def found() -> set[str]:
    """Where the family, or any national id at all, can be read."""
    return {place for place, text in everything() if names_somebody(text)}


def names_somebody(text: str) -> bool:
    """Whether the family, or any national id at all, can be read in a text."""
    said = readable(text)
    return any(secret in said for secret in life.SECRETS) or bool(national_id.FINDER.search(said))


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """The encrypted columns of our models."""
    for model in ops.our_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, ops.EncryptedTextField):
                yield model, field.column


def still_sealed() -> set[str]:
    """Encrypted columns in which something is left."""
    places = {f"{model._meta.db_table}.{column}" for model, column in sealed_columns()}
    return {place for place, text in everything() if place in places and text not in ("", "null")}


def test_a_life_is_written_down_and_then_forgotten(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    with capture_logs() as logs, audit.sink_replaced(ledger):
        box = life.lived(tmp_path)
        empty = {label for label, model in PERSONAL.items() if not model.objects.exists()}
        assert not empty, "a life leaves a row in every table that declares personal data"
        assert not found(), "at rest nothing is readable, even before it is retired"
        assert len(still_sealed()) > 20
        assert not ops.dead_letters()

        life.closed()
        assert audit.sequence() > 0
        with clock.travelling(delta=LONGEST + timedelta(days=1)):
            ops.retire_all(clock.now())
        assert not found()
        assert still_sealed() == set()
        left = {label for label, model in PERSONAL.items() if model.objects.exists()}
        assert left == STAYS

    said = json.dumps(logs, default=str, ensure_ascii=False)
    assert len(logs) > 20
    assert not names_somebody(said)
    assert life.MAIL in {mail.to for mail in box.mails}
    records = [record for log in ledger.logs.values() for record in log]
    assert national_id.urn(life.MOTHER) in {record["subject"] for record in records}


def test_each_table_is_retired_in_its_time_and_not_before(tmp_path: Path) -> None:
    waiting = [declared for declared in DECLARED if declared.since]
    assert len(waiting) > 30
    with audit.sink_replaced(MemoryLedger()):
        for happens in (lambda: life.lived(tmp_path), life.closed):
            happens()
            waiting = [declared for declared in waiting if not ends_in_its_time(declared)]
    assert not waiting, "no row of them can be due"


def ends_in_its_time(declared: ops.Declaration) -> bool:
    """Whether there is a row whose time can come; each stays until then, and is empty or gone a second later."""
    model, after = PERSONAL[declared.model._meta.label], declared.after or timedelta()
    rows = model.objects.exclude(**{declared.since: None})
    moments = sorted(rows.values_list(declared.since, flat=True))
    if not moments:
        return False
    places, late = list(rows.values_list("pk", flat=True)), moments[-1] + after + timedelta(seconds=1)
    with transaction.atomic():
        assert ops.retire(model, moments[0] + after) == 0, declared
        assert ops.retire(model, late) > 0, declared
        assert ops.retire(model, late) == 0, "what is empty or gone is not retired again"
        left = list(model.objects.filter(pk__in=places).values(*declared.fields))
        assert bool(left) == declared.blanked, declared
        assert all(value in ("", None) for row in left for value in row.values()), declared
        transaction.set_rollback(True)
    return True


@pytest.mark.parametrize(
    "plant", [life.MOTHER, life.NAME, base64.b64encode(f"dear {life.NAME},".encode()).decode(), CORNER]
)
def test_the_search_finds_what_is_planted(plant: str) -> None:
    Occasion.objects.create(name="planted", due_at=clock.now(), problem=plant)
    people.a_person()
    assert found() == {"ops_occasion.problem"}
    assert still_sealed() == {f"identity_account.{name}" for name in ("national_id", "name", "email")}
    Event.objects.create(name="e", aggregate="a", payload={"text": plant})
    assert found() == {"ops_occasion.problem", "ops_event.payload"}
