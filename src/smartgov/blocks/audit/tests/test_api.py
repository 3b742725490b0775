"""Entries are only added; use records reach the ledger and lose the person's id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from smartgov.blocks.audit import api
from smartgov.blocks.audit.adapters.memory import MemoryLedger
from smartgov.blocks.audit.models import Entry, UseRecord
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
OFFICER = Actor("officer", seat="seat-1", agency="ris", assurance=2)
NID = national_id.make(6, 2)


@pytest.fixture
def ledger() -> Iterator[MemoryLedger]:
    memory = MemoryLedger()
    with api.sink_replaced(memory):
        yield memory


def note(action: str = "case.opened", object_id: str = "c1") -> str:
    return api.record(actor=OFFICER, action=action, object_type="case", object_id=object_id, detail={"step": 1})


def use(agency: str = "ris", **more: Any) -> str:
    facts = {"fields": ["name"], "purpose": "birth registration", "basis": "act-48", "case": "c1", **more}
    return api.use_record(actor=OFFICER, agency=agency, national_id=NID, **facts)


def test_an_entry_says_who_did_what() -> None:
    entry = Entry.objects.get(id=note())
    assert (entry.kind, entry.seat, entry.agency, entry.action, entry.assurance, entry.detail) == (
        "officer",
        "seat-1",
        "ris",
        "case.opened",
        2,
        {"step": 1},
    )


@pytest.mark.django_db(transaction=True)
def test_notes_commit_and_roll_back_with_the_deed() -> None:
    for write in (note, use):
        with pytest.raises(RuntimeError, match="transaction"):
            write()
        with transaction.atomic():
            write()
            transaction.set_rollback(True)
    assert (Entry.objects.count(), UseRecord.objects.count()) == (0, 0)


def test_an_entry_is_never_changed_by_the_code() -> None:
    entry = Entry.objects.get(id=note())
    entry.action = "nothing.happened"
    for change in (entry.save, entry.delete, lambda: Entry.objects.update(action="x")):
        with pytest.raises(TypeError):
            change()


def test_an_entry_is_never_changed_by_the_database() -> None:
    entry = note()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET action = 'nothing' WHERE id = %s", [entry])
    assert Entry.objects.get(id=entry).action == "case.opened"


def test_entries_are_found_by_agency_and_filters() -> None:
    note("case.opened", "c1")
    note("case.approved", "c2")
    with clock.travelling(delta=timedelta(days=-3)):
        note("case.opened", "c3")
    found = api.entries("ris", action="case.opened", since=clock.now() - timedelta(days=1))
    assert [entry.object_id for entry in found] == ["c1"]
    assert [entry.object_id for entry in api.entries("ris", object_id="c2")] == ["c2"]
    assert [entry.object_id for entry in api.entries("ris", until=clock.now() - timedelta(days=1))] == ["c3"]
    assert api.entries("ris", seat="seat-2") == api.entries("nhi") == []


def test_use_records_reach_the_ledger_in_order_and_the_id_is_erased(ledger: MemoryLedger) -> None:
    first, second = use(fields=["name"]), use(fields=["birth_date"], request="x-7")
    with connection.cursor() as cursor:
        cursor.execute("SELECT national_id FROM audit_userecord")
        stored = [row[0] for row in cursor.fetchall()]
    assert all(text and NID not in text for text in stored)
    assert api.pending_uses("ris") == 2
    assert api.sequence() == 2
    assert [(row["fields"], row["request"], row["subject"]) for row in ledger.logs["ris"]] == [
        (["name"], first, f"urn:tw:nid:{NID}"),
        (["birth_date"], "x-7", f"urn:tw:nid:{NID}"),
    ]
    rows = {row.id: (row.ledger_index, row.national_id) for row in UseRecord.objects.all()}
    assert rows == {first: (0, ""), second: (1, "")}
    assert api.sequence() == api.pending_uses("ris") == 0


class HalfDown(MemoryLedger):
    """The gateway of one agency is down."""

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Refuse for one agency."""
        if agency == "nhi":
            raise Problem("gateway-unreachable", 503, what="down")
        return super().append(agency, records)


def test_an_agency_whose_gateway_is_down_waits_alone() -> None:
    use("nhi")
    use("ris")
    with api.sink_replaced(HalfDown()):
        assert api.sequence() == 1
    assert (api.pending_uses("nhi"), api.pending_uses("ris")) == (1, 0)
    with api.sink_replaced(MemoryLedger()):
        assert api.sequence() == 1


class Picky(MemoryLedger):
    """Takes no record with a certain purpose."""

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Refuse the whole call, as a gateway does."""
        if any(row["purpose"] == "strange" for row in records):
            raise Problem("record-invalid", 422, what="no")
        return super().append(agency, records)


def test_a_record_that_is_refused_does_not_hold_back_the_others() -> None:
    use()
    use(purpose="strange")
    use()
    with api.sink_replaced(Picky()):
        assert api.sequence() == 2
        assert api.sequence() == 0
    assert UseRecord.objects.get(state=UseRecord.PENDING).purpose == "strange"


def test_a_ledger_that_miscounts_erases_nothing() -> None:
    class Miscounting(MemoryLedger):
        def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
            return []

    use()
    with api.sink_replaced(Miscounting()), pytest.raises(RuntimeError, match="number of indexes"):
        api.sequence()
    assert UseRecord.objects.get().national_id == NID


def test_the_database_refuses_a_sequenced_record_with_an_id() -> None:
    row = UseRecord.objects.get(id=use())
    with pytest.raises(IntegrityError), transaction.atomic():
        UseRecord.objects.filter(id=row.id).update(state=UseRecord.SEQUENCED, ledger_index=3)


def test_a_use_record_needs_a_real_subject() -> None:
    with pytest.raises(ValueError, match="valid id"):
        api.use_record(actor=OFFICER, agency="ris", national_id="x", fields=[], purpose="p", basis=None, case=None)


def test_entries_live_ten_years_and_sequenced_uses_ninety_days(ledger: MemoryLedger) -> None:
    note()
    use()
    api.sequence()
    waiting = use()
    ops.retire_all(clock.now() + timedelta(days=91))
    assert list(UseRecord.objects.values_list("id", flat=True)) == [waiting]
    assert Entry.objects.count() == 1
    ops.retire_all(clock.now() + timedelta(days=3_651))
    assert Entry.objects.count() == 0
