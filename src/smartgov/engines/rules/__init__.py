"""Rules of law as data: dated, cited parameters and conditions, decided with an explanation. See README.md."""

from __future__ import annotations

from smartgov.engines.rules.decision import Decision, Step
from smartgov.engines.rules.parameters import Parameter
from smartgov.engines.rules.rulebook import Rule, RuleBook, current, load
from smartgov.engines.rules.sources import Citation

__all__ = ["Citation", "Decision", "Parameter", "Rule", "RuleBook", "Step", "current", "load"]
