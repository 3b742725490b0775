"""The service catalogue and its forms, read from content; a changed file shows without a restart."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from smartgov.blocks.directory import api as directory
from smartgov.blocks.services.problems import service_unknown
from smartgov.engines import forms
from smartgov.engines.forms.services import Part, ServiceDefinition, load_service
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def services() -> list[ServiceDefinition]:
    """All services, by title order of their files."""
    return [service(name) for name in content.names("services")]


def service(service_id: str) -> ServiceDefinition:
    """One service; Problem `service-unknown` otherwise."""
    if service_id not in content.names("services"):
        raise service_unknown()
    return _service(*_stamp(content.ROOT / "services" / f"{service_id}.yaml"))


def form(service_id: str) -> forms.Form:
    """The form of a service."""
    return _form(*_stamp(content.ROOT / "forms" / f"{service(service_id).form}.yaml"))


def for_life_event(kind: str) -> list[ServiceDefinition]:
    """The services that a life event of this kind opens."""
    return [item for item in services() if item.life_event == kind]


def chosen_parts(definition: ServiceDefinition, answers: dict[str, object]) -> list[Part]:
    """The parts that she asks for; the ones she cannot leave out are those that others wait for."""
    wanted = answers.get("parts")
    if not isinstance(wanted, list):
        return list(definition.parts)
    needed = {name for part in definition.parts if part.id in wanted for name in part.after}
    return [part for part in definition.parts if part.id in wanted or part.id in needed]


def person_fields(service_id: str) -> frozenset[str]:
    """The ids of the form's fields that hold a national id."""
    pages = form(service_id).pages
    return frozenset(field.id for page in pages for field in page.fields if field.kind == "national_id")


def agency_name(code: str) -> Text:
    """The name of an agency."""
    return directory.agency(code).name


def agency_short(code: str) -> Text:
    """What people call an agency, where space is scarce."""
    return directory.agency(code).short


def law(code: str) -> Text:
    """Law and article of a legal basis, without the remark in brackets; the code when the directory lacks it."""
    try:
        found = directory.legal_basis(code)
    except Problem:
        return Text.of(code)
    article = Text(found.article.en.split(" (")[0], found.article.zh.split("（")[0])
    return Text(f"{found.title.en}, {article.en}", f"{found.title.zh}{article.zh}")


def _stamp(path: Path) -> tuple[Path, int]:
    return path, path.stat().st_mtime_ns


@lru_cache(maxsize=64)
def _service(path: Path, changed: int) -> ServiceDefinition:
    return load_service(path)


@lru_cache(maxsize=64)
def _form(path: Path, changed: int) -> forms.Form:
    return forms.load(path)
