"""De-identification: releases that fulfil privacy models, with proof of how good and how safe they are.

    release = deid.anonymise(table, deid.Policy.read(path))

See README.md. Needs requirements/analysis.txt.
"""

from __future__ import annotations

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.release import Release, Report, anonymise

__all__ = ["Hierarchy", "Policy", "Release", "Report", "anonymise"]
