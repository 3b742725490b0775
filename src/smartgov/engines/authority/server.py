"""The doors of an authority: public ones for readers of certificates, local ones for the registration office."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import structlog

from smartgov.engines import httpd
from smartgov.engines.httpd import Request, Response
from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.authority import Authority, Record, State, life
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

log = structlog.get_logger()
_LIST = "application/pkix-crl"
_ANSWER = "application/ocsp-response"
_LARGEST_QUESTION = 4096


class Door:
    """The HTTP handler of one authority; `secret` is what the registration office shows."""

    def __init__(self, authority: Authority, secret: str) -> None:
        self._authority, self._secret = authority, secret
        self._router = httpd.Router()
        for method, path, endpoint in (
            ("GET", "/health", self._health),
            ("GET", "/ca.pem", self._certificate),
            ("GET", "/trail-key", self._trail_key),
            ("GET", "/crl", self._list),
            ("GET", "/delta", self._changes),
            ("POST", "/ocsp", self._ask),
            ("GET", "/ocsp/{question:path}", self._ask_short),
            ("POST", "/v1/requests", self._request),
            ("GET", "/v1/records", self._records),
            ("GET", "/v1/records/{record}", self._record),
            ("POST", "/v1/records/{record}/{step}", self._step),
            ("GET", "/v1/trail", self._trail),
        ):
            self._router.add(method, path, endpoint)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; the local doors need the secret."""
        if request.path.startswith("/v1/"):
            self._require_secret(request)
        return await self._router(request)

    async def expire_regularly(self, seconds: float = 600) -> None:
        """Note ended certificates and keep a fresh list ready, for as long as the process lives."""
        while True:
            ended = await asyncio.to_thread(self._authority.expire)
            await asyncio.to_thread(self._authority.crl)
            if ended:
                log.info("certificates_expired", count=ended)
            await asyncio.sleep(seconds)

    # -- public ---------------------------------------------------------------------------------------------------

    async def _health(self, request: Request) -> Response:
        return Response.json({"healthy": True})

    async def _certificate(self, request: Request) -> Response:
        pem = certificates.pem(self._authority.certificate)
        return Response(200, {"content-type": "application/x-pem-file"}, pem)

    async def _trail_key(self, request: Request) -> Response:
        return Response.json(keys.public_jwk(self._authority.trail_key))

    async def _list(self, request: Request) -> Response:
        der = await asyncio.to_thread(self._authority.crl)
        return Response(200, {"content-type": _LIST, "cache-control": "max-age=300"}, der)

    async def _changes(self, request: Request) -> Response:
        der = await asyncio.to_thread(self._authority.delta)
        return Response(200, {"content-type": _LIST, "cache-control": "max-age=300"}, der)

    async def _ask(self, request: Request) -> Response:
        if len(request.body) > _LARGEST_QUESTION:
            return Response(413)
        return await self._answered(request.body)

    async def _ask_short(self, request: Request, question: str) -> Response:
        try:
            return await self._answered(base64.b64decode(unquote(question), validate=True))
        except binascii.Error:
            return await self._answered(b"")

    async def _answered(self, question: bytes) -> Response:
        return Response(200, {"content-type": _ANSWER}, await asyncio.to_thread(self._authority.answer, question))

    # -- local ----------------------------------------------------------------------------------------------------

    async def _request(self, request: Request) -> Response:
        body = _object(request)
        names = ("profile", "holder", "common_name", "organisation", "by", "renews")
        facts = {name: str(body[name]) for name in names if name in body}
        if missing := [name for name in (*names[:5], "csr") if not body.get(name)]:
            raise _invalid(missing[0])
        return await self._done(lambda: self._authority.request(str(body["csr"]).encode(), **facts), 201)

    async def _records(self, request: Request) -> Response:
        asked = request.args()
        try:
            state = State(asked["state"]) if asked.get("state") else None
        except ValueError:
            raise _invalid("state") from None
        found = await asyncio.to_thread(self._authority.records, state=state, holder=asked.get("holder"))
        return _private({"records": [_shown(one) for one in found]})

    async def _record(self, request: Request, record: str) -> Response:
        return await self._done(lambda: self._authority.get(record))

    async def _step(self, request: Request, record: str, step: str) -> Response:
        body = _object(request)
        by = str(body.get("by") or "")
        if not by:
            raise _invalid("by")
        act = self._steps(record, body, by).get(step)
        if act is None:
            return Response(404)
        return await self._done(act)

    def _steps(self, record: str, body: dict[str, Any], by: str) -> dict[str, Callable[[], Record]]:
        one = self._authority
        return {
            "prove": lambda: one.prove(
                record,
                method=str(body.get("method") or ""),
                level=int(body.get("level") or 0),
                reference=str(body.get("reference") or ""),
                by=by,
            ),
            "reject": lambda: one.reject(record, by=by),
            "issue": lambda: one.issue(record, by=by),
            "activate": lambda: one.activate(record, _signature(body), by=by),
            "suspend": lambda: one.suspend(record, by=by),
            "resume": lambda: one.resume(record, by=by),
            "revoke": lambda: one.revoke(record, str(body.get("reason") or ""), by=by),
            "extend": lambda: one.extend(record, by=by),
        }

    async def _trail(self, request: Request) -> Response:
        entries = await asyncio.to_thread(self._authority.entries)
        return _private({"entries": [[one.number, one.body, one.digest, one.signature] for one in entries]})

    async def _done(self, act: Callable[[], Record], status: int = 200) -> Response:
        record = await asyncio.to_thread(act)
        log.info("certificate_step", record=record.id, state=str(record.state))
        return _private(_shown(record), status)

    def _require_secret(self, request: Request) -> None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), self._secret.encode()):
            raise Problem(
                "not-the-office",
                401,
                what=Text("This door is for the registration office.", "此介面僅供註冊窗口使用。"),
                todo=Text("Send its secret.", "請提供其密鑰。"),
            )


class Doors:
    """Several authorities in one process: the first at the root, each other below its name."""

    def __init__(self, first: Door, others: Mapping[str, Door]) -> None:
        self._first, self._others = first, dict(others)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        name, slash, rest = request.path.removeprefix("/").partition("/")
        other = self._others.get(name)
        if other is None or not slash:
            return await self._first(request)
        return await other(replace(request, path=f"/{rest}"))

    async def expire_regularly(self) -> None:
        """See `Door.expire_regularly`, for all of them."""
        await asyncio.gather(*(one.expire_regularly() for one in (self._first, *self._others.values())))


def _shown(record: Record) -> dict[str, Any]:
    return {**life.to_json(record), "steps": life.steps_from(record.state)}


def _private(value: Any, status: int = 200) -> Response:
    return Response.json(value, status, {"cache-control": "no-store"})


def _object(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise _invalid("body")
    return body


def _signature(body: dict[str, Any]) -> bytes:
    try:
        return keys.from_b64url(str(body.get("signature") or ""))
    except ValueError:
        raise _invalid("signature") from None


def _invalid(name: str) -> Problem:
    return Problem(
        "request-invalid",
        422,
        what=Text("The request cannot be taken.", "無法受理此請求。"),
        why=Text(f"The member {name} is missing or wrong.", f"欄位 {name} 缺漏或有誤。"),
        todo=Text("See the README of the authority.", "請參閱憑證機構的說明。"),
        member=name,
    )
