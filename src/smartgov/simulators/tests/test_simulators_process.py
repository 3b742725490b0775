import json
import os
import re
import signal
import smtplib
import subprocess
import sys
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from smartgov.engines.httpd import sync
from smartgov.simulators.bank.app import sign

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
SOURCE = Path(__file__).resolve().parents[3]


def command(name, *arguments):
    return [sys.executable, "-m", f"smartgov.simulators.{name}", *map(str, arguments)]


@contextmanager
def running(name, home, *arguments, announcements=1):
    """A simulator on free ports; gives the ports that it announced, in order."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    full = command(name, "--home", home, "--port", 0, *arguments)
    with subprocess.Popen(full, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            lines = [process.stderr.readline() for _ in range(announcements)]
            yield [int(re.search(r'"port": (\d+)', line)[1]) for line in lines]
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=20)
        assert code == 0


def test_the_phone_enrols_and_takes_a_request(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    enrol = command("phone", "enrol", "--home", tmp_path, "--id", "mother", "--name", "林淑芬")
    card = json.loads(subprocess.run(enrol, capture_output=True, check=True, env=environment, timeout=60).stdout)
    assert card["csr"].startswith("-----BEGIN CERTIFICATE REQUEST")
    with running("phone", tmp_path) as [port]:
        headers = {"authorization": f"Bearer {(tmp_path / 'secrets' / 'sp').read_text()}"}
        body = {"key_id": card["key_id"], "origin": "o", "nonce": "n", "number": "11", "text": "t"}
        url = f"http://127.0.0.1:{port}"
        answer = sync.request("POST", f"{url}/sp/tickets", headers, json.dumps(body).encode())
        assert answer.status == 201
        assert answer.parsed()["link"] == f"http://localhost:{port}/phones/mother"
        assert "林淑芬" in sync.request("GET", f"{url}/phones/mother").body.decode()


def test_the_mailbox_takes_real_smtp(tmp_path):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "gov@example.tw", "mother@example.tw", "核定通知"
    message.set_content("請登入查看。\n.\n結束")
    with running("mailbox", tmp_path, "--smtp-port", 0, announcements=2) as [smtp, web]:
        with smtplib.SMTP("127.0.0.1", smtp, timeout=20) as client:
            client.send_message(message)
            with pytest.raises(smtplib.SMTPException):
                client.sendmail("a@example.tw", ["b@example.tw"], b"x" * (2**20 + 1))
        [mail] = sync.request("GET", f"http://127.0.0.1:{web}/messages.json").parsed()
        assert (mail["subject"], mail["text"].splitlines()) == ("核定通知", ["請登入查看。", ".", "結束"])


def test_the_bank_keeps_its_books_over_a_restart(tmp_path):
    entry = {
        "reference": "r1",
        "bank_code": "700",
        "account": "012345678901",
        "name": "林",
        "amount": 5,
        "purpose": "p",
    }
    body = {"batch": "b1", "agency": "sfaa", "digest": "d", "count": 1, "total": 5, "lines": [entry]}
    raw = json.dumps(body).encode()
    statuses = []
    for _ in range(2):
        with running("bank", tmp_path) as [port]:
            headers = {"x-batch-signature": sign((tmp_path / "secrets" / "payer").read_text(), "POST", "/batches", raw)}
            statuses.append(sync.request("POST", f"http://127.0.0.1:{port}/batches", headers, raw).status)
    assert statuses == [201, 200]
