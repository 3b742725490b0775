"""The door of `payments`: order a payment, batch, release by a second person, settle from the bank's file."""

from __future__ import annotations

from smartgov.blocks.payments.bank import replaced as bank_replaced
from smartgov.blocks.payments.domain import BatchState, Line, Outcome, ResultFile, State
from smartgov.blocks.payments.ports import BankPort, Order
from smartgov.blocks.payments.selectors import (
    BatchView,
    InstructionView,
    batch,
    batches,
    instruction,
    instructions,
)
from smartgov.blocks.payments.services import (
    apply_result,
    cancel,
    correct,
    instruct,
    poll_results,
    prepare_batch,
    release_batch,
    send_released,
    void_batch,
)

__all__ = [
    "BankPort",
    "BatchState",
    "BatchView",
    "InstructionView",
    "Line",
    "Order",
    "Outcome",
    "ResultFile",
    "State",
    "apply_result",
    "bank_replaced",
    "batch",
    "batches",
    "cancel",
    "correct",
    "instruct",
    "instruction",
    "instructions",
    "poll_results",
    "prepare_batch",
    "release_batch",
    "send_released",
    "void_batch",
]
