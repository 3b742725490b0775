"""The adapter speaks with the real phone program, and its signature opens a session."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client

from smartgov.blocks.identity import api, mobile
from smartgov.blocks.identity.adapters.phone import PhoneCode, PhonePush
from smartgov.blocks.identity.models import LoginRequest, SignIn
from smartgov.blocks.identity.tests.factories import SEEDER, a_national_id, a_person
from smartgov.engines.httpd import sync
from smartgov.shared import settings
from smartgov.shared.problems import Problem
from smartgov.simulators.phone import home as phones

pytestmark = [pytest.mark.enable_socket, pytest.mark.process, pytest.mark.django_db]
SOURCE = Path(__file__).resolve().parents[4]


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("SMARTGOV_DATA_KEY_FILE", settings.get("SMARTGOV_DATA_KEY_FILE"))
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    command = [sys.executable, "-m", "smartgov.simulators.phone", "--home", str(tmp_path / "phone"), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        port = re.search(r'"port": (\d+)', process.stderr.readline())
        assert port is not None
        monkeypatch.setenv("SMARTGOV_PHONE_URL", f"http://127.0.0.1:{port[1]}")
        with mobile.service_replaced(PhonePush(), PhoneCode()):
            yield f"http://127.0.0.1:{port[1]}"
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def owner(tmp_path: Path, address: str) -> tuple[str, str]:
    nid = a_national_id()
    subject = a_person(nid=nid)
    card = phones.enrol(tmp_path / "phone", persona="mother", name="林美玲")
    api.add_mobile_key(actor=SEEDER, subject=subject, jwk=card.public_jwk)
    return subject, nid


def send(address: str, path: str, **form: str) -> str:
    """What a thumb does on the phone: open a page, and press a button of its first form."""
    page = sync.request("GET", address + path).body.decode()
    hidden = dict(re.findall(r'name="(token|ticket)" value="([^"]*)"', page))
    body = "&".join(f"{name}={value}" for name, value in {**hidden, **form}.items()).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = sync.request("POST", address + path.split("?", maxsplit=1)[0], kind, body)
    assert answer.status == 303, answer.body
    return answer.headers["location"]


def test_a_scanned_code_signs_in(client: Client, address: str, owner: tuple[str, str]) -> None:
    waiting = client.post("/identity/mobile", {"way": "code"}).headers["Location"]
    login = LoginRequest.objects.get()
    assert login.number in client.get(waiting).content.decode()
    shown = urlsplit(login.show)
    ask = send(address, f"{shown.path}?{shown.query}", persona="mother")
    assert client.get(f"{waiting}/state").json() == {"waiting": True}
    send(address, ask, number=login.number)
    assert client.get(waiting).headers["Location"] == "/"
    assert SignIn.objects.get().account.subject == owner[0]


def test_a_wrong_number_signs_nobody_in(client: Client, address: str, owner: tuple[str, str]) -> None:
    waiting = client.post("/identity/mobile", {"way": "push", "national_id": owner[1]}).headers["Location"]
    login = LoginRequest.objects.get()
    wrong = "10" if login.number != "10" else "11"
    send(address, f"/phones/mother/requests/{login.ticket}", number=wrong)
    assert client.get(waiting).status_code == 403


def test_a_push_signs_in(client: Client, address: str, owner: tuple[str, str]) -> None:
    waiting = client.post("/identity/mobile", {"way": "push", "national_id": owner[1]}).headers["Location"]
    login = LoginRequest.objects.get()
    send(address, f"/phones/mother/requests/{login.ticket}", number=login.number)
    assert client.get(waiting).status_code == 302


def test_a_service_that_is_down_is_a_problem(monkeypatch: pytest.MonkeyPatch, address: str, client: Client) -> None:
    monkeypatch.setenv("SMARTGOV_PHONE_URL", "http://127.0.0.1:9")
    with pytest.raises(Problem, match="phone-service-unreachable"):
        PhoneCode().read({"ticket": "x"}, b"")
    assert client.post("/identity/mobile", {"way": "code"}).status_code == 503
