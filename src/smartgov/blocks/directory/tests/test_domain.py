"""Reading the directory, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from smartgov.blocks.directory import domain
from smartgov.shared.problems import Problem

AGENCY: dict[str, Any] = {"code": "ris", "name": {"en": "Household", "zh": "戶政司"}, "phone": "02-1"}
LAW: dict[str, Any] = {
    "code": "act-48",
    "title": {"en": "Act", "zh": "法"},
    "article": "48",
    "url": "https://law.test/48",
}


def test_an_agency_gets_its_member_id_and_a_short_name() -> None:
    agency = domain.read({"agencies": [AGENCY], "legal_bases": []}).agency("ris")
    assert (agency.member, agency.short.zh, agency.phone) == ("TW/GOV/ris", "戶政司", "02-1")


def test_unknown_codes_are_problems() -> None:
    empty = domain.Directory()
    for look_up, slug in ((empty.agency, "agency-unknown"), (empty.legal_basis, "legal-basis-unknown")):
        with pytest.raises(Problem, match=slug):
            look_up("nothing")


def test_a_code_stands_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        domain.read({"agencies": [AGENCY, AGENCY], "legal_bases": []})


@pytest.mark.parametrize("missing", ["code", "title", "url"])
def test_a_law_names_its_text(missing: str) -> None:
    row = {key: value for key, value in LAW.items() if key != missing}
    with pytest.raises(KeyError, match=missing):
        domain.read({"agencies": [], "legal_bases": [row]})
