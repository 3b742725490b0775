import asyncio
import json

import pytest

from smartgov.engines.apigen import build, config, server
from smartgov.engines.httpd import Request
from smartgov.engines.httpd.answering import answer
from smartgov.shared.tw import national_id

MOTHER, FATHER, CHILD, STRANGER = (national_id.make(serial, sex) for serial, sex in ((1, 2), (2, 1), (3, 2), (4, 2)))


def title(text):
    return {"en": text, "zh": text}


DESCRIPTION = {
    "name": "household",
    "title": title("Household register"),
    "port": 0,
    "secret_file": "secrets/gateway",
    "tables": {
        "people": {
            "title": title("People"),
            "subject_columns": ["national_id", "mother_id", "father_id"],
            "create": True,
            "update": ["name", "father_id", "mother_id"],
            "columns": {
                "id": {"title": title("Id")},
                "national_id": {"format": "national-id", "required": True, "title": title("National id")},
                "name": {"required": True, "max_length": 40, "title": title("Name")},
                "sex": {"enum": ["female", "male"], "title": title("Sex")},
                "birth_date": {"type": "date", "title": title("Born on")},
                "children": {"type": "integer", "title": title("Children")},
                "married": {"type": "boolean", "title": title("Married")},
                "mother_id": {"format": "national-id", "title": title("Mother")},
                "father_id": {"format": "national-id", "title": title("Father")},
            },
        },
        "townships": {
            "title": title("Townships"),
            "personal": False,
            "columns": {"id": {"title": title("Id")}, "name": {"title": title("Name")}},
        },
    },
}
ROWS = {
    "people": [
        {
            "id": "p1",
            "national_id": MOTHER,
            "name": "林淑芬",
            "sex": "female",
            "birth_date": "1995-03-01",
            "married": 1,
        },
        {"id": "p4", "national_id": STRANGER, "name": "陳美玲", "sex": "female", "birth_date": "1990-01-01"},
    ],
    "townships": [{"id": str(number), "name": f"T{number}"} for number in range(5)],
}


@pytest.fixture
def home(tmp_path):
    build.create_register(tmp_path / "register", DESCRIPTION, ROWS, secret="s3cret")
    return tmp_path / "register"


@pytest.fixture
def ask(home):
    """Ask the register without a socket; `subject` is a national id."""
    handler = server.RegisterServer(config.load(home / "register.yaml"), home)

    def request(method, path, body=None, *, subject=None, secret="s3cret", query="", **headers):
        fields = {"authorization": f"Bearer {secret}", "x-road-client": "TW/GOV/ris/cases"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        if subject:
            fields["x-troad-subject"] = national_id.urn(subject)
        raw = b"" if body is None else json.dumps(body).encode()
        return asyncio.run(answer(handler, Request(method, path, query, fields, raw)))

    return request
