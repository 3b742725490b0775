"""Agencies and legal bases, as the content of a jurisdiction states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from smartgov.shared.homes import member_id
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency; `code` is its short code on this platform and `member` its id on T-Road."""

    code: str
    name: Text
    short: Text
    phone: str
    member: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """The law on which an agency may ask for or use data; `url` is the official text."""

    code: str
    title: Text
    article: Text
    url: str


Entry = TypeVar("Entry", Agency, LegalBasis)


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything that `directory.yaml` says."""

    agencies: dict[str, Agency] = field(default_factory=dict)
    legal_bases: dict[str, LegalBasis] = field(default_factory=dict)

    def agency(self, code: str) -> Agency:
        """The agency of a code; Problem `agency-unknown`."""
        if found := self.agencies.get(code):
            return found
        raise Problem(
            "agency-unknown",
            404,
            what=Text("There is no agency with this code.", "沒有這個代碼的機關。"),
            todo=Text("Choose one from the list of agencies.", "請從機關名錄中選擇。"),
        )

    def legal_basis(self, code: str) -> LegalBasis:
        """The legal basis of a code; Problem `legal-basis-unknown`."""
        if found := self.legal_bases.get(code):
            return found
        raise Problem(
            "legal-basis-unknown",
            404,
            what=Text("There is no legal basis with this code.", "沒有這個代碼的法律依據。"),
            todo=Text("Enter it in the directory with its article.", "請先在名錄登錄其法條。"),
        )


def read(content: Mapping[str, Any]) -> Directory:
    """The directory of a parsed `directory.yaml`; a missing or doubled entry is a ValueError that names it."""
    return Directory(
        _by_code([_agency(row) for row in content["agencies"]]),
        _by_code([_legal_basis(row) for row in content["legal_bases"]]),
    )


def _agency(row: Mapping[str, Any]) -> Agency:
    code, name = row["code"], Text.of(row["name"])
    short = Text.of(row.get("short", row["name"]))
    return Agency(code, name, short, str(row.get("phone", "")), member_id(code), row.get("site", ""))


def _legal_basis(row: Mapping[str, Any]) -> LegalBasis:
    return LegalBasis(row["code"], Text.of(row["title"]), Text.of(row.get("article", "")), row["url"])


def _by_code(rows: list[Entry]) -> dict[str, Entry]:
    found = {row.code: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("directory.yaml has the same code twice")
    return found
