"""A register as a process: `python -m smartgov.engines.apigen.server --home DIR`. It talks to its own gateway only."""

from __future__ import annotations

import argparse
import asyncio
import hmac
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import structlog

from smartgov.engines import httpd
from smartgov.engines.apigen import spec
from smartgov.engines.apigen.config import RegisterConfig, Table, load
from smartgov.engines.apigen.store import FILE, MAX_ROWS, Cause, Row, Store, not_found
from smartgov.engines.apigen.values import read_row, row_invalid, wire_value
from smartgov.shared import clock, logs
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

log = structlog.get_logger()
_QUERY_WORDS = {"where", "limit", "after"}


class RegisterServer:
    """The operations of one register; the instance is the HTTP handler."""

    def __init__(self, config: RegisterConfig, home: Path) -> None:
        self.config, self.store = config, Store(home / FILE)
        self._secret = (home / config.secret_file).read_text().strip()
        self._document = spec.openapi(config)
        self._router = httpd.Router()
        self._router.add("GET", "/health", self._health)
        self._router.add("GET", "/openapi.json", self._openapi)
        self._router.add("POST", "/{table}/query", self._query)
        self._router.add("GET", "/{table}", self._list)
        self._router.add("POST", "/{table}", self._create)
        self._router.add("PATCH", "/{table}/{row_id}", self._update)

    async def __call__(self, request: httpd.Request) -> httpd.Response:
        """Answer one request of the gateway; everything but `/health` needs the shared secret."""
        if request.path != "/health":
            self._authenticate(request)
        if national_id.FINDER.search(unquote(f"{request.path}?{request.query}")):
            raise _person_in_clear()
        try:
            response = await self._router(request)
        except sqlite3.OperationalError as error:  # locked by another program, moved away, or no disk left
            log.warning("register_unavailable", reason=error.sqlite_errorname)
            raise _unavailable() from None
        response.headers["cache-control"] = "no-store"
        return response

    async def _health(self, request: httpd.Request) -> httpd.Response:
        return httpd.Response.json({"status": "ok", "name": self.config.name})

    async def _openapi(self, request: httpd.Request) -> httpd.Response:
        return httpd.Response.json(self._document)

    async def _query(self, request: httpd.Request, table: str) -> httpd.Response:
        found = self._table(table, "read")
        subject, body = _subject(request, found), _query_body(request.json())
        where = read_row(found, body.get("where", {}), allowed=set(found.columns), whole=False)
        rows, more = await asyncio.to_thread(
            self.store.rows, found, subject=subject, where=where, limit=_limit(body), after=_after(body)
        )
        log.info("rows_read", table=table, count=len(rows), exchange=request.headers.get("x-road-id", ""))
        return _answer(found, rows, more=more)

    async def _list(self, request: httpd.Request, table: str) -> httpd.Response:
        found = self._table(table, "read")
        if found.personal:
            raise not_found()
        args = dict(parse_qsl(request.query))
        limit = int(args["limit"]) if args.get("limit", "").isascii() and args.get("limit", "").isdigit() else 100
        body = _query_body({**args, "limit": limit})
        rows, more = await asyncio.to_thread(
            self.store.rows, found, subject=None, where={}, limit=_limit(body), after=_after(body)
        )
        return _answer(found, rows, more=more)

    async def _create(self, request: httpd.Request, table: str) -> httpd.Response:
        found = self._table(table, "create")
        subject = _subject(request, found)
        row = read_row(found, request.json(), allowed=set(found.columns), whole=True)
        _check_id(row)
        key = request.headers.get("idempotency-key")
        made, fresh = await asyncio.to_thread(
            self.store.create, found, row, subject=subject, key=key, cause=_cause(request)
        )
        log.info("row_created", table=table, fresh=fresh, exchange=request.headers.get("x-road-id", ""))
        return _answer(found, [made], status=201 if fresh else 200)

    async def _update(self, request: httpd.Request, table: str, row_id: str) -> httpd.Response:
        found = self._table(table, "update")
        subject = _subject(request, found)
        change = read_row(found, request.json(), allowed=set(found.update), whole=False)
        row = await asyncio.to_thread(self.store.update, found, row_id, change, subject=subject, cause=_cause(request))
        log.info("row_updated", table=table, exchange=request.headers.get("x-road-id", ""))
        return _answer(found, [row])

    def _table(self, name: str, operation: str) -> Table:
        table = self.config.tables.get(name)
        if table is None or not getattr(table, operation):
            raise not_found()
        return table

    def _authenticate(self, request: httpd.Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # As bytes, because compare_digest refuses text beyond ASCII; an empty secret file opens nothing.
        same = hmac.compare_digest(given.encode(), self._secret.encode())
        if not (self._secret and same and scheme.lower() == "bearer"):
            raise Problem(
                "caller-unknown",
                401,
                what=Text("This register answers its own gateway only.", "本登記系統只回應所屬閘道。"),
                todo=Text("Ask through T-Road.", "請經由 T-Road 查詢。"),
            )


def main(arguments: list[str] | None = None) -> None:
    """Serve the register of a home folder until a signal comes."""
    parser = argparse.ArgumentParser(description="A register: the API of one agency's tables")
    parser.add_argument("--home", type=Path, required=True, help="folder with register.yaml and register.sqlite3")
    parser.add_argument("--port", type=int, help="instead of the port in register.yaml; 0 takes any free one")
    options = parser.parse_args(arguments)
    config = load(options.home / "register.yaml")
    logs.configure(f"register-{config.name}")
    httpd.run(_serve(config, options.home, config.port if options.port is None else options.port))


async def _serve(config: RegisterConfig, home: Path, port: int) -> None:
    server = await httpd.serve(RegisterServer(config, home), port=port, ready=_announce)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def _announce(port: int) -> None:
    log.info("register_started", port=port)


def _answer(table: Table, rows: list[Row], *, more: bool = False, status: int = 200) -> httpd.Response:
    items = [{name: wire_value(column, row[name]) for name, column in table.columns.items()} for row in rows]
    return httpd.Response.json({"items": items, "as_of": clock.now().isoformat(), "more": more}, status)


def _subject(request: httpd.Request, table: Table) -> str | None:
    if not table.personal:
        return None
    try:
        return national_id.from_urn(request.headers.get("x-troad-subject", ""))
    except ValueError:
        raise Problem(
            "subject-required",
            400,
            what=Text("The request does not say whom it is about.", "請求未載明當事人。"),
            why=Text("Personal tables answer about one subject at a time.", "個人資料表一次僅回應一位當事人。"),
            todo=Text("Send X-TRoad-Subject.", "請附上 X-TRoad-Subject。"),
        ) from None


def _cause(request: httpd.Request) -> Cause:
    names = ("x-road-client", "x-road-id", "x-road-issue")
    return Cause(*(request.headers.get(name, "")[:200] for name in names))


def _query_body(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or set(body) - _QUERY_WORDS:
        raise row_invalid({}, Text("A query has where, limit and after only.", "查詢僅可有 where、limit 與 after。"))
    return body


def _limit(body: dict[str, Any]) -> int:
    limit = body.get("limit", 100)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_ROWS:
        raise row_invalid({"limit": Text(f"It must lie between 1 and {MAX_ROWS}.", f"必須介於 1 與 {MAX_ROWS} 之間。")})
    return limit


def _after(body: dict[str, Any]) -> str:
    after = body.get("after", "")
    if not isinstance(after, str):
        raise row_invalid({"after": Text("It must be the id of a row.", "必須為資料列的識別碼。")})
    return after


def _check_id(row: Row) -> None:
    # Ids travel in paths, and paths are logged.
    given = row.get("id")
    if given is not None and (not given or "/" in given or national_id.FINDER.search(given)):
        raise row_invalid({"id": Text("It must be an opaque id.", "必須為無意義的識別碼。")})
    if given is None:
        row.pop("id", None)


def _person_in_clear() -> Problem:
    return Problem(
        "person-in-clear",
        400,
        what=Text("A person's number stands in the address.", "網址中出現個人統一編號。"),
        why=Text("Addresses are kept in logs.", "網址會留在紀錄中。"),
        todo=Text("Use POST .../query and the subject header.", "請使用 POST .../query 與當事人標頭。"),
    )


def _unavailable() -> Problem:
    return Problem(
        "register-unavailable",
        503,
        what=Text("The register cannot be read or written now.", "登記資料目前無法讀寫。"),
        why=Text("Its file is in use by another program or is missing.", "資料檔正由其他程式使用，或不存在。"),
        todo=Text("Try again in a moment; tell the operator if it stays.", "請稍候再試；若持續發生請通知維運人員。"),
    )


if __name__ == "__main__":
    main()
