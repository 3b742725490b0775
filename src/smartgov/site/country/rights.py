"""Who may call what on T-Road: approved services and explicit rights, in the words of the signed configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from smartgov.engines.apigen import config, spec
from smartgov.engines.forms.services import Part, ServiceDefinition, load_service
from smartgov.engines.troad import contract
from smartgov.shared import content, homes

PORTAL_DOORS = ("POST /preparations", "POST /cases", "POST /cases/{case_id}/supplements")
"""What the portal asks of an agency's case system on behalf of the applicant herself."""
_PORTAL = f"{homes.member_id('portal')}/portal"
Json = dict[str, Any]


def register_service(entry: Mapping[str, str]) -> str:
    """The service id of a register entry of exchange.yaml."""
    return f"{homes.member_id(entry['agency'])}/{entry['subsystem']}/{entry['service']}"


def register_description(agency: str) -> config.RegisterConfig:
    """The description of an agency's register."""
    return config.parse(content.read(f"registers/{agency}.yaml"))


def services(exchange: Mapping[str, Any]) -> list[Json]:
    """Every service on T-Road with the keys under which requests may name further persons."""
    found = []
    for entry in exchange["registers"]:
        description = register_description(entry["agency"])
        name = register_service(entry)
        offered = _service(name, spec.related(description), spec.endpoints(description))
        found.append({**offered, "document": spec.contract(description, name)})
    for entry in exchange["web"]:
        owner = f"{homes.member_id(entry['agency'])}/{entry['subsystem']}"
        found += [_web_service(owner, code) for code in entry["services"]]
    return found


def web_contract(code: str, service: str) -> bytes:
    """The contract of a service that our blocks answer, as `service` publishes it: at T-Road's address."""
    document = content.read(f"contracts/{code}.yaml")
    document["servers"] = [{"url": f"/r1/{service}"}]
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode()


def _web_service(owner: str, code: str) -> Json:
    name = f"{owner}/{code}"
    document = web_contract(code, name)
    told = json.loads(document)["x-troad"]
    offered = _service(name, told["related"], contract.parse(document).endpoints)
    return {**offered, "personal": told["personal"], "document": document}


def rights(exchange: Mapping[str, Any]) -> list[Json]:
    """Every right that the centre grants, each with its legal basis, consent, or the subject's own request."""
    citations = _citations()
    found = [_statute(row, citations) for row in exchange["rights"]]
    found += [_of_register(exchange["register"], entry) for entry in exchange["web"]]
    for name in exchange["approved"]:
        service = load_service(content.ROOT / "services" / f"{name}.yaml")
        found += _merged(_grants(service, citations))
        found += [right for part in service.parts for right in _doors(service, part, citations)]
    return found


def _service(name: str, related: Iterable[str], paths: Iterable[str]) -> Json:
    return {"id": name, "personal": True, "related": sorted(related), "paths": list(paths)}


def _citations() -> dict[str, str]:
    bases = content.read("directory.yaml")["legal_bases"]
    return {row["code"]: f"{row['title']['zh']} {row['article']['zh']}" for row in bases}


def _basis(code: str, citations: Mapping[str, str]) -> Json:
    if code in {"consent", "subject"}:
        return {"kind": code}
    return {"kind": "statute", "code": code, "citation": citations[code]}


def _statute(row: Mapping[str, Any], citations: Mapping[str, str]) -> Json:
    return {
        "client": row["client"],
        "service": row["service"],
        "endpoints": list(row["endpoints"]),
        "basis": _basis(row["basis"], citations),
        "fields": row.get("fields"),
        "purpose": row["purpose"],
    }


def _of_register(register: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """What every member's system may ask of the register itself."""
    return {
        "client": f"{homes.member_id(entry['agency'])}/{entry['subsystem']}",
        "service": register["service"],
        "endpoints": list(register["endpoints"]),
        "basis": {"kind": "none"},
        "fields": None,
        "purpose": register["purpose"],
    }


def _grants(service: ServiceDefinition, citations: Mapping[str, str]) -> Iterator[Json]:
    for grant in service.grants():
        yield {
            "client": grant.client,
            "service": grant.service,
            "endpoints": [grant.endpoint],
            "basis": _basis(grant.basis, citations),
            "fields": None if grant.fields is None else sorted(grant.fields),
            "purpose": grant.purpose,
        }


def _merged(found: Iterable[Json]) -> list[Json]:
    """One right for endpoints that share everything else, so that the list stays readable."""
    merged: list[Json] = []
    for right in found:
        same = next((m for m in merged if {**m, "endpoints": 0} == {**right, "endpoints": 0}), None)
        if same is None:
            merged.append(right)
        else:
            same["endpoints"] += right["endpoints"]
    return merged


def _doors(service: ServiceDefinition, part: Part, citations: Mapping[str, str]) -> Iterator[Json]:
    """The portal at the agency, the agency at the portal, and the agency at those that wait for its decision."""
    system, purpose = f"{homes.member_id(part.agency)}/cases", f"{service.id}.{part.id}"
    basis = _basis(part.legal_basis, citations)

    def right(client: str, provider: str, endpoints: Iterable[str], ground: Json, *, aim: str = purpose) -> Json:
        ends = list(endpoints)
        return {
            "client": client,
            "service": provider,
            "endpoints": ends,
            "basis": ground,
            "fields": None,
            "purpose": aim,
        }

    yield right(_PORTAL, f"{system}/cases.v1", PORTAL_DOORS, {"kind": "subject"})
    yield right(system, f"{_PORTAL}/services.v1", ["POST /applications/{application}/steps"], basis)
    if service.certificate and service.certificate.part == part.id:
        yield right(_PORTAL, f"{system}/credentials.v1", ["POST /documents", "POST /offers"], {"kind": "subject"})
    for follower in service.followers(part.id):
        next_system = f"{homes.member_id(follower.agency)}/cases"
        ground, aim = _basis(follower.legal_basis, citations), f"{service.id}.{follower.id}"
        yield right(system, f"{next_system}/cases.v1", ["POST /cases/{case_id}/continuations"], ground, aim=aim)
