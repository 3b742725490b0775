"""A request that goes to given addresses: the name decides whom the certificate must be of, and nothing else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from smartgov.blocks.identity.adapters.fetching import fetch
from smartgov.engines.pki import certificates, keys

pytestmark = pytest.mark.enable_socket
NAME = "shop.example.test"


class Shop(BaseHTTPRequestHandler):
    """Says which host it was asked for."""

    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", f"https://{self.headers['Host']}/jwks")
            self.end_headers()
            return
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A shop on this machine, whose certificate is by an authority that the system trusts."""
    authority, key = certificates.CertificateAuthority.create(tmp_path / "ca", "Test"), keys.generate_p256()
    certificate = authority.issue(key.public_key(), common_name=NAME, organisation="Shop", usage="tls", san_dns=[NAME])
    keys.save_private(tmp_path / "tls.key", key)
    (tmp_path / "tls.pem").write_bytes(certificates.pem(certificate))
    (tmp_path / "ca.pem").write_bytes(certificates.pem(authority.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem", tmp_path / "tls.key")
    with HTTPServer(("127.0.0.1", 0), Shop) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_it_goes_to_the_address_and_asks_for_the_name(port: int) -> None:
    url = f"https://{NAME}:{port}/jwks"
    assert fetch("GET", url, {}, to=["127.0.0.1"]) == (200, f"{NAME}:{port}".encode())
    assert fetch("GET", url, {}, to=["127.0.0.9", "127.0.0.1"])[0] == 200, "the next address, where one is silent"
    assert fetch("GET", f"https://{NAME}:{port}/elsewhere", {}, to=["127.0.0.1"]) == (302, b""), "nothing is followed"


def test_a_certificate_of_another_name_is_not_taken(port: int) -> None:
    with pytest.raises(OSError, match="certificate"):
        fetch("GET", f"https://other.example.test:{port}/jwks", {}, to=["127.0.0.1"])
    with pytest.raises(OSError, match="only https"):
        fetch("GET", f"http://{NAME}:{port}/jwks", {}, to=["127.0.0.1"])
