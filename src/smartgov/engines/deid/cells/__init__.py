"""Tables of counts and sums that may be published: small cells are left out, with proof that none can be worked out.

Terms follow Hundepool et al., Statistical Disclosure Control (2012), chapter 4: primary and complementary suppression,
protection levels, the audit of a suppressed table by linear programs.
"""

from smartgov.engines.deid.cells.auditing import Finding, audit, read_published
from smartgov.engines.deid.cells.cube import TOTAL, Cube, Tabulated, tabulate
from smartgov.engines.deid.cells.feasible import Intervals, intervals
from smartgov.engines.deid.cells.protection import Suppressed, suppress
from smartgov.engines.deid.cells.sensitive import Primary, Rules, primary

__all__ = [
    "TOTAL",
    "Cube",
    "Finding",
    "Intervals",
    "Primary",
    "Rules",
    "Suppressed",
    "Tabulated",
    "audit",
    "intervals",
    "primary",
    "read_published",
    "suppress",
    "tabulate",
]
