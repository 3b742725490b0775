"""The door of `ops`: events and their outbox, encrypted columns, health, periodic work, retirement."""

from __future__ import annotations

from smartgov.blocks.ops.access import Gate, actor, permit, public, register_gate
from smartgov.blocks.ops.callers import address_of, neighbour_of
from smartgov.blocks.ops.documents import served_document
from smartgov.blocks.ops.domain import EmittedEvent, EventKind, is_refusal
from smartgov.blocks.ops.fields import EncryptedTextField
from smartgov.blocks.ops.health import Check, checks, health, note_release, register_check, upgrade_problems
from smartgov.blocks.ops.limiting import Calls, count_call
from smartgov.blocks.ops.machine_doors import MachineDoor, refusing
from smartgov.blocks.ops.manifest import deeds
from smartgov.blocks.ops.outbox import (
    dead_letters,
    declare_events,
    declared_events,
    dispatch,
    drop,
    emit,
    flows,
    retry,
)
from smartgov.blocks.ops.periodic import calendar, run_due
from smartgov.blocks.ops.personal import Declaration, declaration_of, our_models, retire, retire_all
from smartgov.blocks.ops.statements import Statement, Statements, moment_in, text_in, text_out, written

__all__ = [
    "Calls",
    "Check",
    "Declaration",
    "EmittedEvent",
    "EncryptedTextField",
    "EventKind",
    "Gate",
    "MachineDoor",
    "Statement",
    "Statements",
    "actor",
    "address_of",
    "calendar",
    "checks",
    "count_call",
    "dead_letters",
    "declaration_of",
    "declare_events",
    "declared_events",
    "deeds",
    "dispatch",
    "drop",
    "emit",
    "flows",
    "health",
    "is_refusal",
    "moment_in",
    "neighbour_of",
    "note_release",
    "our_models",
    "permit",
    "public",
    "refusing",
    "register_check",
    "register_gate",
    "retire",
    "retire_all",
    "retry",
    "run_due",
    "served_document",
    "text_in",
    "text_out",
    "upgrade_problems",
    "written",
]
