"""The local door's meta-services, outward as X-Road's and GovStack's clients know them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import meta, xroad
from smartgov.engines.troad.consumer import Consumer
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.home import Subsystem
from smartgov.engines.troad.meta import Question
from smartgov.engines.troad.names import member_of
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.snapshot import Service
from smartgov.shared.problems import Problem

Caller = Callable[[Request], Subsystem]


class DirectoryDoor:
    """Answers meta-services; documents fetched once are kept by their digest, in memory and in the home."""

    def __init__(self, core: Core, consumer: Consumer, caller: Caller) -> None:
        self._core, self._consumer, self._caller = core, consumer, caller
        self._documents: dict[str, bytes] = {}

    async def answer(self, question: Question, request: Request) -> Response:
        """The answer in the asker's dialect."""
        try:
            return await self._answer(question, request)
        except Problem as problem:
            if question.govstack and problem.status < 500:
                return meta.refusal(problem)
            raise

    async def _answer(self, question: Question, request: Request) -> Response:
        snapshot = self._core.configuration.current()
        if question.name in {"listClients", "listMethods"}:
            self._may_look(request)
            if question.name == "listClients":
                return meta.list_clients(question, request, snapshot)
            return meta.list_methods(question, snapshot)
        client = f"{self._core.home.member}/{self._caller(request).name}"
        if question.name == "allowedMethods":
            now = self._core.now()
            return meta.allowed_methods(question, snapshot, client, lambda right: right.in_force(now))
        service = meta.service_of(question, request, snapshot)
        return meta.document(question, await self._document(service, client))

    def _may_look(self, request: Request) -> None:
        # X-Road's listClients names no client; where no system is open, a secret is asked for like everywhere else.
        if "authorization" in request.headers or not any(one.open for one in self._core.home.subsystems.values()):
            self._caller(request)

    async def _document(self, service: Service, client: str) -> bytes:
        digest = service.terms.contract
        if not digest:
            raise refuse("contract-missing")
        document = self._documents.get(digest) or await asyncio.to_thread(self._core.home.contract, digest)
        if document is None and member_of(service.id) != self._core.home.member:
            document = await self._fetch(service, client)
            if sha256(document).hexdigest() == digest:  # another one is neither kept nor given out
                await asyncio.to_thread(homes.add_contract, self._core.home.path, document)
        if document is None or sha256(document).hexdigest() != digest:
            raise refuse("contract-unavailable")
        self._documents[digest] = document
        return document

    async def _fetch(self, service: Service, client: str) -> bytes:
        asked = Request("GET", meta.address(service), headers={xroad.CLIENT_FIELDS[0]: client})
        return (await self._consumer.call(asked, client.rpartition("/")[2])).body
