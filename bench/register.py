"""The smallest register that is one: it answers who asks about whom and with which number, nothing stored.

`python -m bench.register PORT`. It stands behind both pairs of hops, and its own CPU is in neither figure.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from smartgov.engines.httpd import Request, Response, run, serve

AS_OF = "2026-11-22T00:00:00Z"


def row(number: int, subject: str) -> dict[str, Any]:
    """The row that the question `number` about `subject` gets."""
    return {
        "id": number,
        "mother_id": subject,
        "born_on": "2026-11-01",
        "hospital": "臺大醫院",
        "weight_g": 3100,
        "status": "notified",
    }


async def answer(request: Request) -> Response:
    """One row, for the person whom the head names."""
    number = request.json()["where"]["id"]
    return Response.json({"items": [row(number, request.headers["x-troad-subject"])], "as_of": AS_OF})


async def main(port: int) -> None:
    """Serve until a signal comes."""
    server = await serve(answer, port=port)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
