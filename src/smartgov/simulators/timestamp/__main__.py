"""Run the authority: `python -m smartgov.simulators.timestamp --home DIR --port 8028`."""

from __future__ import annotations

import argparse

from smartgov.engines.httpd import Request, Response
from smartgov.engines.pki.timestamps import ANSWER_TYPE
from smartgov.simulators import program
from smartgov.simulators.timestamp.authority import Authority


def main(arguments: list[str] | None = None) -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="timestamp", description="Stamps the time on what it is sent (RFC 3161)")
    parser.add_argument("--days", type=int, default=365, help="life of a new signing certificate")
    options = program.options(parser, arguments, port=8028)
    door = Door(Authority(options.home, days=options.days))
    program.run("timestamp", lambda _: door.handle, options.port)


class Door:
    """`POST /` takes a request, `GET /root.pem` shows the root, `GET /health` says that it lives."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def handle(self, request: Request) -> Response:
        """Answer one request; stamps are asked for by POST with the media type of RFC 3161."""
        match request.method, request.path:
            case "GET", "/health":
                return Response.json({"healthy": True})
            case "GET", "/root.pem":
                return Response(200, {"content-type": "application/x-pem-file"}, self._authority.root())
            case "POST", "/":
                return await self._stamp(request)
        return Response(404)

    async def _stamp(self, request: Request) -> Response:
        try:
            answer = await self._authority.stamp(request.body)
        except ValueError:
            return Response(400)
        return Response(200, {"content-type": ANSWER_TYPE}, answer)


if __name__ == "__main__":
    main()
