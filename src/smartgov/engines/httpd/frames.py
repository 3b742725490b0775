"""Many messages over one connection: frames, each a whole request or answer, for programs that ask each other much.

HTTP/1.1 carries one exchange at a time over a connection, so a hundred at once need a hundred connections, each with
its own encryption, system calls and wake-ups. Here they share one, in any order, and what is ready together is written
together. Offered in the TLS handshake (ALPN, RFC 7301): who does not know it goes on with HTTP/1.1.

A frame is four numbers of four bytes (big endian): kind, stream, bytes of the head, bytes of the body; then both. The
head is JSON: `[method, path, query, fields]` of a request, `[status, fields]` of an answer; names of fields are in
lower case, values are what HTTP would carry (ISO 8859-1, no line breaks). An answer has the stream of its request;
streams grow. `LEAVING` says that nothing after the given stream was taken, nor will be: that can be asked elsewhere.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import Any, NamedTuple

import orjson

from smartgov.engines.httpd.messages import MAX_HEAD, HeadRefusedError, Request, Response

ALPN = "troad-frames/1"
REQUEST, ANSWER, LEAVING = 1, 2, 3
LAST_STREAM = 2**31 - 1
_NUMBERS = Struct(">4I")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_METHOD = re.compile(r"[A-Z]{1,32}")
_VISIBLE = re.compile(r"[!-~]*")
_OF_A_CONNECTION = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""What HTTP/1.1 says of one connection, and of how a body is delimited there: it has no meaning in a frame."""
_MOST_NAMES = 512
_names: set[str] = set()
"""Names that were looked at: few, so that a stranger cannot fill the memory."""


class FrameError(ValueError):
    """What arrived is no frame; the connection cannot be used any more. The text repeats nothing of it."""


class Frame(NamedTuple):
    """One frame; `body` is None where it is longer than the receiver takes, and was passed over."""

    kind: int
    stream: int
    head: bytes
    body: bytes | None


def of_request(stream: int, request: Request) -> bytes:
    """The frame of a request. ValueError when method, address or fields cannot be sent."""
    if not (_METHOD.fullmatch(request.method) and _is_target(request.path, request.query)):
        raise ValueError("method or target cannot be sent")
    head = orjson.dumps([request.method, request.path, request.query, _fields(request.headers)])
    return _frame(REQUEST, stream, head, request.body)


def of_answer(stream: int, response: Response) -> bytes:
    """The frame of an answer. HeadRefusedError when a field cannot be sent."""
    return _frame(ANSWER, stream, orjson.dumps([response.status, _fields(response.headers)]), response.body)


def leaving(stream: int) -> bytes:
    """The frame that says that `stream` was the last one taken."""
    return _frame(LEAVING, stream, b"", b"")


def request(frame: Frame, peer_cert: bytes | None) -> Request:
    """The request of a frame. HeadRefusedError says what of it breaks a rule."""
    read = _read(frame.head)
    if len(read) != 4 or not all(type(part) is str for part in read[:3]):
        raise HeadRefusedError("the head is not that of a request")
    method, path, query, fields = read
    if not _METHOD.fullmatch(method) or path[:1] != "/" or not _is_target(path, query):
        raise HeadRefusedError("method or target breaks a rule")
    return Request(method, path, query, _checked(fields), frame.body or b"", peer_cert)


def response(frame: Frame, peer_cert: bytes | None) -> Response:
    """The answer of a frame. HeadRefusedError says what of it breaks a rule."""
    read = _read(frame.head)
    if len(read) != 2 or type(read[0]) is not int or not 200 <= read[0] <= 599:
        raise HeadRefusedError("the head is not that of an answer")
    return Response(read[0], _checked(read[1]), frame.body or b"", peer_cert)


class Reader:
    """Takes frames out of what arrives; a body may have `most` bytes, and a longer one is passed over."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._have, self._need = 0, _NUMBERS.size
        self._over = 0
        """Bytes that are still to be passed over."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and is not there whole."""
        return bool(self._have or self._over)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now. FrameError when this is something else."""
        if self._over:
            passed = min(self._over, len(data))
            self._over -= passed
            data = data[passed:]
        self._parts.append(data)
        self._have += len(data)
        if self._have < self._need:
            return []
        whole = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        found, at = self._split(whole)
        self._parts = [whole[at:]] if at < len(whole) else []
        self._have = max(0, len(whole) - at)
        self._over = max(0, at - len(whole))
        return found

    def _split(self, whole: bytes) -> tuple[list[Frame], int]:
        """The frames of `whole`, and where the next one begins: beyond its end when one is passed over."""
        found: list[Frame] = []
        at, end = 0, len(whole)
        while end - at >= _NUMBERS.size:
            kind, stream, head, body = _NUMBERS.unpack_from(whole, at)
            if not REQUEST <= kind <= LEAVING or stream > LAST_STREAM or head > MAX_HEAD:
                raise FrameError("not a frame, or its head is too large")
            first = at + _NUMBERS.size
            if body > self._most:
                if end < first + head:
                    break
                found.append(Frame(kind, stream, whole[first : first + head], None))
            elif end < first + head + body:
                break
            else:
                middle = first + head
                found.append(Frame(kind, stream, whole[first:middle], whole[middle : middle + body]))
            at = first + head + body
        self._need = self._missing(whole, at)
        return found, at

    def _missing(self, whole: bytes, at: int) -> int:
        """How many bytes from `at` on make the next step possible."""
        if len(whole) - at < _NUMBERS.size:
            return _NUMBERS.size
        _, _, head, body = _NUMBERS.unpack_from(whole, at)
        return int(_NUMBERS.size + head + (body if body <= self._most else 0))


def _frame(kind: int, stream: int, head: bytes, body: bytes) -> bytes:
    if len(head) > MAX_HEAD:
        raise HeadRefusedError("head too large")
    return b"".join((_NUMBERS.pack(kind, stream, len(head), len(body)), head, body))


def _is_target(path: str, query: str) -> bool:
    return bool(_VISIBLE.fullmatch(path) and _VISIBLE.fullmatch(query)) and not ("?" in path or "#" in path + query)


def _read(head: bytes) -> list[Any]:
    try:
        read = orjson.loads(head)
    except orjson.JSONDecodeError:
        raise HeadRefusedError("the head is not JSON") from None
    if type(read) is not list:
        raise HeadRefusedError("the head is not a list")
    return read


def _fields(headers: dict[str, str]) -> dict[str, str]:
    """`headers` as they are sent: without those of a connection, and refused where HTTP could not carry them."""
    if not headers.keys().isdisjoint(_OF_A_CONNECTION):
        headers = {name: value for name, value in headers.items() if name not in _OF_A_CONNECTION}
    return _checked(headers)


def _checked(fields: Any) -> dict[str, str]:
    """The header fields of a message, held to what HTTP could carry: no value can start another field."""
    if type(fields) is not dict:
        raise HeadRefusedError("the fields are not an object")
    if not fields.keys() <= _names:
        for name in fields.keys() - _names:
            _know(name)
    try:
        values = "\x01".join(fields.values())
        values.encode("latin-1")
    except (TypeError, UnicodeEncodeError):
        raise HeadRefusedError("a field is not text of ISO 8859-1") from None
    if "\n" in values or "\r" in values or "\0" in values:
        raise HeadRefusedError("a field holds a line break")
    return fields


def _know(name: str) -> None:
    if not _TOKEN.fullmatch(name) or name in _OF_A_CONNECTION:
        raise HeadRefusedError("a field's name breaks a rule")
    if len(name) <= 40 and len(_names) < _MOST_NAMES:
        _names.add(name)
