"""Pages of `exchange`: for seats that may see them, with words for a gateway that is silent."""

from __future__ import annotations

import pytest

from smartgov.blocks.exchange import transport
from smartgov.blocks.exchange.tests.factories import Recorded
from smartgov.blocks.identity.tests import factories

pytestmark = pytest.mark.django_db


def test_an_operator_sees_members_and_rights() -> None:
    client = factories.signed_in_officer("portal", "operator")
    recorded = Recorded(down=["ris"])
    recorded.handed_over = "portal"
    with transport.replaced(recorded):
        members = client.get("/exchange/", headers={"Accept-Language": "en"}).content.decode()
        rights = client.get("/exchange/rights", headers={"Accept-Language": "en"}).content.decode()
    assert "TW/GOV/ris/household/people.v1" in members
    assert "Article 5" in rights
    assert "Its calls go round" in members
    assert "<code>TW/GOV/hpa/gw1</code>" in members
    assert members.count("Counting handed over") == 1
    assert "<code>TW/GOV/portal/gw2</code>" in members


def test_a_citizen_does_not() -> None:
    with transport.replaced(Recorded()):
        assert factories.signed_in_citizen().get("/exchange/").status_code == 403
