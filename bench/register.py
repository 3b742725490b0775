"""The smallest register that is one: it answers who asks about whom and with which number, nothing stored.

`python -m bench.register PORT`. It stands behind both pairs of hops, and its own CPU is in neither figure; so that it
takes little from them on a small machine, it reads no more of HTTP than the two hops write.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import orjson

from smartgov.engines.httpd import run

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
AS_OF = "2026-11-22T00:00:00Z"


def row(number: int, subject: str, pad: int = 0) -> dict[str, Any]:
    """The row that the question `number` about `subject` gets, with `pad` bytes of filling."""
    return {
        "id": number,
        "mother_id": subject,
        "born_on": "2026-11-01",
        "hospital": "臺大醫院",
        "weight_g": 3100,
        "status": "notified",
        **({"filling": "f" * pad} if pad else {}),
    }


class Connection(asyncio.Protocol):
    """Questions of one connection, one after another."""

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer once head and body are there."""
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        head = head.lower()
        if not found or len(body) < int(_field(head, b"content-length") or b"0"):
            return
        self._got = b""
        asked = orjson.loads(body)["where"]
        subject = _field(head, b"x-troad-subject").decode().replace("urn:tw:nid:a", "urn:tw:nid:A")
        text = orjson.dumps({"items": [row(asked["id"], subject, asked.get("pad", 0))], "as_of": AS_OF})
        self._transport.write(_HEAD % len(text) + text)


def _field(head: bytes, name: bytes) -> bytes:
    """The value of a header field, empty without it."""
    return head.partition(b"\r\n%b: " % name)[2].partition(b"\r\n")[0]


async def main(port: int) -> None:
    """Serve until a signal comes."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=512)
    try:
        await asyncio.Event().wait()
    finally:
        server.close()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
