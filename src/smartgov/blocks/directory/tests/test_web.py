"""The content of this jurisdiction, and the public page over it."""

from __future__ import annotations

import pytest
from django.test import Client

from smartgov.blocks.directory import api

pytestmark = pytest.mark.django_db


def test_the_journeys_agencies_are_there() -> None:
    codes = {agency.code for agency in api.agencies()}
    assert {"portal", "ris", "hpa", "nhi", "sfaa", "bli", "mof"} <= codes
    assert api.agency("ris").member == "TW/GOV/ris"


def test_every_legal_basis_leads_to_an_official_text() -> None:
    assert api.legal_bases()
    for basis in api.legal_bases():
        assert basis.url.startswith("https://")
        assert basis.title.zh
        assert api.legal_basis(basis.code) is basis


@pytest.mark.parametrize(("language", "name"), [("zh-hant", "內政部戶政司"), ("en", "Ministry of the Interior")])
def test_everybody_reads_the_directory_in_both_languages(client: Client, language: str, name: str) -> None:
    page = client.get("/directory/", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert name in page.content.decode()
