"""The door of `cases`: prepare, open, work on, decide; and what `site/flows` calls."""

from __future__ import annotations

from smartgov.blocks.cases.births import Notification, receive_announcement, record_birth_notification
from smartgov.blocks.cases.domain import State, Step
from smartgov.blocks.cases.listeners import (
    announce_birth,
    forward_parts,
    issue_certificate,
    payment_failed,
    payment_settled,
    report_step,
    start_payment,
)
from smartgov.blocks.cases.selectors import (
    CaseRow,
    CaseView,
    Filter,
    announced_births,
    case,
    case_for_applicant,
    work_list,
)
from smartgov.blocks.cases.services import (
    Application,
    approve,
    ask_supplement,
    continue_case,
    open_case,
    prepare,
    receive_supplement,
    refuse,
    restart,
)
from smartgov.blocks.cases.working import close_overdue, work_on_due

__all__ = [
    "Application",
    "CaseRow",
    "CaseView",
    "Filter",
    "Notification",
    "State",
    "Step",
    "announce_birth",
    "announced_births",
    "approve",
    "ask_supplement",
    "case",
    "case_for_applicant",
    "close_overdue",
    "continue_case",
    "forward_parts",
    "issue_certificate",
    "open_case",
    "payment_failed",
    "payment_settled",
    "prepare",
    "receive_announcement",
    "receive_supplement",
    "record_birth_notification",
    "refuse",
    "report_step",
    "restart",
    "start_payment",
    "work_list",
    "work_on_due",
]
