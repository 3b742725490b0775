"""`openssl ts -verify` on our time stamps, and pymerkle on the roots of a log that exchanges were written to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from pytest_socket import enable_socket

from smartgov.engines.ledger import cosign, merkle
from smartgov.engines.troad.tests.country import Country, ask_births
from smartgov.engines.troad.tests.stamped import stamped_country

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    enable_socket()
    with stamped_country(tmp_path_factory.mktemp("evidence")) as standing:
        yield standing


def verified(folder: Path, root: Path, token: bytes, text: bytes) -> bool:
    """What `openssl ts -verify` says of a stamp over a text."""
    (folder / "token").write_bytes(token)
    (folder / "text").write_bytes(text)
    command = ["openssl", "ts", "-verify", "-in", "token", "-data", "text", "-CAfile", str(root)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    good = "Verification: OK" in done.stdout + done.stderr
    assert good is (done.returncode == 0)
    return good


def test_openssl_verifies_our_time_stamps_and_refuses_them_for_anything_else(country: Country, tmp_path: Path) -> None:
    country.quiet("portal")
    country.sdk("TW/GOV/portal/portal").append([{"kind": "note", "actor": "s1"}])
    assert country.run(country.gateways["portal"].core.heads.stamp())
    with country.gateways["portal"].core.store.reading() as (db, log):
        size, token = db.execute("SELECT size, token FROM stamp ORDER BY size DESC LIMIT 1").fetchone()
        text = cosign.text(log.checkpoint(size))
    root = country.folder / "tsa/root.pem"
    assert verified(tmp_path, root, token, text)
    assert not verified(tmp_path, root, token, text + b" ")
    assert not verified(tmp_path, root, token[:-1] + bytes([token[-1] ^ 1]), text)


def test_pymerkle_finds_the_same_roots(country: Country) -> None:
    pymerkle = pytest.importorskip("pymerkle", reason="NOT RUN: pymerkle is not installed")
    for _ in range(5):
        ask_births(country.sdk())
    with country.gateways["ris"].core.store.reading() as (_, log):
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        for size, (_, record) in enumerate(log.records(), 1):
            tree.append_entry(record)
            assert tree.get_root() == log.root(size)
    assert size >= 5
    assert sha256(b"").digest() == merkle.EMPTY_ROOT
