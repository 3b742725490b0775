"""Who counts as one: behind our own proxy every connection has the proxy's address."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from smartgov.blocks.ops.api import address_of, neighbour_of


def test_the_proxys_header_counts_only_where_it_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "1.2.3.4, 1.160.0.1"}, REMOTE_ADDR="10.0.0.1")
    assert (address_of(request), neighbour_of(request)) == ("10.0.0.1", "10.0.0.1")
    monkeypatch.setenv("SMARTGOV_CLIENT_ADDRESS_HEADER", "X-Forwarded-For")
    assert (address_of(request), neighbour_of(request)) == ("1.160.0.1", "1.160.0.1")


@pytest.mark.parametrize(("address", "counts_as"), [("2001:b000:1:2:3:4:5:6", "2001:b000:1:2::/64"), ("?", "")])
def test_a_network_of_ipv6_counts_as_one(address: str, counts_as: str) -> None:
    assert neighbour_of(RequestFactory().get("/", REMOTE_ADDR=address)) == counts_as
