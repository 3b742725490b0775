"""The services that a gateway answers by itself, under the subsystem name `-`: a person's trail, and documents."""

from __future__ import annotations

from smartgov.engines.httpd import Response
from smartgov.engines.troad import records, trail_door
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.names import Target
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.store import Evidence
from smartgov.engines.troad.trail_door import Bearer


def is_document(target: Target) -> bool:
    """Whether the answer is an OpenAPI document: it travels byte by byte, for its digest is signed. The persons in its
    examples are made up, or it is refused.
    """
    return target.built_in and target.service == "meta"


async def answer(core: Core, ask: Ask, bearer: Bearer, evidence: Evidence | None) -> Response:
    """The answer of a built-in service; the request is recorded first. `evidence` None: there was no wire."""
    if ask.target.service == "meta":
        return await _meta(core, ask, bearer, evidence)
    return await trail_door.answer(core, ask, bearer, evidence)


async def _meta(core: Core, ask: Ask, bearer: Bearer, evidence: Evidence | None) -> Response:
    """`GET /openapi/{subsystem}/{service}`: the OpenAPI document of one of this member's services."""
    parts = ask.target.path.strip("/").split("/")
    if ask.method != "GET" or len(parts) != 3 or parts[0] != "openapi":
        raise refuse("service-unknown")
    service = bearer.snapshot.services.get(f"{core.home.member}/{parts[1]}/{parts[2]}")
    if service is None:
        raise refuse("service-unknown")
    if not service.terms.contract:
        raise refuse("contract-missing")
    document = core.home.contract(service.terms.contract)
    if document is None:
        raise refuse("contract-unavailable")
    side = "provider" if evidence else "own"
    record = records.request_record(side, ask, None, core.now(), gateway=bearer.sender.id, subject=None)
    entry = core.entry({**record, "kind": "meta"}, ask.id)
    if evidence is not None:
        entry.record = records.with_proof(entry.record, evidence.fields, evidence.kept[2])
        entry.body, entry.nonce = evidence.kept, evidence.nonce
    await core.store.commit([entry])
    kind = "application/json" if document.lstrip()[:1] == b"{" else "application/yaml"
    return Response(200, {"content-type": kind}, document)
