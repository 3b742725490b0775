"""The authority's folder: a root, a signing certificate for time stamps only, and `openssl ts` that signs."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock

_POLICY = "1.3.6.1.4.1.55555.3161.1"  # of this simulator
_SECONDS = 20
_CONFIGURATION = f"""[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = signer.pem
signer_key = keys/signer.key
signer_digest = sha256
digests = sha256, sha384, sha512
default_policy = {_POLICY}
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """`root.pem` (what others trust), `signer.pem` and their keys in `home`; made where they are missing."""

    def __init__(self, home: Path, *, days: int = 365) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            raise FileNotFoundError("openssl")
        self.home, self._openssl = home, openssl
        self._one_at_a_time = asyncio.Lock()  # openssl counts serial numbers in a file
        if not (home / "root.pem").exists():
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(home, days)

    def root(self) -> bytes:
        """The certificate (PEM) that others trust."""
        return (self.home / "root.pem").read_bytes()

    async def stamp(self, request: bytes) -> bytes:
        """The DER answer to a DER request; ValueError when openssl cannot read it."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._stamp, request)

    def _stamp(self, request: bytes) -> bytes:
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            query, answer = Path(folder) / "query", Path(folder) / "answer"
            query.write_bytes(request)
            command = [self._openssl, "ts", "-reply", "-config", "tsa.conf", "-section", "one"]
            command += ["-queryfile", str(query), "-out", str(answer)]
            # The program is found on the machine, its arguments are our own paths.
            done = subprocess.run(  # noqa: S603
                command, cwd=self.home, capture_output=True, timeout=_SECONDS, check=False
            )
            if done.returncode or not answer.exists():
                raise ValueError("openssl cannot stamp this request")
            return answer.read_bytes()


def _make(home: Path, days: int) -> None:
    root_key, key = keys.generate_p256(), keys.generate_p256()
    root = _certificate("Synthetic time root", root_key, root_key, None, days=3650)
    signer = _certificate("Synthetic time stamps", key, root_key, root, days=days)
    keys.save_private(home / "keys" / "signer.key", key)
    (home / "tsa.conf").write_text(_CONFIGURATION)
    (home / "serial").write_text("01\n")
    (home / "signer.pem").write_bytes(certificates.pem(signer))
    (home / "root.pem").write_bytes(certificates.pem(root))  # last: it says that the folder is complete


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    *,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = clock.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(certificates.key_usage(authority=issuer is None), critical=True)
    )
    if issuer is not None:
        # RFC 3161 2.3: this usage alone, and critical.
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(by, hashes.SHA256())
