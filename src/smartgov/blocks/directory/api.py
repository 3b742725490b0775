"""The door of `directory`: agencies, and the law on which they act. Data lies in the content folder, not in tables."""

from __future__ import annotations

from functools import lru_cache

from smartgov.blocks.directory import domain
from smartgov.blocks.directory.domain import Agency, LegalBasis
from smartgov.shared import content
from smartgov.shared.text import Text

__all__ = ["Agency", "LegalBasis", "agencies", "agency", "legal_bases", "legal_basis", "purpose"]


@lru_cache(maxsize=1)
def _directory() -> domain.Directory:
    return domain.read(content.read("directory.yaml"))


def agencies() -> list[Agency]:
    """All agencies in the order of the content file."""
    return list(_directory().agencies.values())


def agency(code: str) -> Agency:
    """The agency of `code` (`ris`); Problem `agency-unknown`."""
    return _directory().agency(code)


@lru_cache(maxsize=1)
def _purposes() -> dict[str, Text]:
    found = {code: Text.of(words) for code, words in content.read("purposes.yaml").items()}
    for name in content.names("services"):
        raw = content.read(f"services/{name}.yaml")
        found |= {f"{raw['id']}.{part['id']}": Text.of(part["purpose"]) for part in raw["parts"]}
    return found


def purpose(code: str) -> Text:
    """What the code of a purpose (`birth.allowance`) means; one that the content does not know is shown as it is."""
    return _purposes().get(code) or Text.of(code)


def legal_bases() -> list[LegalBasis]:
    """All legal bases in the order of the content file."""
    return list(_directory().legal_bases.values())


def legal_basis(code: str) -> LegalBasis:
    """The legal basis of `code`; Problem `legal-basis-unknown`."""
    return _directory().legal_basis(code)
