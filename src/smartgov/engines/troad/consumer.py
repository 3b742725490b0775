"""The client's side: what an information system asks of its own gateway, and how that travels."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256, sha512

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.httpd.client import IDEMPOTENT
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError
from smartgov.engines.troad import (
    bodies,
    built_in,
    components,
    records,
    reference,
    single_place,
    trail_door,
    visibility,
    wire,
)
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.keeping import is_soon, keep
from smartgov.engines.troad.names import parse_target
from smartgov.engines.troad.passage import Passage, admit
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.received import problem_of
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.snapshot import Gateway, Member, Service, Snapshot
from smartgov.engines.troad.store import Place
from smartgov.engines.troad.terms import HOPS_SECONDS, Terms
from smartgov.engines.troad.ways import unsent
from smartgov.engines.troad.wire import Head, Signed
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

log = structlog.get_logger()
_NO_TERMS = Terms()


@dataclass(slots=True)
class Course:
    """How far a call came, so that a refusal can be recorded with what is known."""

    ask: Ask | None = None
    unsent: str = ""
    """The receiver of the last signed question, when it is certain that nothing was taken of it."""


class Consumer:
    """Carries the calls of this agency's information systems."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def call(self, request: Request, subsystem: str) -> Response:
        """Answer `/r1/...` of a local information system that has shown its secret."""
        started = self._core.now()
        course, outcome = Course(), "answered"
        try:
            self._core.maintenance.refuse(started)
            self._core.heads.refuse_unfit()
            snapshot = self._core.configuration.current()
            course.ask = self._read(request, subsystem, snapshot)
            return await self._carry(
                course, course.ask, snapshot, request.headers.get("x-troad-trail-token", ""), started
            )
        except Problem as problem:
            outcome = problem.slug
            await self._note_refusal(course, subsystem, problem)
            raise
        finally:
            ask = course.ask
            service, peer = (ask.target.service_id, ask.target.member) if ask else ("", "")
            self._core.count("client", service, peer, outcome, started)

    def _read(self, request: Request, subsystem: str, snapshot: Snapshot) -> Ask:
        headers = request.headers
        client = f"{self._core.home.member}/{subsystem}"
        if client not in snapshot.subsystems:
            raise refuse("client-unknown")
        bodies.check_digest(headers, request.body, "body-changed")
        listed = headers.get("x-troad-fields")
        rid = headers.get("x-road-id") or uuid7()
        if not records.ID.fullmatch(rid):
            raise refuse("message-id-invalid")
        return Ask(
            id=rid,
            client=client,
            target=parse_target(request.path),
            method=request.method,
            query=request.query,
            subject=_subject(headers.get("x-troad-subject")),
            purpose=headers.get("x-troad-purpose", ""),
            basis=headers.get("x-troad-basis", ""),
            consent=headers.get("x-troad-consent", ""),
            issue=headers.get("x-road-issue", ""),
            user=headers.get("x-road-userid", ""),
            fields=None if not listed else tuple(sorted({name.strip() for name in listed.split(",")})),
            receiver=headers.get("x-road-security-server", ""),
            headers={name: headers[name] for name in components.forwarded(headers)},
            body=request.body,
        )

    async def _carry(self, course: Course, ask: Ask, snapshot: Snapshot, token: str, now: datetime) -> Response:
        member, named = snapshot.members.get(ask.target.member), ask.receiver
        if member is not None and not named:
            named = single_place.asked_at(ask, token, member)
        if ask.target.member == self._core.home.member and named in {"", self._core.home.gateway}:
            return await self._own(ask, snapshot, token)
        if member is None or not member.gateways:
            raise refuse("service-unknown")
        if not ask.target.built_in and ask.target.service_id not in snapshot.services:
            raise refuse("service-unknown")
        service = snapshot.services.get(ask.target.service_id)
        limits = service.terms if service else _NO_TERMS
        if len(ask.body) > limits.body_bytes:
            raise refuse("body-too-large", limit=limits.body_bytes)
        ways = [_listed(member, ask, named)] if named else self._core.ways.order(member)
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.seconds + HOPS_SECONDS
        for tried, to in enumerate(ways, 1):
            head, body = await self._question(ask, to, token, service, now)
            asked = int(now.timestamp())
            try:
                answer = await self._send(head, body, to, until - loop.time())
            except NotSentError as error:
                now, course.unsent = self._core.now(), to.id
                problem = unsent(error, to, ways[:tried])
                self._core.ways.failed(to, problem.slug)
                if tried == len(ways) or loop.time() >= until:
                    raise problem from None
                await self._note_refusal(course, "", problem)
                course.unsent = ""
            else:
                return await self._receive(ask, head, to, answer, service, asked)
        raise AssertionError("a member without gateways was refused above")

    # -- to another member --------------------------------------------------------------------------------------

    async def _question(
        self, ask: Ask, to: Gateway, token: str, service: Service | None, now: datetime
    ) -> tuple[Head, bytes]:
        """The signed request on the wire, once its record is durable."""
        core, created = self._core, int(now.timestamp())
        head, body = self._write(ask, to, token, created)
        salt, commitment = bodies.commit(body, bare=to.batch)
        head.fields.update(commitment)
        tag = wire.BATCH_TAG if to.batch else wire.TAG
        base = wire.open_request(head, core.message_kid, created=created, nonce=wire.new_nonce(), tag=tag)
        digest = sha256(base).digest()
        subject = core.pseudonym(ask.subject)
        record = records.request_record("client", ask, None, now, gateway=to.id, subject=subject)
        entry = core.entry(records.with_proof(record, head.fields, digest), ask.id, created)
        core.sign(entry, head.fields, base, digest, batch=to.batch)
        keep(entry, service, (salt, body, base))
        await core.store.commit([entry], soon=is_soon(service))
        return head, body

    def _write(self, ask: Ask, to: Gateway, token: str, created: int) -> tuple[Head, bytes]:
        """The request on the wire: persons hidden, and no person left in clear anywhere."""
        exp = created + reference.LIFE_SECONDS

        def hide(person: str) -> str:
            return reference.make(person, to.recipient, rid=ask.id, exp=exp)

        body = reference.hide(ask.body, hide)
        fields = {
            "x-road-client": ask.client,
            "x-road-id": ask.id,
            "troad-receiver": to.id,
            "troad-purpose": ask.purpose,
            "troad-basis": ask.basis,
            "troad-consent": ask.consent,
            "troad-trail-token": token,
            "troad-fields": ",".join(ask.fields) if ask.fields is not None else "",
            "x-road-issue": ask.issue,
            "x-road-userid": ask.user,
            **ask.headers,
        }
        fields = {name: value for name, value in fields.items() if value}
        path = _path(ask)
        reference.refuse_clear(body, (path, ask.query, *fields.values()))
        if ask.subject is not None:
            fields["troad-subject"] = hide(ask.subject)
        return Head(ask.method, to.authority, path, ask.query, fields), body

    async def _send(self, head: Head, body: bytes, to: Gateway, seconds: float) -> Response:
        """The answer. NotSentError: nothing was taken of it; Problem `gateway-silent`: what became of it is unknown."""
        url = f"https://{to.authority}{head.path}" + (f"?{head.query}" if head.query else "")
        try:
            return await self._core.peers.request(
                head.method,
                url,
                headers=head.fields,
                body=body,
                timeout=seconds,
                expect_peer=to.tls_fingerprint,
                # Whether to try again is for the one who asks: only he knows what a second call would do.
                idempotent=head.method in IDEMPOTENT,
            )
        except NotSentError:
            raise
        except (ConnectionFailedError, TimeoutError) as error:
            if isinstance(error, TimeoutError):  # it stands still: the next calls need not wait for it as well
                self._core.ways.failed(to, "gateway-silent")
            raise refuse("gateway-silent", gateway=to.id) from None

    async def _receive(
        self, ask: Ask, head: Head, to: Gateway, answer: Response, service: Service | None, asked: int
    ) -> Response:
        signed = self._verified(ask, head, to, answer)
        salt = bodies.open_commitment(answer.headers, answer.body, "answer-body-changed")
        if "troad-refusal" in signed.fields:
            problem = problem_of(answer)
            problem.extra.setdefault("refused_by", to.id)
            self._core.ways.refused(to, problem)
            raise problem
        document = built_in.is_document(ask.target)
        reference.refuse_clear(answer.body, signed.fields.values(), made_up=document)
        core, reader, body = self._core, self._core.reader, answer.body
        now = core.now()
        if not document:
            body, _ = reference.reveal(
                body, lambda token: reference.open_(token, reader.key, gateway=reader.gateway, rid=ask.id, now=now)
            )
        record = records.answer_record("client", ask, now, gateway=to.id, status=answer.status, asked=asked)
        entry = core.entry(records.with_proof(record, answer.headers, signed.digest), ask.id, now.timestamp())
        keep(entry, service, (salt, answer.body, signed.base))
        (place,) = await core.store.commit([entry], soon=is_soon(service))
        passed = Response(answer.status, dict(signed.fields), body)
        return _told(core, ask, to.id, place, passed, sha512(signed.base).digest())

    def _verified(self, ask: Ask, head: Head, to: Gateway, answer: Response) -> Signed:
        echo = answer.headers.get("x-road-id", ask.id)
        if echo != ask.id:
            raise refuse("answer-mismatch", gateway=to.id)
        signed = wire.read_answer(head, answer.status, answer.headers)
        if signed.keyid != to.message_kid or not signed.holds(to.message_key, self._core.configuration.roots):
            raise refuse("answer-signature-invalid", gateway=to.id)
        return signed

    # -- to the own member: no wire, the same checks and the same log ----------------------------------------------

    async def _own(self, ask: Ask, snapshot: Snapshot, token: str) -> Response:
        core = self._core
        here = snapshot.gateways[core.home.gateway]
        if ask.target.built_in:
            answer = await built_in.answer(core, ask, trail_door.Bearer(token, here, snapshot), None)
            return _told(core, ask, here.id, None, answer)
        ask.persons, ask.holder = reference.persons(ask.body), here.message_kid
        hidden = self._hidden(ask.body, here, ask.id)
        reference.refuse_clear(hidden, (_path(ask), ask.query, ask.purpose, ask.issue, ask.user))
        passage = await admit(core, ask, snapshot)
        subject = core.pseudonym(ask.subject)
        record = records.request_record("own", ask, passage.grant, core.now(), gateway=here.id, subject=subject)
        salt, fields = bodies.commit(hidden)
        entry = core.entry({**record, "body": fields["troad-body"]}, ask.id)
        entry.body = (salt, hidden, b"")
        visibility.show(entry, subject, passage.grant.visibility)
        passage.record(entry)
        try:
            await core.store.commit([entry])
            await passage.carry_out()
            return await self._own_answer(ask, here, await passage.release(), passage)
        except Problem as problem:
            await self._own_failure(ask, passage, problem)
            raise
        finally:
            passage.end()

    async def _own_failure(self, ask: Ask, passage: Passage, problem: Problem) -> None:
        note = records.answer_record("own", ask, self._core.now(), gateway="", status=problem.status)
        entry = self._core.entry({**note, "kind": "key"}, ask.id)
        passage.fail(entry, problem)
        if entry.effects and problem.slug != "log-unavailable":
            await self._core.store.commit([entry])

    async def _own_answer(self, ask: Ask, here: Gateway, answer: Response, passage: Passage) -> Response:
        core = self._core
        hidden = self._hidden(answer.body, here, ask.id)
        reference.refuse_clear(hidden)
        salt, fields = bodies.commit(hidden)
        record = records.answer_record("own", ask, core.now(), gateway=here.id, status=answer.status)
        entry = core.entry({**record, "body": fields["troad-body"]}, ask.id)
        entry.body = (salt, hidden, b"")
        passage.settle(entry, answer)
        (place,) = await core.store.commit([entry])
        return _told(core, ask, here.id, place, answer)

    def _hidden(self, body: bytes, here: Gateway, rid: str) -> bytes:
        exp = int(self._core.now().timestamp()) + reference.LIFE_SECONDS
        return reference.hide(body, lambda person: reference.make(person, here.recipient, rid=rid, exp=exp))

    async def _note_refusal(self, course: Course, subsystem: str, problem: Problem) -> None:
        ask = course.ask
        claimed = {"client": f"{self._core.home.member}/{subsystem}"}
        if ask is not None:
            claimed["client"] = ask.client
            claimed |= {"id": ask.id, "service": ask.target.service_id, "method": ask.method, "path": ask.target.path}
            problem.extra.setdefault("exchange", ask.id)
        subject = self._core.pseudonym(ask.subject) if ask else None
        record = records.refusal_record(
            "client", problem, self._core.now(), claimed=claimed, gateway=course.unsent, subject=subject
        )
        entry = self._core.entry(record)
        if problem.slug != "log-unavailable":
            await self._core.store.commit([entry])


def _listed(member: Member, ask: Ask, named: str) -> Gateway:
    """The gateway that the caller names (X-Road-Security-Server), or that alone can take this call."""
    for gateway in member.gateways:
        if gateway.id == named:
            return gateway
    raise refuse("service-unknown") if ask.receiver else refuse("once-elsewhere", gateway=named)


def _told(
    core: Core, ask: Ask, gateway: str, place: Place | None, answer: Response, digest: bytes | None = None
) -> Response:
    """The answer as the information system gets it, with where it is recorded.

    `digest` is SHA-512 over the signature base of the answer, which binds it to its request as X-Road's request hash.
    """
    headers = {name: value for name, value in answer.headers.items() if not name.startswith("troad-")}
    headers |= {"x-road-id": ask.id, "x-road-client": ask.client, "x-road-service": ask.target.service_id}
    headers["x-road-request-id"] = ask.id
    if digest is not None:
        headers["x-road-request-hash"] = b64encode(digest).decode()
    if place is not None:
        headers["x-troad-log"] = f"{core.home.gateway} {place.index} {place.size}"
    headers["x-troad-provider"] = gateway
    headers["x-troad-time"] = records.moment(core.now())
    return Response(answer.status, headers, answer.body)


def _path(ask: Ask) -> str:
    return f"/r1/{ask.target.service_id}{ask.target.path}"


def _subject(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return national_id.from_urn(text)
    except ValueError:
        raise refuse("reference-invalid") from None
