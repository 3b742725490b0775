import json
import re

import jsonschema
import pytest

from smartgov.engines.apigen import config, spec
from smartgov.shared.tw.national_id import urn

from .conftest import CHILD, DESCRIPTION, MOTHER

METHODS = {"get", "post", "patch"}


def walk(node):
    yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(part)


def test_references_resolve_and_schemas_are_json_schema_2020_12():
    document = spec.openapi(DESCRIPTION)
    assert document["openapi"].startswith("3.1")
    for node in walk(document):
        if isinstance(node, dict) and "$ref" in node:
            target = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
    for node in walk(document):
        if isinstance(node, dict) and isinstance(node.get("schema"), dict):
            jsonschema.Draft202012Validator.check_schema(node["schema"])
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_operations_are_complete_and_name_no_person_in_path_or_query():
    document = spec.openapi(DESCRIPTION)
    operations = [(p, m, o) for p, methods in document["paths"].items() for m, o in methods.items()]
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names)) == 6
    for path, method, operation in operations:
        assert method in METHODS
        assert operation["responses"]
        own = [p for p in operation.get("parameters", []) if "in" in p]
        assert {p["name"] for p in own if p["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
        assert not any("pattern" in p["schema"] or "x-person" in p["schema"] for p in own)


def test_what_t_road_registers():
    assert spec.endpoints(DESCRIPTION) == [
        "POST /people/query",
        "POST /people",
        "PATCH /people/{id}",
        "POST /townships/query",
        "GET /townships",
    ]
    assert spec.related(DESCRIPTION) == ["father_id", "mother_id", "national_id"]


def test_real_answers_and_requests_fit_the_document(ask):
    document = json.loads(ask("GET", "/openapi.json").body)
    assert document == spec.openapi(DESCRIPTION)

    def check(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    row = {"national_id": urn(CHILD), "name": "安", "mother_id": urn(MOTHER), "married": False, "sex": None}
    check("people_new", row)
    check("people_answer", json.loads(ask("POST", "/people", row, subject=MOTHER).body))
    check("townships_answer", json.loads(ask("GET", "/townships").body))
    check("problem", json.loads(ask("POST", "/people/query", {}).body))
    with pytest.raises(jsonschema.ValidationError):
        check("people_new", {**row, "national_id": CHILD})


def wrong(**change):
    table = {**DESCRIPTION["tables"]["people"], **change}
    return {**DESCRIPTION, "tables": {"people": table}}


@pytest.mark.parametrize(
    ("description", "says"),
    [
        (wrong(subject_columns=[]), "subject_columns"),
        (wrong(subject_columns=["name"]), "national-id"),
        (wrong(personal=False), "personal"),
        (wrong(update=["id"]), "id"),
        (wrong(update=["nothing"]), "nothing"),
        (wrong(colour="red"), "unknown words"),
        (wrong(columns={"id": {}, "n": {"type": "float"}}, subject_columns=["n"], update=[]), "float"),
        ({**DESCRIPTION, "tables": {"health": DESCRIPTION["tables"]["townships"]}}, "taken"),
        ({**DESCRIPTION, "name": "a; drop"}, "not a name"),
    ],
)
def test_a_wrong_description_is_refused_and_says_where(description, says):
    with pytest.raises(ValueError, match=says):
        config.parse(description)
