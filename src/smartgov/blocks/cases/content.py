"""The published content that cases work by: services and rules, read again when a file changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from smartgov.engines import rules
from smartgov.engines.forms.services import Part, ServiceDefinition, load_services
from smartgov.shared import content


def service(service_id: str) -> ServiceDefinition:
    """The published service; KeyError for an unknown id."""
    return services()[service_id]


def services() -> dict[str, ServiceDefinition]:
    """All published services."""
    return _services(_stamp(content.ROOT / "services"))


def part(service_id: str, part_id: str) -> Part:
    """One part of a published service."""
    return service(service_id).part(part_id)


def rule_book() -> rules.RuleBook:
    """Rules and parameters in force; a file that someone changed counts from the next decision on."""
    return rules.current(content.ROOT)


def _stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.yaml")))


@lru_cache(maxsize=4)
def _services(stamp: tuple[tuple[str, int], ...]) -> dict[str, ServiceDefinition]:
    return load_services(content.ROOT / "services")
