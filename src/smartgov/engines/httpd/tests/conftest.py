"""Both ends of a framed connection."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from smartgov.engines.httpd import frames
from smartgov.engines.httpd.tests.ends import Ends
from smartgov.engines.httpd.tests.mutual_tls import certificate, context


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    """With certificates that each trusts of the other."""
    a, b = certificate(tmp_path, "a"), certificate(tmp_path, "b")
    serving, asking = context(ssl.PROTOCOL_TLS_SERVER, a, b), context(ssl.PROTOCOL_TLS_CLIENT, b, a)
    for one in (serving, asking):
        one.set_alpn_protocols([frames.ALPN, "http/1.1"])
    return Ends(serving, asking, a[2])
