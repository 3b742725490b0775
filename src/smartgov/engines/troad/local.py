"""The gateway's door for its own agency's information systems, on loopback, each with its secret."""

from __future__ import annotations

import asyncio
import base64
import hmac
from datetime import datetime
from typing import Any

import structlog

from smartgov.engines.httpd import Request, Response, Router
from smartgov.engines.pki import keys
from smartgov.engines.troad import (
    artefacts,
    consent_status,
    evidence,
    local_document,
    meta,
    outlasting,
    records,
    reference,
    trail_door,
    xroad,
)
from smartgov.engines.troad.consumer import Consumer
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.directory_door import DirectoryDoor
from smartgov.engines.troad.home import Subsystem
from smartgov.engines.troad.names import is_number, member_of
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.provider import problem_response
from smartgov.engines.troad.snapshot import Gateway
from smartgov.engines.troad.state_door import StateDoor
from smartgov.engines.troad.store import Effect
from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

log = structlog.get_logger()
MAX_RECORDS = 500


class LocalDoor:
    """Routes `/r1/...` and `/local/v1/...`."""

    def __init__(self, core: Core, consumer: Consumer) -> None:
        self._core, self._consumer = core, consumer
        self._directory = DirectoryDoor(core, consumer, self._caller)
        state = StateDoor(core, self._known)
        self._router = Router()
        routes = (
            ("GET", "/local/v1/health", state.health),
            ("GET", local_document.PATH, state.document),
            ("GET", "/local/v1/metrics", state.metrics),
            ("GET", "/local/v1/traffic", state.traffic),
            ("GET", "/local/v1/checkpoint", state.checkpoint),
            ("POST", "/local/v1/records", self.add_records),
            ("POST", "/local/v1/seal", self.seal),
            ("GET", "/local/v1/seal/certificate", self.seal_certificate),
            ("POST", "/local/v1/consents", self.issue_consent),
            ("POST", "/local/v1/consents/revocations", self.revoke_consent),
            ("POST", "/local/v1/tokens", self.issue_token),
            ("GET", "/local/v1/configuration", self.configuration),
            ("GET", "/local/v1/systems", self.systems),
            ("POST", "/local/v1/erasures", self.erase),
            ("POST", "/local/v1/audits", self.audit),
            ("GET", "/evidence/{exchange}", self.evidence),
        )
        for method, path, endpoint in routes:
            self._router.add(method, path, endpoint)
        self.routes = [(method, path) for method, path, _ in routes]

    async def handle(self, request: Request) -> Response:
        """Answer one request; every problem also says its type in `X-Road-Error`, as X-Road clients expect."""
        try:
            if (question := meta.recognise(request)) is not None:
                return await self._directory.answer(question, request)
            if request.path.startswith("/r1/"):
                return await self._consumer.call(request, self._caller(request).name)
            return await self._router(request)
        except Problem as problem:
            if request.path.startswith("/r1/") and xroad.speaks(request.headers):
                return xroad.error(problem)
            response = problem_response(problem)
            response.headers["x-road-error"] = xroad.error_type(problem)
            return response

    # -- for information systems -----------------------------------------------------------------------------------

    async def configuration(self, request: Request) -> Response:
        """The configuration in force, as this gateway has verified it."""
        self._caller(request)
        data = self._core.configuration.current().data
        services = [{**entry, "member": member_of(entry["id"])} for entry in data["services"]]
        return Response.json({**data, "services": services})

    async def systems(self, request: Request) -> Response:
        """The information systems behind this gateway as it uses them now: where their services are, what they may."""
        self._caller(request)
        known = self._core.home.subsystems.items()
        told = {name: {"services": dict(one.services), "may": sorted(one.may)} for name, one in known}
        return Response.json({"gateway": self._core.home.gateway, "systems": told})

    async def add_records(self, request: Request) -> Response:
        """Append records of an information system's own reads to the log."""
        caller = self._caller(request)
        given = _object(request).get("records")
        if not isinstance(given, list) or len(given) > MAX_RECORDS:
            raise refuse("record-invalid")
        client = f"{self._core.home.member}/{caller.name}"
        entries = []
        for one in given:
            subject = self._core.pseudonym(_person(one.get("subject"))) if isinstance(one, dict) else None
            record = records.note_record(one, client=client, subject=subject, now=self._core.now())
            reference.refuse_clear(canonical.dumps(record))
            entry = self._core.entry(record)
            entry.visible_to = subject
            entries.append(entry)
        places = await self._core.store.commit(entries)
        return Response.json({"indexes": [place.index for place in places]}, 201)

    async def seal(self, request: Request) -> Response:
        """Sign bytes with the agency's seal key (ECDSA P-256, SHA-256, DER)."""
        caller = self._caller(request, "seal")
        try:
            data = base64.b64decode(_object(request)["data"], validate=True)
        except (KeyError, ValueError, TypeError):
            raise refuse("record-invalid") from None
        if not (self._core.home.path / "certs" / "seal.pem").exists():
            raise refuse("seal-unavailable")
        signature = keys.sign_der(self._core.home.p256("seal"), data)
        note = {
            "kind": "seal",
            "side": "own",
            "time": records.moment(self._core.now()),
            "client": f"{self._core.home.member}/{caller.name}",
            "signature": base64.b64encode(signature).decode(),
        }
        await self._core.store.commit([self._core.entry(dict(note))])
        return Response.json({"signature": note["signature"]})

    async def seal_certificate(self, request: Request) -> Response:
        """The certificate of the seal key and its chain, PEM."""
        self._caller(request, "seal")
        folder = self._core.home.path / "certs"
        try:
            certificate = (folder / "seal.pem").read_text()
        except FileNotFoundError:
            raise refuse("seal-unavailable") from None
        chain = (folder / "seal-chain.pem").read_text() if (folder / "seal-chain.pem").exists() else ""
        return Response.json({"certificate": certificate, "chain": chain})

    async def issue_consent(self, request: Request) -> Response:
        """Sign the consent that a person has given on the portal's page."""
        caller = self._issuer(request)
        terms = _object(request)
        try:
            subject = national_id.from_urn(terms["subject"])
            _second(terms["expires_at"])
            complete = _is_jti(terms["jti"]) and isinstance(terms.get("single_use", False), bool)
            complete = complete and all(isinstance(terms[name], str) for name in ("provider", "requester", "purpose"))
            complete = complete and isinstance(terms["fields"], list) and _are_texts(terms["fields"])
            to, *others = self._gateways_of(member_of(terms["provider"]))
            holder = self._gateway_of(member_of(terms["requester"])).message_kid
        except (KeyError, ValueError, TypeError, AttributeError):
            raise refuse("record-invalid") from None
        if not complete:
            raise refuse("record-invalid")
        artefact = artefacts.make_consent(
            issuer=self._core.home.member,
            key=self._core.home.p256("consent"),
            to=to.recipient,
            others=[one.recipient for one in others],
            subject=subject,
            pairwise=self._core.pairwise(subject, to.member),
            holder=holder,
            terms=terms,
            now=self._core.now(),
        )
        shown = {name: terms[name] for name in ("provider", "requester", "purpose", "jti", "fields")}
        await self._note("consent", caller, subject, shown)
        return Response.json({"artefact": artefact}, 201)

    async def revoke_consent(self, request: Request) -> Response:
        """Take back a consent that this gateway signed: providers that ask learn it within a minute."""
        caller = self._issuer(request)
        terms = _object(request)
        try:
            jti, end = terms["jti"], _second(terms["expires_at"])
        except (KeyError, ValueError, TypeError):
            raise refuse("record-invalid") from None
        if not _is_jti(jti):
            raise refuse("record-invalid")
        await self._outlast(outlasting.revocation(jti, end))
        effect = consent_status.revoke(jti, end)
        await self._note("consent-revoked", caller, None, {"jti": jti}, effect)
        return Response.json({"revoked": jti}, 201)

    async def issue_token(self, request: Request) -> Response:
        """Sign the token with which a signed-in person asks one member for her trail."""
        caller = self._caller(request, "token")
        terms = _object(request)
        try:
            subject = national_id.from_urn(terms["subject"])
            to = self._gateway_of(terms["audience"], terms.get("gateway", ""))
            complete = _is_jti(terms["jti"]) and _is_level(terms["assurance"]) and _is_mandate(terms.get("mandate"))
        except (KeyError, ValueError, TypeError, AttributeError):
            raise refuse("record-invalid") from None
        if not complete:
            raise refuse("record-invalid")
        token = artefacts.make_token(
            issuer=self._core.home.member,
            key=self._core.home.p256("token"),
            to=to.recipient,
            subject=subject,
            terms=terms,
            holder=keys.thumbprint(self._core.message_key.public_key()),
            now=self._core.now(),
        )
        await self._note("token", caller, None, {"audience": terms["audience"], "jti": terms["jti"]})
        return Response.json({"token": token}, 201)

    async def erase(self, request: Request) -> Response:
        """Destroy bodies, salts and keys of one exchange of this gateway; its records and proofs stay."""
        caller = self._caller(request, "erase")
        exchange = _object(request).get("exchange")
        if not isinstance(exchange, str) or not records.ID.fullmatch(exchange):
            raise refuse("record-invalid")
        await self._outlast(outlasting.erasure(exchange))
        erased = await self._core.store.erase(exchange)
        await self._core.moving.erase_there(exchange, ())
        await self._note("erasure", caller, None, {"id": exchange, "erased": erased})
        return Response.json({"erased": erased})

    async def evidence(self, request: Request, exchange: str) -> Response:
        """The evidence bundle of one exchange, for the systems that took part in it and for auditors; noted in the log.

        `?have=SIZE` (also several, with commas) asks for the proof that a head of that size is continued.
        """
        caller = self._caller(request)
        if not records.ID.fullmatch(exchange):
            raise refuse("record-invalid")
        client = f"{self._core.home.member}/{caller.name}"
        parties = await asyncio.to_thread(evidence.parties, self._core, exchange)
        if not parties:
            raise refuse("record-unknown")
        if client not in parties and "evidence" not in caller.may:
            raise refuse("not-allowed-here")
        sizes = [int(part) for part in request.args().get("have", "").split(",") if is_number(part)]
        content = await evidence.bundle(self._core, exchange, sizes)
        await self._note("evidence", caller, None, {"request": exchange})
        return Response.json(content)

    async def audit(self, request: Request) -> Response:
        """Everything this log holds about a person, hidden or not, for an auditor who says why; noted in the log."""
        caller = self._caller(request, "evidence")
        asked = _object(request)
        subject = self._core.pseudonym(_person(asked.get("subject")))
        reason, have = asked.get("reason"), asked.get("have", 0)
        if subject is None or not isinstance(reason, str) or not reason.strip() or not isinstance(have, int):
            raise refuse("record-invalid")
        await self._note("trail", caller, _person(asked["subject"]), {"purpose": reason, "audit": True})
        return Response.json(await trail_door.audit(self._core, subject, have))

    # -- parts ------------------------------------------------------------------------------------------------------

    def _caller(self, request: Request, ability: str | None = None) -> Subsystem:
        """The known information system that asks, for something that needs this gateway's log."""
        found = self._known(request, ability)
        self._core.restoring.refuse_unready()
        return found

    def _known(self, request: Request, ability: str | None = None) -> Subsystem:
        """The information system whose secret the request shows and whose name, if given, it bears."""
        named = xroad.client_of(request.headers)
        shown = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        found = None if shown else self._open_system(named)
        for subsystem in self._core.home.subsystems.values():
            if hmac.compare_digest(shown, subsystem.secret.encode()):
                found = subsystem
        if found is None:
            log.warning("local_caller_refused", path_group=request.path.split("/")[1])
            raise refuse("credentials-invalid")
        if named and named != f"{self._core.home.member}/{found.name}":
            raise refuse("client-mismatch")
        if ability is not None and ability not in found.may:
            raise refuse("not-allowed-here")
        return found

    def _issuer(self, request: Request) -> Subsystem:
        """Who may issue and take back consents: at one gateway of a member, which providers ask about them."""
        caller, own = self._caller(request, "consent"), self._core.home
        known = self._core.configuration.current().members.get(own.member)
        if known is None or known.once != own.gateway:
            raise refuse("not-allowed-here")
        return caller

    def _open_system(self, named: str) -> Subsystem | None:
        """The system of that name, if its gateway's settings say that it need not show its secret."""
        member, _, name = named.rpartition("/")
        found = self._core.home.subsystems.get(name) if member == self._core.home.member else None
        return found if found is not None and found.open else None

    def _gateway_of(self, member: str, named: str = "") -> Gateway:
        """The gateway of this id, or the one at which the member counts what may happen only once."""
        return self._gateways_of(member, named)[0]

    def _gateways_of(self, member: str, named: str = "") -> list[Gateway]:
        entry = self._core.configuration.current().members.get(member)
        found = [one for one in entry.gateways if named in {"", one.id}] if entry else []
        if not found:
            raise refuse("service-unknown")
        return sorted(found, key=lambda one: entry is not None and one.id != entry.once)

    async def _outlast(self, entry: dict[str, Any]) -> None:
        """List what a restore has to do again; what cannot be listed is not done."""
        try:
            await asyncio.to_thread(outlasting.note, self._core.home.outlasting, entry)
        except OSError as error:
            log.exception("outlasting_not_listed")
            raise refuse("log-unavailable", cause=type(error).__name__) from None

    async def _note(
        self, kind: str, caller: Subsystem, person: str | None, facts: dict[str, Any], *effects: Effect
    ) -> None:
        client = f"{self._core.home.member}/{caller.name}"
        subject = self._core.pseudonym(person)
        record = {"kind": kind, "side": "own", "time": records.moment(self._core.now()), "client": client, **facts}
        if subject is not None:
            record["subject"] = subject
        reference.refuse_clear(canonical.dumps(record))
        entry = self._core.entry(record)
        entry.effects += effects
        await self._core.store.commit([entry])


def _object(request: Request) -> dict[str, Any]:
    content = request.json()
    if not isinstance(content, dict):
        raise refuse("record-invalid")
    return content


def _is_mandate(given: object) -> bool:
    """Whether it is none, or an id with a list of what its holder may not see."""
    if given is None:
        return True
    if not isinstance(given, dict) or set(given) != {"id", "excludes"} or not isinstance(given["excludes"], list):
        return False
    return _are_texts([given["id"], *given["excludes"]])


def _are_texts(given: list[object]) -> bool:
    return all(isinstance(one, str) and one for one in given)


def _is_jti(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= 128


def _is_level(given: object) -> bool:
    """Whether it is a level of assurance that a signed-in person can have."""
    return type(given) is int and 1 <= given <= 3


def _second(text: str) -> int:
    """The second of a moment that names its time zone; ValueError for any other."""
    moment = datetime.fromisoformat(text)
    try:
        moment.utctimetuple()
    except OverflowError as error:
        raise ValueError("before or after all years") from error
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return int(moment.timestamp())


def _person(text: object) -> str | None:
    if text is None:
        return None
    try:
        return national_id.from_urn(str(text))
    except ValueError:
        raise refuse("record-invalid") from None
