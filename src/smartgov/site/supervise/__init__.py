"""Running a country's processes on one machine: start, watch, restart, stop."""

from smartgov.site.supervise.country import Country
from smartgov.site.supervise.programs import Program
from smartgov.site.supervise.supervisor import Supervisor

__all__ = ["Country", "Program", "Supervisor"]
