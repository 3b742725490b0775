"""The doors on T-Road, as the portal's gateway knocks at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.services.models import LifeEvent, Step
from smartgov.blocks.services.tests.factories import Mother, a_step, handed_in, part_of
from smartgov.shared import homes
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
SECRET = "only-the-gateway-knows"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal's gateway shares a secret with this process."""
    secrets = homes.gateway_home("portal") / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    (secrets / "portal").write_text(SECRET)


def knock(path: str, body: dict[str, Any], *, subject: str, client: str, secret: str = SECRET) -> Any:
    return Client().post(
        f"/troad/portal/services.v1{path}",
        body,
        content_type="application/json",
        headers={
            "Authorization": f"Bearer {secret}",
            "X-Road-Client": client,
            "X-TRoad-Subject": national_id.urn(subject),
            "X-Road-Id": "x-1",
        },
    )


def a_birth() -> dict[str, Any]:
    return {
        "id": uuid7(),
        "kind": "birth",
        "happened_on": "2026-11-12",
        "notification": "n-9",
        "detail": {"hospital": "台大醫院", "child_sex": None},
    }


def test_a_birth_is_announced_by_the_health_agency_only(mother: Mother) -> None:
    body = a_birth()
    answer = knock("/life-events", body, subject=mother.person, client="TW/GOV/hpa/cases")
    assert (answer.status_code, answer.json()) == (
        200,
        {"accepted": True, "duplicate": False, "known_person": True},
    )
    again = knock("/life-events", body, subject=mother.person, client="TW/GOV/hpa/cases")
    assert again.json()["duplicate"] is True
    other = knock("/life-events", a_birth(), subject=mother.person, client="TW/GOV/nhi/cases")
    assert other.status_code == 404
    assert LifeEvent.objects.count() == 2


def test_only_the_gateway_may_knock(mother: Mother) -> None:
    answer = knock("/life-events", a_birth(), subject=mother.person, client="TW/GOV/hpa/cases", secret="guess")
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:smartgov:problem:not-from-gateway"


def test_an_agency_writes_a_step_on_its_own_part(mother: Mother) -> None:
    application = handed_in(mother)
    body = a_step(part_of(application, "registration"), "working", missing=None, payment=None)
    path = f"/applications/{application}/steps"
    first = knock(path, body, subject=mother.person, client="TW/GOV/ris/cases")
    again = knock(path, body, subject=mother.person, client="TW/GOV/ris/cases")
    assert (first.json(), again.json()) == (
        {"accepted": True, "duplicate": False},
        {"accepted": True, "duplicate": True},
    )
    assert knock(path, body, subject=mother.person, client="TW/GOV/sfaa/cases").status_code == 404
    differs = knock(path, {**body, "kind": "approved"}, subject=mother.person, client="TW/GOV/ris/cases")
    assert (differs.status_code, differs.json()["type"]) == (409, "urn:smartgov:problem:step-differs")
    assert Step.objects.filter(kind="working").count() == 1


@pytest.mark.parametrize(
    "broken",
    [{"kind": "supplement_asked"}, {"kind": "certificate_issued"}, {"kind": "dances"}, {"at": "yesterday"}],
)
def test_a_step_without_its_content_is_refused(mother: Mother, broken: dict[str, Any]) -> None:
    application = handed_in(mother)
    body = {**a_step(part_of(application, "registration"), "working"), **broken}
    answer = knock(f"/applications/{application}/steps", body, subject=mother.person, client="TW/GOV/ris/cases")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_a_payment_shows_its_amount_on_the_timeline(mother: Mother) -> None:
    application = handed_in(mother)
    payment = {"amount": 12000, "account": "••••8901", "reference": "P-1", "reason": None}
    body = a_step(part_of(application, "allowance"), "paid", payment=payment)
    knock(f"/applications/{application}/steps", body, subject=mother.person, client="TW/GOV/sfaa/cases")
    page = mother.browser.get(f"/services/applications/{application}/").content.decode()
    assert "NT$12,000" in page
