"""The door of `directory`: agencies, and the law on which they act. Data lies in the content folder, not in tables."""

from __future__ import annotations

from functools import lru_cache

from smartgov.blocks.directory import domain
from smartgov.blocks.directory.domain import Agency, LegalBasis
from smartgov.shared import content

__all__ = ["Agency", "LegalBasis", "agencies", "agency", "legal_bases", "legal_basis"]


@lru_cache(maxsize=1)
def _directory() -> domain.Directory:
    return domain.read(content.read("directory.yaml"))


def agencies() -> list[Agency]:
    """All agencies in the order of the content file."""
    return list(_directory().agencies.values())


def agency(code: str) -> Agency:
    """The agency of `code` (`ris`); Problem `agency-unknown`."""
    return _directory().agency(code)


def legal_bases() -> list[LegalBasis]:
    """All legal bases in the order of the content file."""
    return list(_directory().legal_bases.values())


def legal_basis(code: str) -> LegalBasis:
    """The legal basis of `code`; Problem `legal-basis-unknown`."""
    return _directory().legal_basis(code)
