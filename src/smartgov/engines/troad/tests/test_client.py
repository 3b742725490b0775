"""The client of information systems: how long it waits, and what it says of a gateway that is silent or gone."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator

import pytest

from smartgov.engines.troad import terms
from smartgov.engines.troad.client import CALL_SECONDS, LocalGateway
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.enable_socket
SERVICE = "TW/GOV/hpa/births/births.v1"


@pytest.fixture
def port() -> Iterator[tuple[socket.socket, int]]:
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent, silent.getsockname()[1]


def gateway(port: int) -> LocalGateway:
    return LocalGateway(f"http://127.0.0.1:{port}", "s" * 32, "TW/GOV/ris/cases")


def test_a_call_waits_longer_than_a_service_and_both_gateways_may_take() -> None:
    default = inspect.signature(LocalGateway.call).parameters["timeout"].default
    assert default == CALL_SECONDS > terms.SECONDS + terms.HOPS_SECONDS


def test_a_silent_gateway_is_said_to_be_ones_own_and_the_outcome_unknown(port: tuple[socket.socket, int]) -> None:
    with pytest.raises(Problem) as caught:
        gateway(port[1]).call(SERVICE, "POST", "/births/query", purpose="x", timeout=0.05)
    problem = caught.value
    assert (problem.slug, problem.status, problem.extra["gateway"]) == ("gateway-silent", 504, "own")
    assert "0.05 s" in problem.what.en
    assert "0.05" in problem.what.zh
    assert "idempotency key" in problem.todo.en


def test_a_gateway_that_does_not_run_is_said_to_be_ones_own(port: tuple[socket.socket, int]) -> None:
    port[0].close()
    with pytest.raises(Problem) as caught:
        gateway(port[1]).call(SERVICE, "POST", "/births/query", purpose="x")
    assert (caught.value.slug, caught.value.extra["gateway"]) == ("gateway-unreachable", "own")
    assert f"127.0.0.1:{port[1]}" in caught.value.why.en
