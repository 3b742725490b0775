"""Formulas by period over persons and households. See the README of the engine and docs/manuals/designer/periods.md."""

from __future__ import annotations

from smartgov.engines.rules.periods.calculation import Account, Calculation, walk
from smartgov.engines.rules.periods.situation import Situation
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.sql import Listed, People, PeriodSql, compile_periods
from smartgov.engines.rules.periods.variables import Variable

__all__ = [
    "Account",
    "Calculation",
    "Listed",
    "ONCE",
    "People",
    "PeriodSql",
    "Situation",
    "Span",
    "Variable",
    "compile_periods",
    "walk",
]
