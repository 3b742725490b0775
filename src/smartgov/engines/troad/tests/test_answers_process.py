"""What a client's gateway refuses to pass on: answers that are swapped, altered, unsigned or of the wrong server."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smartgov.engines.httpd import Request, Response, Server, serve
from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies, wire
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import Country, ask_births
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
Play = Callable[[Request], Response]


class FalseProvider:
    """Stands on hpa's port with hpa's keys and answers as a test tells it."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.home = homes.load(country.folder / "hpa")
        self.key = self.home.p256("message")
        self.play: Play = self.sound
        self.kept: list[Response] = []
        self.server: Server | None = None

    def start(self, tls: str = "hpa") -> None:
        own = homes.load(self.country.folder / tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.path / "certs/tls.pem", own.path / "keys/tls.key")

        async def handle(request: Request) -> Response:
            return self.play(request)

        self.server = self.country.run(serve(handle, port=self.home.port, ssl=context))

    def sound(self, request: Request, key: Any = None) -> Response:
        head = wire.Head(request.method, request.headers["host"], request.path, request.query, request.headers)
        body = b'{"items":[]}'
        fields = {"content-type": "application/json", **bodies.commit(body)[1]}
        wire.sign_answer(head, 200, fields, key or self.key, created=0, nonce=wire.new_nonce())
        answer = Response(200, {**fields, "x-road-id": request.headers["x-road-id"]}, body)
        self.kept.append(answer)
        return answer


@pytest.fixture
def provider(country: Country) -> Iterator[FalseProvider]:
    country.halt("hpa")
    false = FalseProvider(country)
    yield false
    if false.server is not None:
        country.run(false.server.stop())
    country.start("hpa")


def refused(country: Country, slug: str) -> Problem:
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk())
    assert problem.value.slug == slug
    record = country.records("ris")[-1]
    assert (record["kind"], record["side"], record["reason"]) == ("refusal", "client", slug)
    return problem.value


def test_a_sound_answer_is_passed_on(country: Country, provider: FalseProvider) -> None:
    provider.start()
    assert ask_births(country.sdk()).body == {"items": []}


def test_swapped_answers(country: Country, provider: FalseProvider) -> None:
    provider.start()
    ask_births(country.sdk())
    (earlier,) = provider.kept
    provider.play = lambda request: earlier
    refused(country, "answer-mismatch")


def test_swapped_answers_under_a_forged_id(country: Country, provider: FalseProvider) -> None:
    provider.start()
    ask_births(country.sdk())
    (earlier,) = provider.kept

    def swap(request: Request) -> Response:
        earlier.headers["x-road-id"] = request.headers["x-road-id"]
        return earlier

    provider.play = swap
    refused(country, "answer-signature-invalid")


def altered(name: str, value: str) -> Callable[[FalseProvider, Request], Response]:
    def play(provider: FalseProvider, request: Request) -> Response:
        answer = provider.sound(request)
        answer.headers[name] = value
        return answer

    return play


def other_status(provider: FalseProvider, request: Request) -> Response:
    answer = provider.sound(request)
    answer.status = 201
    return answer


def other_body(provider: FalseProvider, request: Request) -> Response:
    answer = provider.sound(request)
    answer.body = b'{"items":[{}]}'
    return answer


def other_key(provider: FalseProvider, request: Request) -> Response:
    return provider.sound(request, keys.generate_p256())


def key_of_another_member(provider: FalseProvider, request: Request) -> Response:
    return provider.sound(request, homes.load(provider.country.folder / "portal").p256("message"))


def clear_id(provider: FalseProvider, request: Request) -> Response:
    from smartgov.engines.troad.tests.country import MOTHER

    head = wire.Head(request.method, request.headers["host"], request.path, request.query, request.headers)
    body = f'{{"items":[{{"note":"{MOTHER}"}}]}}'.encode()
    fields = bodies.commit(body)[1]
    wire.sign_answer(head, 200, fields, provider.key, created=0, nonce=wire.new_nonce())
    return Response(200, fields, body)


@pytest.mark.parametrize(
    ("play", "slug"),
    [
        (other_key, "answer-signature-invalid"),
        (key_of_another_member, "answer-signature-invalid"),
        (other_status, "answer-signature-invalid"),
        (altered("content-type", "text/html"), "answer-signature-invalid"),
        (altered("signature", ""), "answer-signature-invalid"),
        (altered("troad-body", "hmac-sha-256=:AAAA:"), "answer-signature-invalid"),
        (other_body, "answer-body-changed"),
        (clear_id, "person-in-clear"),
    ],
)
def test_an_altered_answer(
    country: Country, provider: FalseProvider, play: Callable[[FalseProvider, Request], Response], slug: str
) -> None:
    provider.start()
    provider.play = lambda request: play(provider, request)
    refused(country, slug)


def test_a_field_added_to_an_answer_is_dropped(country: Country, provider: FalseProvider) -> None:
    provider.start()
    provider.play = lambda request: altered("etag", "forged")(provider, request)
    assert "etag" not in ask_births(country.sdk()).headers


def test_a_server_with_another_members_certificate_hears_nothing(country: Country, provider: FalseProvider) -> None:
    provider.start(tls="portal")
    assert refused(country, "gateway-untrusted").extra["gateway"] == "TW/GOV/hpa/gw1"
    assert provider.kept == []


def test_a_gateway_that_is_down(country: Country, provider: FalseProvider) -> None:
    problem = refused(country, "gateway-unreachable")
    assert problem.status == 503
    assert problem.extra["exchange"]
    assert problem.todo.zh.startswith("請稍後再送：尚未執行任何事。")


def test_a_service_that_is_down_behind_a_working_gateway(country: Country) -> None:
    country.publish()
    country.run(country._server.stop())  # type: ignore[union-attr]
    try:
        refused(country, "service-unreachable")
        assert country.records("hpa")[-1]["reason"] == "service-unreachable"
    finally:
        country._server = country.run(serve(country.behind.handle, port=country.behind.port))


def test_an_answer_that_cannot_be_cut_is_not_given(country: Country) -> None:
    for body in (b"[1]", b"not json", b'{"items":["x"]}'):
        country.behind.answer = lambda request, body=body: Response(200, {"content-type": "application/json"}, body)
        refused(country, "answer-uncuttable")


def test_a_service_that_leaks_a_clear_id_is_stopped_at_its_own_gateway(country: Country) -> None:
    from smartgov.engines.troad.tests.country import FATHER

    item = {"hospital": f"father {FATHER}"}
    country.behind.answer = lambda request: Response.json({"items": [item]})
    refused(country, "person-in-clear")
    assert FATHER not in str(country.records("hpa"))


def test_a_problem_of_the_service_comes_through_as_itself(country: Country) -> None:
    told = Problem("birth-unknown", 404, what="No such birth.", why="Not notified.")
    country.behind.answer = lambda request: Response.problem(told, "en")
    with pytest.raises(Problem) as problem:
        ask_births(country.sdk())
    assert (problem.value.slug, problem.value.status) == ("birth-unknown", 404)
    assert problem.value.what.en == "No such birth."
