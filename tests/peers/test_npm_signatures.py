"""Our signatures against npm's `http-message-signatures`, which knows nothing of us, and its against our reader.

Its library lies in `SMARTGOV_PEERS/signatures` (`npm install http-message-signatures@1.0.6` there).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies, components, wire
from smartgov.shared import settings

pytestmark = pytest.mark.process
KEY = keys.generate_p256()
KID = keys.thumbprint(KEY.public_key())


@pytest.fixture(scope="module")
def library() -> Path:
    folder = Path(settings.get("SMARTGOV_PEERS") or "/nonexistent") / "signatures"
    if not (folder / "node_modules/http-message-signatures").is_dir() or shutil.which("node") is None:
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no signatures, or there is no node")
    return folder


def a_head() -> wire.Head:
    fields = {
        "content-type": "application/json",
        "x-road-client": "TW/GOV/ris/cases",
        "x-road-id": "01234567",
        "troad-receiver": "TW/GOV/hpa/gw1",
        **bodies.commit(b"{}")[1],
    }
    return wire.Head("POST", "host.example:9002", "/r1/a", "x=1", fields)


def message(head: wire.Head) -> dict[str, Any]:
    url = f"https://{head.authority}{head.path}?{head.query}"
    return {"method": head.method, "url": url, "headers": dict(head.fields)}


def ask(library: Path, told: dict[str, Any]) -> dict[str, Any]:
    script = Path(__file__).parent / "npm_signatures.mjs"
    command = [shutil.which("node") or "node", str(script), str(library)]
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def told(library: Path) -> dict[str, Any]:
    created, head, unsigned = int(time.time()), a_head(), a_head()
    wire.sign_request(head, KEY, created=created, nonce=wire.new_nonce())
    answer = {"content-type": "application/json", **bodies.commit(b"[]")[1]}
    wire.sign_answer(head, 200, answer, KEY, created=created, nonce=wire.new_nonce())
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return ask(
        library,
        {
            "public": public,
            "private": private,
            "keyid": KID,
            "created": created,
            "nonce": "A" * 22,
            "request": message(head),
            "answer": {"status": 200, "headers": answer},
            "unsigned": unsigned.fields,
            "fields": [*components.REQUIRED, "content-type"],
        },
    ) | {"unsigned": unsigned}


def test_the_library_accepts_our_request_and_our_answer_to_it(told: dict[str, Any]) -> None:
    assert told["request"] is True
    assert told["answer"] is True


def test_it_refuses_an_altered_request_and_an_answer_to_another(told: dict[str, Any]) -> None:
    assert told["altered"] is False
    assert told["moved"] is False


def test_we_accept_what_it_signs(told: dict[str, Any]) -> None:
    head: wire.Head = told["unsigned"]
    head.fields.update({name: told["made"][name] for name in ("signature-input", "signature")})
    signed = wire.read_request(head)
    assert signed.keyid == KID
    assert signed.holds(KEY.public_key())
    assert not signed.holds(keys.generate_p256().public_key())
