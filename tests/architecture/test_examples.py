"""Every operation of our APIs shows what it was really asked and what it said (`make examples`)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from smartgov.engines.apigen import spec
from smartgov.shared import content, openapi
from smartgov.shared.tw import national_id
from smartgov.site import documents, machine

DOCUMENTS = {"api": machine.api, "troad": machine.troad}


def bodies(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Its request and its first good answer, where they have a body."""
    answers = [told for status, told in operation["responses"].items() if str(status)[0] == "2" and "content" in told]
    return [part["content"]["application/json"] for part in (operation.get("requestBody"), *answers[:1]) if part]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_shows_examples_that_fit_its_forms(name: str) -> None:
    document = json.loads(json.dumps(DOCUMENTS[name].get_openapi_schema(), default=str))
    lacking = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for media in bodies(operation):
                if "example" not in media:
                    lacking.append(f"{method} {path}")
                    continue
                jsonschema.validate(media["example"], {**media["schema"], "components": document["components"]})
    assert lacking == [], "run `make examples`, and write a test that asks it"


@pytest.mark.parametrize("block", documents.by_hand())
def test_every_operation_written_by_hand_shows_examples_that_fit_its_forms(block: str) -> None:
    document = documents.by_hand()[block]
    lacking = []
    for method, path, operation in openapi.operations(document):
        for part, media in openapi.bodies(operation, {"status": 200}):
            if path.endswith("/openapi.json"):
                continue
            if "example" not in media:
                lacking.append(f"{part} of {method} {path}")
                continue
            jsonschema.validate(media["example"], {**media["schema"], "components": document["components"]})
    assert lacking == [], "run `make examples`, and write a test that asks it"


def test_nobody_real_stands_in_an_example() -> None:
    text = openapi.EXAMPLES.read_text(encoding="utf-8")
    found = [one[0].upper() for one in national_id.FINDER.finditer(text)]
    assert [one for one in found if national_id.is_valid(one) and not national_id.is_synthetic(one)] == []


def test_no_sound_id_stands_in_a_contract() -> None:
    """The register hands contracts out over T-Road, where a person may not stand in clear."""
    for path in (content.ROOT / "contracts").glob("*.yaml"):
        found = [one[0].upper() for one in national_id.FINDER.finditer(path.read_text(encoding="utf-8"))]
        assert [one for one in found if national_id.is_valid(one)] == [], path.name
    for name in content.names("registers"):
        text = spec.contract(content.read(f"registers/{name}.yaml"), f"TW/GOV/x/y/{name}.v1").decode()
        assert [one for one in national_id.FINDER.finditer(text) if national_id.is_valid(one[0].upper())] == []
