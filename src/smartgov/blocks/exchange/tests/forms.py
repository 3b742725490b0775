"""What officers send in on pages: a service from a file or from tables, a request for a right."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.shared import clock

ENGLISH = {"Accept-Language": "en"}
CHINESE = {"Accept-Language": "zh-hant"}
STATIONS = "TW~GOV~ris~household~stations.v1"
PEOPLE = "TW~GOV~ris~household~persons.v1"
SETTINGS = {
    "visibility": "own",
    "durability": "strict",
    "retain_days": "",
    "body_bytes": "1048576",
    "seconds": "30",
    "per_minute": "60",
    "per_day": "",
}


def publish(client: Client, document: dict[str, Any]) -> Any:
    upload = SimpleUploadedFile("stations.json", json.dumps(document, indent=1).encode())
    form = {"subsystem": "TW/GOV/ris/household", "code": "stations.v1", "source": "file", "document": upload}
    return client.post("/exchange/services/new", {**form, **SETTINGS}, headers=ENGLISH)


def tables(client: Client) -> Any:
    form = {"subsystem": "TW/GOV/ris/household", "code": "persons.v1", "source": "tables", "tables": ["people"]}
    return client.post("/exchange/services/new", {**form, **SETTINGS}, headers=ENGLISH)


def wish(**changed: Any) -> dict[str, Any]:
    until = (clock.today() + timedelta(days=90)).isoformat()
    return {
        "client": "TW/GOV/nhi/cases",
        "endpoints": ["POST /people/query"],
        "fields": ["name", "birth_date"],
        "basis": "statute:household-registration-act-67",
        "purpose": "insurance.enrolment",
        "explanation": "to insure newborns",
        "until": until,
        **changed,
    }
