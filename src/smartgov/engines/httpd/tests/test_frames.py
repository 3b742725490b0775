"""Frames: what is written is read again however it arrives, and nothing that HTTP could not carry passes."""

from __future__ import annotations

import json
import string
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.httpd import Request, Response, frames
from smartgov.engines.httpd.messages import HeadRefusedError

NAMES = st.text(string.ascii_lowercase + string.digits + "-_", min_size=1, max_size=12).map(lambda name: f"x-{name}")
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=8)
TARGETS = st.text(string.ascii_letters + string.digits + "/%=&.-_~:@", max_size=20)
REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "POST", "HEAD"]),
    TARGETS.map(lambda text: f"/{text}"),
    TARGETS,
    FIELDS,
    st.binary(),
)


def frame(kind: int, stream: int, head: object, body: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return pack(">4I", kind, stream, len(text), len(body)) + text + body


@given(st.lists(REQUESTS, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_frames_are_read_as_written_however_they_are_cut(requests: list[Request], cuts: list[int]) -> None:
    wire = b"".join(frames.of_request(at + 1, one) for at, one in enumerate(requests))
    reader, found, at = frames.Reader(10_000), [], 0
    while at < len(wire):
        size = cuts[at % len(cuts)]
        found += reader.feed(wire[at : at + size])
        at += size
    assert [frames.request(one, None) for one in found] == requests
    assert [one.stream for one in found] == list(range(1, len(requests) + 1))
    assert not reader.partial


@given(st.integers(200, 599), FIELDS, st.binary())
def test_an_answer_is_read_as_written(status: int, fields: dict[str, str], body: bytes) -> None:
    (read,) = frames.Reader(10_000).feed(frames.of_answer(7, Response(status, fields, body)))
    assert read.stream == 7
    assert frames.response(read, b"der") == Response(status, fields, body, b"der")


@given(st.integers(11, 400), st.integers(1, 60))
def test_a_body_that_is_too_long_is_passed_over_and_the_next_frame_read(size: int, cut: int) -> None:
    wire = frame(frames.REQUEST, 1, ["POST", "/", "", {}], b"x" * size)
    wire += frame(frames.REQUEST, 2, ["GET", "/", "", {}], b"y" * 10)
    reader, found = frames.Reader(10), []
    for at in range(0, len(wire), cut):
        found += reader.feed(wire[at : at + cut])
    assert [(one.stream, one.body) for one in found] == [(1, None), (2, b"y" * 10)]
    assert not reader.partial


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        frame(0, 1, []),
        frame(4, 1, []),
        pack(">4I", frames.REQUEST, 2**31, 0, 0),
        pack(">4I", frames.REQUEST, 1, 64 * 1024 + 1, 0),
    ],
)
def test_what_is_no_frame_ends_the_reading(wire: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.Reader(100).feed(wire)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"{}",
        b"null",
        ["GET", "/"],
        ["get", "/", "", {}],
        ["GET", "x", "", {}],
        ["GET", "/a b", "", {}],
        ["GET", "/a?b", "", {}],
        ["GET", "/a", "b#c", {}],
        ["GET", "/\n", "", {}],
        ["GET", "/\u8cc7", "", {}],
        ["GET", 1, "", {}],
        ["GET", "/", "", []],
        ["GET", "/", "", {"X-Upper": "a"}],
        ["GET", "/", "", {"a b": "c"}],
        ["GET", "/", "", {"": "c"}],
        ["GET", "/", "", {"x-a": "b\nx-road-client: TW/GOV/other/system"}],
        ["GET", "/", "", {"x-a": "b\r"}],
        ["GET", "/", "", {"x-a": "b\u0000"}],
        ["GET", "/", "", {"x-a": "\u8cc7"}],
        ["GET", "/", "", {"x-a": 1}],
        ["GET", "/", "", {"x-a": None}],
        ["GET", "/", "", {"content-length": "5"}],
        ["GET", "/", "", {"transfer-encoding": "chunked"}],
        ["GET", "/", "", {"connection": "close"}],
    ],
)
def test_a_head_that_http_could_not_carry_is_refused(head: object) -> None:
    (read,) = frames.Reader(10).feed(frame(frames.REQUEST, 1, head))
    with pytest.raises(HeadRefusedError):
        frames.request(read, None)


@pytest.mark.parametrize(
    "head", [[], [200], ["200", {}], [True, {}], [99, {}], [100, {}], [600, {}], [200, {"a": "\n"}]]
)
def test_an_answer_that_http_could_not_carry_is_refused(head: object) -> None:
    (read,) = frames.Reader(10).feed(frame(frames.ANSWER, 1, head))
    with pytest.raises(HeadRefusedError):
        frames.response(read, None)


def test_what_says_how_a_connection_is_used_does_not_travel() -> None:
    (read,) = frames.Reader(10).feed(frames.of_answer(1, Response(200, {"connection": "close", "x-a": "b"})))
    assert frames.response(read, None).headers == {"x-a": "b"}


@pytest.mark.parametrize("headers", [{"x-a": "b\nc"}, {"x-a": "資"}, {"a b": "c"}])
def test_a_field_that_cannot_be_sent_is_refused_by_the_sender(headers: dict[str, str]) -> None:
    with pytest.raises(HeadRefusedError):
        frames.of_request(1, Request("GET", "/", "", headers))


def test_strangers_cannot_fill_the_memory_with_names() -> None:
    before = len(frames._names)
    for number in range(2000):
        (read,) = frames.Reader(10).feed(frame(frames.REQUEST, 1, ["GET", "/", "", {f"x-{number}": "a"}]))
        frames.request(read, None)
    assert len(frames._names) <= max(before, frames._MOST_NAMES)
