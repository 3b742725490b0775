"""A member elsewhere publishes, asks and reviews by letter, as an officer does on the page; each letter works once."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange.models import Member, RightRequest, Service
from smartgov.blocks.exchange.tests.factories import two_members
from smartgov.blocks.exchange.tests.test_joining import Authority, authority, home, joined, post
from smartgov.blocks.identity.tests import factories as people
from smartgov.engines.apilint import read
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import letters, offering, rights
from smartgov.shared import clock

__all__ = ["authority"]
pytestmark = pytest.mark.django_db
DOCUMENT = json.dumps(dict(read().example))
OFFERED = "TW/GOV/xyz/cases/stations.v1"
FORM: dict[str, Any] = {"personal": False, "related": [], "visibility": "own", "durability": "soon", "limits": {}}
UNTIL = (clock.today()).isoformat()


@pytest.fixture
def xyz(authority: Authority, tmp_path: Path) -> Path:
    two_members()
    folder = home(tmp_path / "xyz")
    joined(folder)
    return folder


def written(folder: Path, kind: str, **content: Any) -> dict[str, Any]:
    at = homes.load(folder)
    said = {"gateway": at.gateway, "nonce": letters.nonce().hex(), **content}
    signers = {"configuration": at.p256("configuration")}
    return letters.write(kind, said, signers, to=settings.ORIGIN, now=clock.now())


def publish(folder: Path, **changes: Any) -> tuple[int, dict[str, Any]]:
    content = {"service": OFFERED, "document": DOCUMENT, "settings": FORM, "withdraw": False, **changes}
    return post("services/letters", written(folder, offering.PUBLISH, **content))


def right(folder: Path, do: str, **content: Any) -> tuple[int, dict[str, Any]]:
    return post("rights/letters", written(folder, rights.RIGHT, do=do, **content))


def test_a_service_is_published_changed_and_withdrawn(xyz: Path) -> None:
    assert publish(xyz)[0] == 200
    row = Service.objects.get(id=OFFERED)
    assert (row.durability, row.personal, row.contract) == ("soon", False, sha256(DOCUMENT.encode()).hexdigest())
    assert publish(xyz, document=None, settings={**FORM, "limits": {"per_minute": 3}})[0] == 200
    assert Service.objects.get(id=OFFERED).per_minute == 3
    assert publish(xyz, withdraw=True)[0] == 200
    assert Service.objects.get(id=OFFERED).withdrawn_at is not None
    assert [one.system for one in audit.entries("xyz", action="exchange.service_withdrawn")] == [
        "gateway:TW/GOV/xyz/gw1"
    ]


def test_a_name_that_exists_is_replaced_only_by_a_letter_that_says_so(
    xyz: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(xyz)
    other = json.loads(DOCUMENT)
    other["info"]["version"] = "2.0.0"
    del other["paths"]["/stations/{id}"]
    status, said = publish(xyz, document=json.dumps(other))
    assert (status, said["slug"]) == (409, "service-exists")
    offering.show_changes(said["changes"])
    assert capsys.readouterr().out.splitlines() == ["version: 1.0.0 -> 2.0.0", "removed: GET /stations/{id}"]
    assert Service.objects.get(id=OFFERED).contract == sha256(DOCUMENT.encode()).hexdigest()
    assert publish(xyz)[0] == 200
    assert publish(xyz, document=json.dumps(other), replace=True)[0] == 200
    assert Service.objects.get(id=OFFERED).endpoints == ["GET /stations"]


def test_its_document_is_given_to_the_member_alone(xyz: Path, tmp_path: Path) -> None:
    publish(xyz)
    digest = sha256(DOCUMENT.encode()).hexdigest()
    status, said = post("contracts/letters", written(xyz, offering.CONTRACT, digest=digest))
    assert (status, said["document"]) == (200, DOCUMENT)
    assert post("contracts/letters", written(xyz, offering.CONTRACT, digest="0" * 64))[0] == 404
    abc = tmp_path / "abc"
    homes.create(abc, member="TW/GOV/abc", port=8444, local_port=8481, subsystems={"cases": {}})
    joined(abc)
    assert post("contracts/letters", written(abc, offering.CONTRACT, digest=digest))[0] == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "TW/GOV/ris/household/stations.v1"},
        {"document": "{}"},
        {"settings": {**FORM, "visibility": "sealed"}},
        {"settings": {**FORM, "limits": {"sheep": 3}}},
        {"settings": None},
        {"settings": {**FORM, "shown_from": "soon"}},
    ],
)
def test_what_no_officer_could_publish_is_refused(xyz: Path, changes: dict[str, Any]) -> None:
    status, said = publish(xyz, **changes)
    assert (status, said["slug"]) in {(404, "not-registered"), (422, "openapi-refused"), (422, "registration-invalid")}
    assert not Service.objects.exists()


def test_a_letter_works_once_and_only_with_the_members_key(xyz: Path, tmp_path: Path) -> None:
    letter = written(xyz, offering.PUBLISH, service=OFFERED, document=DOCUMENT, settings=FORM)
    assert post("services/letters", letter)[0] == 200
    assert post("services/letters", letter)[1]["slug"] == "letter-replayed"
    other = tmp_path / "other"
    homes.create(other, member="TW/GOV/xyz", port=8445, local_port=8482, subsystems={"cases": {}})
    assert publish(other)[1]["slug"] == "letter-not-own"
    assert post("rights/letters", written(xyz, offering.PUBLISH, do="list"))[0] == 401


def test_a_member_of_another_class_does_not_speak_for_the_agency_of_that_code(xyz: Path) -> None:
    from smartgov.blocks.exchange.models import Gateway

    Member.objects.create(id="TW/COM/ris", name={"en": "Shop", "zh": "店"})
    Gateway.objects.filter(member="TW/GOV/xyz").update(member_id="TW/COM/ris")
    assert right(xyz, "list")[0] == 404


def test_rights_are_asked_granted_listed_and_ended(xyz: Path) -> None:
    publish(xyz)
    nhi = people.signed_in_officer("nhi", "exchange_officer")
    form = {"client": "TW/GOV/nhi/cases", "endpoints": ["GET /stations"], "basis": "none:", "purpose": "weather"}
    address = nhi.post(f"/exchange/services/{OFFERED.replace('/', '~')}/ask", {**form, "until": UNTIL})["Location"]
    (listed,) = right(xyz, "list")[1]["requests"]
    assert address.endswith(listed["id"])
    assert (listed["purpose"], listed["until"]) == ("weather", UNTIL)
    status, said = right(xyz, "grant", id=listed["id"], until=UNTIL)
    assert (status, said["state"]) == (200, "granted")
    assert right(xyz, "end", id=said["id"], reason="the project is over")[1]["state"] == "revoked"
    assert right(xyz, "list")[1]["rights"][0]["state"] == "revoked"


def test_a_member_asks_and_cannot_grant_its_own_wish(xyz: Path) -> None:
    publish(xyz)
    wish = {"client": "TW/GOV/xyz/cases", "id": OFFERED, "endpoints": ["GET /stations"], "basis": "none"}
    status, said = right(xyz, "ask", **wish, basis_code="", purpose="weather", until=UNTIL)
    assert status == 200, said
    assert RightRequest.objects.get().asked_by == "gateway:TW/GOV/xyz/gw1"
    assert right(xyz, "grant", id=said["id"], until=UNTIL)[1]["slug"] == "request-own"
    assert right(xyz, "refuse", id=said["id"], reason="x")[1]["slug"] == "request-own"
    assert right(xyz, "withdraw", id=said["id"])[1]["state"] == "withdrawn"


@pytest.mark.parametrize(
    "content",
    [{"do": "steal"}, {"do": "ask", "basis": "whim"}, {"do": "ask", "basis": "none", "until": "soon"}, {"do": "grant"}],
)
def test_a_deed_that_cannot_be_read_is_refused(xyz: Path, content: dict[str, Any]) -> None:
    status, said = right(xyz, **content)
    assert (status, said["slug"]) in {(422, "registration-invalid"), (404, "not-registered")}
