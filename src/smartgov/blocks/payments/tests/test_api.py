"""Two persons, one digest, one payment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from smartgov.blocks.ops.models import Event
from smartgov.blocks.payments import api
from smartgov.blocks.payments.models import BankFile, Batch, Instruction
from smartgov.blocks.payments.tests import factories as make
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.django_db


def slug_of(refused: pytest.ExceptionInfo[Problem]) -> str:
    return refused.value.slug


def test_the_same_key_orders_once() -> None:
    case = "01900000-0000-7000-8000-000000000001"
    first = make.instruct(key="k", case=case)
    assert make.instruct(key="k", case=case) == first
    assert Instruction.objects.count() == 1
    with pytest.raises(Problem) as refused:
        make.instruct(key="k", case=case, amount=7000)
    assert slug_of(refused) == "payment-differs"


def test_an_account_of_wrong_form_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        make.instruct(account="12AB")
    assert slug_of(refused) == "account-invalid"


def test_account_and_payee_are_encrypted_at_rest(django_assert_num_queries: object) -> None:
    make.instruct()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT payee_name, bank_code, account FROM payments_instruction")
        stored = cursor.fetchone()
    assert all(value not in ("陳美玲", "004", "12345678901234") for value in stored)


def test_a_second_person_releases_and_the_bank_gets_it() -> None:
    make.instruct(amount=6000)
    make.instruct(amount=7000)
    with make.bank() as bank:
        batch = make.released(bank)
        assert bank.orders[batch].total == 13000
        assert {line.account for line in bank.orders[batch].lines} == {"12345678901234"}
    assert set(Instruction.objects.values_list("state", flat=True)) == {"sent"}


def test_the_preparer_may_not_release_even_from_another_seat() -> None:
    make.instruct()
    preparer = make.officer()
    batch = api.prepare_batch(actor=preparer, agency=make.AGENCY)
    digest = api.batch(actor=preparer, batch=batch).digest
    other_seat = make.officer("payment_releaser", who=preparer.subject)
    for actor in (preparer, other_seat):
        with pytest.raises(Problem) as refused:
            api.release_batch(actor=actor, batch=batch, seen_hash=digest)
        assert slug_of(refused) == "second-person-needed"
    assert Batch.objects.get().state == "prepared"


def test_the_deciding_officer_may_not_release() -> None:
    decider = make.officer("payment_releaser")
    make.instruct(decided_by=decider.subject)
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    with pytest.raises(Problem) as refused:
        api.release_batch(actor=decider, batch=batch, seen_hash=Batch.objects.get().digest)
    assert slug_of(refused) == "second-person-needed"


def test_the_database_itself_refuses_one_person_on_both_sides() -> None:
    make.instruct()
    api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    batch = Batch.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(id=batch.id).update(released_by_person=batch.prepared_by_person)


def test_another_hash_than_the_batchs_releases_nothing() -> None:
    make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    with pytest.raises(Problem) as refused:
        api.release_batch(actor=make.officer("payment_releaser"), batch=batch, seen_hash="0" * 64)
    assert slug_of(refused) == "batch-hash-differs"
    assert Batch.objects.get().state == "prepared"


def test_a_line_changed_behind_the_batch_voids_it() -> None:
    make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    digest = Batch.objects.get().digest
    line = Instruction.objects.get()
    line.account = "99999999999999"
    line.save(update_fields=("account",))
    with pytest.raises(Problem) as refused:
        api.release_batch(actor=make.officer("payment_releaser"), batch=batch, seen_hash=digest)
    assert slug_of(refused) == "batch-changed"
    assert Batch.objects.get().state == "void"
    assert Instruction.objects.get().state == "ready"


def test_a_line_changed_after_release_is_not_sent() -> None:
    make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    api.release_batch(actor=make.officer("payment_releaser"), batch=batch, seen_hash=Batch.objects.get().digest)
    Instruction.objects.update(amount=999_999)
    with make.bank() as bank:
        assert api.send_released() == 0
        assert bank.orders == {}
    assert Batch.objects.get().state == "void"


def test_correcting_an_account_voids_the_batch_and_pays_the_new_one_only() -> None:
    old = make.instruct()
    preparer = make.officer()
    batch = api.prepare_batch(actor=preparer, agency=make.AGENCY)
    new = api.correct(actor=preparer, instruction=old, payee_name="陳美玲", bank_code="812", account="55555555555555")
    assert Batch.objects.get(id=batch).state == "void"
    with make.bank() as bank:
        sent = make.released(bank)
        assert [line.account for line in bank.orders[sent].lines] == ["55555555555555"]
    assert Instruction.objects.get(id=old).state == "replaced"
    assert Instruction.objects.get(id=new).state == "sent"


def _corrected(actor: Actor, line: str) -> None:
    api.correct(actor=actor, instruction=line, payee_name="陳美玲", bank_code="812", account="55555555555555")


def _cancelled(actor: Actor, line: str) -> None:
    api.cancel(actor=actor, instruction=line)


@pytest.mark.parametrize("deed", [_corrected, _cancelled])
def test_what_the_bank_may_have_is_not_paid_again_by_another_batch(deed: Callable[[Actor, str], None]) -> None:
    """The bank takes the batch and its answer is lost: the lines stay there until a result says what became of them."""
    touched, other = make.instruct(case="c-touched"), make.instruct(case="c-other")
    preparer, second = make.officer(), make.officer("payment_releaser")
    batch = api.prepare_batch(actor=preparer, agency=make.AGENCY)
    api.release_batch(actor=second, batch=batch, seen_hash=Batch.objects.get().digest)
    with make.bank() as bank:
        bank.silent = True
        assert api.send_released() == 0
        with pytest.raises(Problem) as refused:
            deed(preparer, touched)
        assert slug_of(refused) == "batch-step-refused"
        with pytest.raises(Problem):
            api.prepare_batch(actor=preparer, agency=make.AGENCY)  # nothing of it is ready again
        bank.silent = False
        assert api.send_released() == 1
        bank.results[batch] = bank.answer(batch)
        assert api.poll_results() == 1
    assert set(Instruction.objects.filter(id__in=(touched, other)).values_list("state", flat=True)) == {"settled"}


def test_a_payment_may_be_corrected_any_number_of_times() -> None:
    line = make.instruct(key="0190a8c0-0000-7000-8000-000000000001:decision")
    clerk = make.officer()
    for number in range(12):
        line = api.correct(
            actor=clerk, instruction=line, payee_name="陳美玲", bank_code="812", account=f"{number:014d}"
        )
    assert Instruction.objects.get(id=line).state == "ready"


def test_who_corrected_an_account_may_not_release_it() -> None:
    old = make.instruct()
    corrector = make.officer("payment_releaser")
    api.correct(actor=corrector, instruction=old, payee_name="陳美玲", bank_code="812", account="55555555555555")
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    with pytest.raises(Problem) as refused:
        api.release_batch(actor=corrector, batch=batch, seen_hash=Batch.objects.get().digest)
    assert slug_of(refused) == "second-person-needed"


def test_a_bank_that_is_down_gets_the_batch_later() -> None:
    make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    api.release_batch(actor=make.officer("payment_releaser"), batch=batch, seen_hash=Batch.objects.get().digest)
    with make.bank() as bank:
        bank.down = True
        assert api.send_released() == 0
        assert Batch.objects.get().state == "released"
        bank.down = False
        assert api.send_released() == 1
        assert api.send_released() == 0


def test_a_result_is_applied_once_and_a_failed_payment_comes_back() -> None:
    good, bad = make.instruct(case="c-good"), make.instruct(case="c-bad")
    with make.bank() as bank:
        batch = make.released(bank)
        reference = Instruction.objects.get(id=bad).reference
        bank.results[batch] = bank.answer(batch, failing=(reference,))
        assert api.poll_results() == 1
        assert api.poll_results() == 0
        with pytest.raises(Problem) as refused:
            api.apply_result(actor=make.officer(), agency=make.AGENCY, content=bank.results[batch])
    assert slug_of(refused) == "bank-file-twice"
    assert Instruction.objects.get(id=good).state == "settled"
    failed = Instruction.objects.get(id=bad)
    assert (failed.state, failed.reason) == ("failed", "account-closed")
    told = set(Event.objects.filter(name__startswith="payment_").values_list("name", "aggregate"))
    assert told == {("payment_settled", "c-good"), ("payment_failed", "c-bad")}


def test_the_same_results_in_another_file_are_not_applied_again() -> None:
    make.instruct()
    with make.bank() as bank:
        batch = make.released(bank)
        bank.results[batch] = bank.answer(batch)
        api.poll_results()
        other = bank.answer(batch).replace(b"08:00:00", b"09:00:00")
        with pytest.raises(Problem) as refused:
            api.apply_result(actor=make.officer(), agency=make.AGENCY, content=_resealed(other))
    assert slug_of(refused) == "bank-file-twice"


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (lambda file: file[: len(file) // 2], "bank-file-cut"),
        (lambda file: _resealed(file.replace(b"|6000|", b"|60000|")), "bank-amount-differs"),
        (lambda file: _resealed(_renamed(file)), "bank-reference-unknown"),
        (lambda file: _resealed(file.replace(b"H|", b"H|x", 1)), "bank-batch-unknown"),
    ],
)
def test_a_wrong_file_applies_nothing_of_itself(change: object, slug: str) -> None:
    make.instruct()
    make.instruct(amount=7000)
    with make.bank() as bank:
        batch = make.released(bank)
        file = change(bank.answer(batch))  # type: ignore[operator]
        with pytest.raises(Problem) as refused:
            api.apply_result(actor=make.officer(), agency=make.AGENCY, content=file)
    assert slug_of(refused) == slug
    assert set(Instruction.objects.values_list("state", flat=True)) == {"sent"}
    assert Batch.objects.get().state == "sent"


def test_a_failed_payment_is_corrected_into_a_new_one_and_paid_once() -> None:
    bad = make.instruct()
    with make.bank() as bank:
        batch = make.released(bank)
        bank.results[batch] = bank.answer(batch, failing=(Instruction.objects.get().reference,))
        api.poll_results()
        new = api.correct(
            actor=make.officer(), instruction=bad, payee_name="陳美玲", bank_code="812", account="55555555555555"
        )
        with pytest.raises(Problem):
            api.correct(
                actor=make.officer(), instruction=bad, payee_name="陳美玲", bank_code="812", account="66666666666666"
            )
        second = make.released(bank)
        bank.results[second] = bank.answer(second)
        assert api.poll_results() == 1
    assert Instruction.objects.get(id=new).state == "settled"
    assert Instruction.objects.get(id=bad).state == "replaced"


def test_another_agency_sees_and_touches_nothing() -> None:
    instruction = make.instruct()
    batch = api.prepare_batch(actor=make.officer(), agency=make.AGENCY)
    stranger = make.officer("payment_releaser", agency="bli")
    for attempt in (
        lambda: api.batch(actor=stranger, batch=batch),
        lambda: api.instruction(actor=stranger, instruction=instruction),
        lambda: api.release_batch(actor=stranger, batch=batch, seen_hash=Batch.objects.get().digest),
        lambda: api.void_batch(actor=stranger, batch=batch, reason="x"),
        lambda: api.cancel(actor=stranger, instruction=instruction),
        lambda: api.apply_result(actor=stranger, agency=make.AGENCY, content=b""),
    ):
        with pytest.raises(Http404):
            attempt()


def _resealed(file: bytes) -> bytes:
    """The file with a trailer that fits its changed lines, as a careful forger or a broken bank would write it."""
    from hashlib import sha256

    *body, _, _ = file.decode().split("\n")
    details = [line.split("|") for line in body if line.startswith("D|")]
    text = "".join(line + "\n" for line in body)
    total = sum(int(detail[2]) for detail in details)
    return f"{text}T|{len(details)}|{total}|{sha256(text.encode()).hexdigest()}\n".encode()


def _renamed(file: bytes) -> bytes:
    reference = file.decode().split("\n")[1].split("|")[1]
    return file.replace(reference.encode(), b"ZZZZZZZZZZ")


class Payments(RuleBasedStateMachine):
    """Whatever officers, bank and retries do in whatever order, each decision is paid at most once."""

    def __init__(self) -> None:
        super().__init__()
        for model in (BankFile, Instruction, Batch):  # every example starts with empty books
            model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]  # bypasses PROTECT
        self.context = make.bank()
        self.bank = self.context.__enter__()
        self.people = [make.officer(), make.officer("payment_releaser")]
        self.paid: list[str] = []

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)

    @rule(key=st.sampled_from(["a", "b", "c"]))
    def order(self, key: str) -> None:
        make.instruct(key=key, case=f"case-{key}")

    @rule()
    def prepare(self) -> None:
        _try(lambda: api.prepare_batch(actor=self.people[0], agency=make.AGENCY))

    @rule(who=st.integers(0, 1))
    def release(self, who: int) -> None:
        for batch in Batch.objects.filter(state="prepared"):
            _try(lambda batch=batch: api.release_batch(actor=self.people[who], batch=batch.id, seen_hash=batch.digest))

    @rule(silent=st.booleans())
    def send(self, silent: bool) -> None:
        self.bank.silent = silent
        api.send_released()

    @rule(fails=st.booleans())
    def settle(self, fails: bool) -> None:
        for batch in Batch.objects.filter(state="sent"):
            references = tuple(line.reference for line in self.bank.orders[batch.id].lines) if fails else ()
            file = self.bank.answer(batch.id, failing=references)
            for _ in range(2):
                _try(lambda file=file: api.apply_result(actor=self.people[0], agency=make.AGENCY, content=file))

    @rule()
    def correct(self) -> None:
        for line in Instruction.objects.all():
            _try(
                lambda line=line: api.correct(
                    actor=self.people[0],
                    instruction=line.id,
                    payee_name="陳美玲",
                    bank_code="812",
                    account="55555555555555",
                )
            )

    @rule()
    def void(self) -> None:
        for batch in Batch.objects.filter(state="prepared"):
            api.void_batch(actor=self.people[1], batch=batch.id, reason="look again")

    @invariant()
    def each_decision_is_paid_at_most_once(self) -> None:
        settled = list(Instruction.objects.filter(state="settled").values_list("case", flat=True))
        assert len(settled) == len(set(settled))
        alive = list(Instruction.objects.exclude(state__in=("replaced", "cancelled")).values_list("case", flat=True))
        assert len(alive) == len(set(alive))

    @invariant()
    def the_bank_is_told_to_pay_a_decision_once(self) -> None:
        """Whatever it has and has not sent back, it pays."""
        failed = set(Instruction.objects.filter(reason__gt="").values_list("reference", flat=True))
        told = [line.reference for order in self.bank.orders.values() for line in order.lines]
        paid = Instruction.objects.filter(reference__in=set(told) - failed).values_list("case", flat=True)
        assert len(paid) == len(set(paid))


def _try(verb: Callable[[], object]) -> None:
    with suppress(Problem):
        verb()


def test_whatever_happens_in_whatever_order_nothing_is_paid_twice() -> None:
    some = settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Payments, settings=some)
