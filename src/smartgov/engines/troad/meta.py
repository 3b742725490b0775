"""The meta-services of X-Road and of GovStack's information mediator: who is here, what is offered, to whom.

`listClients`, `listMethods` and `allowedMethods` are answered from the signed configuration, which every gateway holds;
`getOpenAPI` asks the provider's gateway for the document and holds it to the digest in the member's signed offer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad.names import parse_target
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Service, Snapshot
from smartgov.shared.problems import Problem

METHODS = frozenset({"listMethods", "allowedMethods", "getOpenAPI"})
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Question:
    """A recognised meta-service call: which, about which provider (`member/subsystem`), in whose dialect."""

    name: str
    provider: str
    govstack: bool


def recognise(request: Request) -> Question | None:
    """The meta-service that a local request asks for; paths without `/r1` are GovStack's."""
    if request.method != "GET":
        return None
    parts = request.path.strip("/").split("/")
    if parts == ["listClients"]:
        return Question("listClients", "", govstack="instanceId" in request.args())
    under_r1 = parts[0] == "r1"
    place = parts[1:] if under_r1 else parts
    if len(place) != 5 or place[4] not in METHODS:
        return None
    return Question(place[4], "/".join(map(unquote, place[:4])), govstack=not under_r1)


def list_clients(question: Question, request: Request, snapshot: Snapshot) -> Response:
    """Every member and subsystem of the instance."""
    wanted = request.args().get("xRoadInstance")
    names = [*snapshot.members, *sorted(snapshot.subsystems)]
    kept = [name for name in names if wanted in {None, name.split("/")[0]}]
    if question.govstack:
        return _told({"member": [{"objectType": _govstack_type(name), **_govstack_id(name)} for name in kept]})
    return _told({"member": [{"id": _xroad_id(name), "name": _name(name, snapshot)} for name in kept]})


def list_methods(question: Question, snapshot: Snapshot) -> Response:
    """All services of a subsystem with their documented endpoints."""
    return _services(question, snapshot, lambda service: service.paths)


def allowed_methods(question: Question, snapshot: Snapshot, client: str, in_force: Callable[[Any], bool]) -> Response:
    """The services of a subsystem that `client` holds rights to, with the endpoints of these rights."""

    def granted(service: Service) -> Collection[str]:
        rights = snapshot.rights.get((client, service.id), ())
        return dict.fromkeys(endpoint for right in rights if in_force(right) for endpoint in right.endpoints)

    return _services(question, snapshot, granted)


def service_of(question: Question, request: Request, snapshot: Snapshot) -> Service:
    """The service whose document is asked for; Problem `service-unknown` or `request-invalid`."""
    code = request.args().get("serviceCode", "")
    if not code:
        raise refuse("request-invalid", places=["query/serviceCode"])
    service = snapshot.services.get(f"{question.provider}/{code}")
    if service is None:
        raise refuse("service-unknown")
    return service


def document(question: Question, content: bytes) -> Response:
    """An OpenAPI document as the asker's dialect wants it: X-Road's as it is, GovStack's as a JSON string."""
    if question.govstack:
        return Response(200, {"content-type": JSON}, json.dumps(content.decode(), ensure_ascii=False).encode())
    kind = "application/json" if content.lstrip()[:1] == b"{" else "text/yaml"
    return Response(200, {"content-type": f"{kind}; charset=utf-8"}, content)


def refusal(problem: Problem) -> Response:
    """A no in GovStack's dialect: the sentence as a JSON string, with status 400."""
    text = json.dumps(f"{problem.what.en} {problem.why.en}".strip()).encode()
    return Response(400, {"content-type": JSON}, text)


def address(service: Service) -> str:
    """Where its provider's gateway answers with the document of a service."""
    instance, group, member, subsystem, code = service.id.split("/")
    path = f"/r1/{instance}/{group}/{member}/-/meta/openapi/{subsystem}/{code}"
    parse_target(path)
    return path


def _services(question: Question, snapshot: Snapshot, endpoints: Callable[[Service], Collection[str]]) -> Response:
    known = question.provider in snapshot.subsystems
    if not known and not question.govstack:
        raise refuse("service-unknown")
    offered = [one for one in snapshot.services.values() if one.id.rpartition("/")[0] == question.provider]
    found = [(service, [_endpoint(one) for one in listed]) for service in offered if (listed := endpoints(service))]
    if question.govstack:
        return _told({"member": [_govstack_service(service, listed) for service, listed in found]})
    return _told({"service": [_xroad_service(service, listed) for service, listed in found]})


def _endpoint(text: str) -> dict[str, str]:
    method, _, path = text.partition(" ")
    return {"method": method, "path": path}


def _xroad_id(name: str) -> dict[str, str]:
    instance, group, member, *subsystem = name.split("/")
    named = {"xroad_instance": instance, "member_class": group, "member_code": member}
    if subsystem:
        return {**named, "object_type": "SUBSYSTEM", "subsystem_code": subsystem[0]}
    return {**named, "object_type": "MEMBER"}


def _xroad_service(service: Service, endpoints: list[dict[str, str]]) -> dict[str, Any]:
    subsystem, _, code = service.id.rpartition("/")
    kind = "OPENAPI" if service.terms.contract else "REST"
    told = {"object_type": "SERVICE", "service_code": code, "service_type": kind}
    return {**_xroad_id(subsystem), **told, "endpoint_list": endpoints}


def _govstack_id(name: str) -> dict[str, str]:
    keys = ("GovStackInstance", "memberClass", "memberCode", "applicationCode", "serviceCode")
    return dict(zip(keys, name.split("/"), strict=False))


def _govstack_type(name: str) -> dict[str, str]:
    return {"object_type": {3: "MEMBER", 4: "SUBSYSTEM"}.get(name.count("/") + 1, "SERVICE")}


def _govstack_service(service: Service, endpoints: list[dict[str, str]]) -> dict[str, Any]:
    told = {"objectType": _govstack_type(service.id), "serviceType": "OPENAPI" if service.terms.contract else "REST"}
    return {**told, **_govstack_id(service.id), "endpointList": {"member": endpoints}}


def _name(name: str, snapshot: Snapshot) -> str:
    return snapshot.members["/".join(name.split("/")[:3])].name.en


def _told(content: dict[str, Any]) -> Response:
    answer = Response.json(content)
    answer.headers["content-type"] = JSON
    return answer
