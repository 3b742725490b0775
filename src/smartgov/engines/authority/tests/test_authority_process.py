"""The authority as a process, asked by its client and by openssl."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from smartgov.engines.authority import Client
from smartgov.engines.httpd import sync
from smartgov.engines.pki import certificates, deltas, keys, revocation
from smartgov.engines.pki.authority import State, trail
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
SOURCE = Path(__file__).resolve().parents[4]


@contextmanager
def running(home):
    command = [sys.executable, "-m", "smartgov.engines.authority", "--home", str(home), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stderr.readline()
            port = int(re.search(r'"port": (\d+)', line)[1])
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


def csr(key):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_a_life_over_the_wire_and_openssl_asks(tmp_path):
    home = tmp_path / "authority"
    with running(home) as url:
        client = Client(url, (home / "secrets" / "local").read_text())
        key = keys.generate_p256()
        facts = {"profile": "person", "holder": "h1", "common_name": "陳美玲", "organisation": "smartgov"}
        record = client.request(csr(key), **facts, by="citizen:1")
        client.step(record.id, "prove", by="system", method="sign-in", level=2)
        record = client.step(record.id, "issue", by="officer:2")
        signature = keys.b64url(keys.sign(key, activation_text(record)))
        record = client.step(record.id, "activate", by="citizen:1", signature=signature)
        assert client.records(holder="h1") == [record]
        root = certificates.from_pem(client.certificate())
        (tmp_path / "ca.pem").write_bytes(client.certificate())
        (tmp_path / "one.pem").write_text(record.certificate)
        said = openssl(tmp_path, f"ocsp -issuer ca.pem -cert one.pem -CAfile ca.pem -url {url}/ocsp")
        assert "one.pem: good" in said
        assert "Response verify OK" in said
        assert "nonce" not in said.lower(), "it was sent and came back"
        client.step(record.id, "revoke", by="officer:2", reason="keyCompromise")
        assert "one.pem: revoked" in openssl(
            tmp_path, f"ocsp -issuer ca.pem -cert one.pem -CAfile ca.pem -url {url}/ocsp"
        )
        crl = revocation.read(client.crl(), root)
        delta = deltas.read(sync.request("GET", f"{url}/delta").body, root)
        assert delta.find(record.serial).reason == "keyCompromise"
        assert revocation.check(certificates.from_pem(record.certificate.encode()), root, [crl], now=clock.now()).reason
        jwk = sync.request("GET", f"{url}/trail-key").parsed()
        assert trail.first_flaw(client.trail(), keys.from_jwk(jwk)) is None
        with pytest.raises(Problem) as caught:
            client.step(record.id, "resume", by="officer:2")
        assert (caught.value.slug, caught.value.status) == ("certificate-step", 409)
        with pytest.raises(Problem) as caught:
            Client(url, "guess").records()
        assert caught.value.status == 401
        assert sync.request("GET", f"{url}/ocsp/AAAA").status == 200
    with running(home) as url:
        assert Client(url, (home / "secrets" / "local").read_text()).get(record.id).state is State.REVOKED
    sync.close()


def openssl(folder, command):
    done = subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr
