"""Every rule put to every person of a country: who is entitled, who has not applied, and what a change would do."""

from __future__ import annotations

from smartgov.engines.rules.sweep.frame import Frame, decoded, open_frame
from smartgov.engines.rules.sweep.mapping import Mapped, SweepMap, load_mapping
from smartgov.engines.rules.sweep.page import page
from smartgov.engines.rules.sweep.report import changes, table
from smartgov.engines.rules.sweep.run import RuleCount, SweepResult, answers, sweep
from smartgov.engines.rules.sweep.whatif import Change, Comparison, compare, load_change

__all__ = [
    "Change",
    "Comparison",
    "Frame",
    "Mapped",
    "RuleCount",
    "SweepMap",
    "SweepResult",
    "answers",
    "changes",
    "compare",
    "decoded",
    "load_change",
    "load_mapping",
    "open_frame",
    "page",
    "sweep",
    "table",
]
