"""The fairest peer: a signing gateway in Node with npm's `http-message-signatures`, two processes as ours.

Its library lies in `SMARTGOV_PEERS/signatures` (`npm install http-message-signatures@1.0.6` there).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.floor import equip
from bench.processes import ROOT, Process, Started, free_port
from smartgov.engines.pki import certificates, keys
from smartgov.shared import settings


def present() -> bool:
    """Whether Node and its library are here."""
    folder = settings.get("SMARTGOV_PEERS")
    library = Path(folder or "/nonexistent") / "signatures/node_modules/http-message-signatures"
    return library.is_dir() and shutil.which("node") is not None


class SignaturePeer:
    """Two Node processes in `folder`: one takes plain HTTP, the other passes on to the register."""

    def __init__(self, folder: Path, register_port: int, started: Started) -> None:
        self._port, between = free_port(), free_port()
        authority = certificates.CertificateAuthority.create(folder / "authority", "bench")
        homes = {name: equip(folder / name, name, authority) for name in ("consumer", "provider")}
        for name, other in (("consumer", "provider"), ("provider", "consumer")):
            public = keys.load_p256(homes[other] / "own.key").public_key()
            (homes[name] / "other.pem").write_bytes(
                public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            )
        ways = {"consumer": (self._port, between), "provider": (between, register_port)}
        self._processes = [
            started.add(
                Process(
                    ["node", str(ROOT / "bench/signature_peer/gateway.mjs"), name, str(own), str(to), str(homes[name])],
                    own,
                    homes[name] / "output.log",
                )
            )
            for name, (own, to) in ways.items()
        ]
        for process in self._processes:
            process.wait_ready()

    @property
    def pids(self) -> list[int]:
        """The two processes."""
        return [process.pid for process in self._processes]

    @property
    def urls(self) -> list[str]:
        """Where one asks."""
        return [f"http://127.0.0.1:{self._port}"]
