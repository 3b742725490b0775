"""The provider's side: verify, authorise, record, ask the service, cut, record, sign, send; in this order."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import bodies, built_in, components, records, reference, trail_door, visibility, wire
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.keeping import is_soon, keep
from smartgov.engines.troad.names import is_subsystem, member_of, parse_target
from smartgov.engines.troad.passage import Passage, admit
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.snapshot import Gateway, Right, Service, Snapshot
from smartgov.engines.troad.store import Evidence, once
from smartgov.engines.troad.wire import Head, Signed
from smartgov.shared import clock
from smartgov.shared.problems import Problem

log = structlog.get_logger()


@dataclass(slots=True)
class Progress:
    """How far a request came, so that a refusal can be recorded with what is known."""

    service: str = ""
    gateway: str = ""
    subject: str | None = None
    declared: tuple[Service, tuple[Right, ...]] | None = None
    """The service and the asker's rights to it, which say how a refusal appears to the person."""
    passage: Passage | None = None
    promise: str = ""
    """Where the question is recorded, for the answer to say."""


class Provider:
    """Answers other gateways."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: Request) -> Response:
        """The signed answer to one request from another gateway; every refusal is recorded and signed too."""
        started = self._core.now()
        head = Head(request.method, request.headers.get("host", ""), request.path, request.query, request.headers)
        progress = Progress()
        try:
            response = await self._answer(head, request, progress, started)
            outcome = "answered"
        except Problem as problem:
            response, outcome = await self._refusal(head, request, problem, progress), problem.slug
        except Exception:
            log.exception("exchange_failed", gateway=progress.gateway)
            response, outcome = await self._refusal(head, request, refuse("gateway-failed"), progress), "gateway-failed"
        finally:
            if progress.passage is not None:
                progress.passage.end()
        peer = member_of(progress.gateway) if progress.gateway else ""
        self._core.count("provider", progress.service, peer, outcome, started)
        return response

    # -- the order of work --------------------------------------------------------------------------------------

    async def _answer(self, head: Head, request: Request, progress: Progress, now: datetime) -> Response:
        self._core.maintenance.refuse(now)
        self._core.heads.refuse_unfit()
        snapshot = self._core.configuration.current()
        sender, signed = self._verified(head, request, snapshot, progress, now)
        salt = bodies.open_commitment(request.headers, request.body, "body-changed")
        ask = self._read(head, signed, request, sender, progress)
        kept, nonce = (salt, request.body, signed.base), once(signed.created, signed.nonce)
        evidence = Evidence(request.headers, kept, signed.digest, nonce)
        if ask.target.built_in:
            token = signed.fields.get("troad-trail-token", "")
            answer = await built_in.answer(self._core, ask, trail_door.Bearer(token, sender, snapshot), evidence)
        else:
            answer = await self._exchange(ask, snapshot, sender, evidence, progress, now)
        return await self._seal(head, ask, sender, answer, progress, signed.created)

    def _verified(
        self, head: Head, request: Request, snapshot: Snapshot, progress: Progress, now: datetime
    ) -> tuple[Gateway, Signed]:
        peer = self._core.known.of(request.peer_cert)
        progress.gateway = peer.id
        signed = wire.read_request(head)
        signer = snapshot.by_message_key.get(signed.keyid)
        if signer is None:
            raise refuse("signer-unknown")
        if not signed.holds(signer.message_key, self._core.configuration.roots):
            raise refuse("signature-invalid")
        if not hmac.compare_digest(peer.id, signer.id):
            raise refuse("peer-mismatch")
        if abs(now.timestamp() - signed.created) > wire.FRESH_SECONDS:
            raise refuse("message-stale")
        self._core.restoring.refuse_void(signed.created)
        if signed.fields["troad-receiver"] != self._core.home.gateway:
            raise refuse("receiver-mismatch")
        client = signed.fields["x-road-client"]
        if client not in snapshot.subsystems:
            raise refuse("client-unknown")
        if member_of(client) != signer.member:
            raise refuse("client-mismatch")
        return signer, signed

    def _read(self, head: Head, signed: Signed, request: Request, sender: Gateway, progress: Progress) -> Ask:
        fields = signed.fields
        target = parse_target(head.path)
        if target.member != self._core.home.member:
            raise refuse("receiver-mismatch")
        progress.service = target.service_id
        if not records.ID.fullmatch(fields["x-road-id"]):
            raise refuse("message-id-invalid")
        reference.refuse_clear(request.body, (head.path, head.query, *fields.values()))
        rid = fields["x-road-id"]
        subject = None
        if "troad-subject" in fields:
            subject = self._open(fields["troad-subject"], rid)
            progress.subject = self._core.pseudonym(subject)
        body, persons = reference.reveal(request.body, lambda token: self._open(token, rid))
        listed = fields.get("troad-fields")
        return Ask(
            id=rid,
            client=fields["x-road-client"],
            holder=sender.message_kid,
            target=target,
            method=head.method,
            query=head.query,
            subject=subject,
            purpose=fields.get("troad-purpose", ""),
            basis=fields.get("troad-basis", ""),
            consent=fields.get("troad-consent", ""),
            issue=fields.get("x-road-issue", ""),
            user=fields.get("x-road-userid", ""),
            fields=None if listed is None else tuple(sorted(set(listed.split(",")))),
            headers={name: fields[name] for name in components.forwarded(fields)},
            body=body,
            persons=persons,
        )

    async def _exchange(
        self,
        ask: Ask,
        snapshot: Snapshot,
        sender: Gateway,
        evidence: Evidence,
        progress: Progress,
        now: datetime,
    ) -> Response:
        service = snapshot.services.get(ask.target.service_id)
        if service is not None:
            progress.declared = service, snapshot.rights.get((ask.client, service.id), ())
        passage = progress.passage = await admit(self._core, ask, snapshot)
        subject = progress.subject
        record = records.request_record("provider", ask, passage.grant, now, gateway=sender.id, subject=subject)
        proven = records.with_proof(record, evidence.fields, evidence.digest)
        entry = self._core.entry(proven, ask.id, now.timestamp())
        entry.nonce = evidence.nonce
        keep(entry, passage.grant.service, evidence.kept)
        visibility.show(entry, subject, passage.grant.visibility)
        passage.record(entry)
        (place,) = await self._core.store.commit([entry], soon=is_soon(passage.grant.service))
        progress.declared = None  # from here on she sees the request itself
        progress.promise = records.promise(self._core.store.origin, place, clock.timestamp())
        await passage.carry_out()
        return await passage.release()

    async def _seal(
        self, head: Head, ask: Ask, sender: Gateway, answer: Response, progress: Progress, asked: int
    ) -> Response:
        """Hide persons, sign the answer over its request, commit it with its record.

        `asked` is when the question was signed: the same at both gateways, whatever their clocks say.
        """
        core = self._core
        now = core.now()
        created = int(now.timestamp())
        exp = created + reference.LIFE_SECONDS
        body, document = answer.body, built_in.is_document(ask.target)
        if not document:
            body = reference.hide(body, lambda person: reference.make(person, sender.recipient, rid=ask.id, exp=exp))
        fields = components.passed(answer.headers)
        reference.refuse_clear(body, fields.values(), made_up=document)
        salt, commitment = bodies.commit(body, bare=sender.batch)
        fields.update(commitment)
        if progress.promise:
            fields["troad-log"] = progress.promise
        tag, nonce = wire.BATCH_TAG if sender.batch else wire.TAG, wire.new_nonce()
        base = wire.open_answer(head, answer.status, fields, core.message_kid, created=created, nonce=nonce, tag=tag)
        record = records.answer_record("provider", ask, now, gateway=sender.id, status=answer.status, asked=asked)
        digest = sha256(base).digest()
        entry = core.entry(records.with_proof(record, fields, digest), ask.id, created)
        core.sign(entry, fields, base, digest, batch=sender.batch)
        service = progress.passage.grant.service if progress.passage is not None else None
        keep(entry, service, (salt, body, base))
        if progress.passage is not None:
            progress.passage.settle(entry, answer)
        await core.store.commit([entry], soon=is_soon(service))
        return Response(answer.status, {**fields, "x-road-id": ask.id}, body)

    async def _refusal(self, head: Head, request: Request, problem: Problem, progress: Progress) -> Response:
        core, claimed = self._core, _claims(request)
        progress.service = progress.service or claimed.get("service", "")
        record = records.refusal_record(
            "provider",
            problem,
            core.now(),
            claimed=claimed,
            gateway=progress.gateway,
            subject=progress.subject,
        )
        entry = core.entry(dict(record))
        if progress.declared is not None:
            visibility.show(entry, progress.subject, visibility.of_refusal(*progress.declared))
        if progress.passage is not None:
            progress.passage.fail(entry, problem)
        response = problem_response(problem)
        response.headers["troad-refusal"] = problem.slug
        if problem.slug != "log-unavailable":
            (place,) = await core.store.commit([entry])
            response.headers["troad-log"] = records.promise(core.store.origin, place, clock.timestamp())
        _, commitment = bodies.commit(response.body)
        response.headers.update(commitment)
        if all(name in head.fields for name in ("troad-body", "x-road-id", "signature-input")):
            now = int(core.now().timestamp())
            wire.sign_answer(
                head, problem.status, response.headers, core.message_key, created=now, nonce=wire.new_nonce()
            )
        return response

    def _open(self, token: str, rid: str) -> str:
        reader = self._core.reader
        return reference.open_(token, reader.key, gateway=reader.gateway, rid=rid, now=self._core.now())


def problem_response(problem: Problem) -> Response:
    """A refusal as problem+json that carries its sentences in both languages."""
    response = Response.problem(problem, "en")
    texts = {"what": problem.what.as_dict(), "why": problem.why.as_dict(), "todo": problem.todo.as_dict()}
    shown = Response.json({**problem.as_dict("en"), "texts": texts}, problem.status)
    response.body = shown.body
    if "retry_after" in problem.extra:
        response.headers["retry-after"] = str(problem.extra["retry_after"])
    return response


def _claims(request: Request) -> dict[str, str]:
    claims = {"method": request.method, "path": request.path}
    if records.ID.fullmatch(sent := request.headers.get("x-road-id", "")):
        claims["id"] = sent
    if is_subsystem(sent := request.headers.get("x-road-client", "")):
        claims["client"] = sent
    try:
        claims["service"] = parse_target(request.path).service_id
        claims["path"] = parse_target(request.path).path
    except Problem:
        pass
    return claims
