import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smartgov.engines.httpd import sync
from smartgov.shared.tw.national_id import urn

from .conftest import MOTHER

SOURCE = Path(__file__).resolve().parents[4]


@pytest.mark.enable_socket
@pytest.mark.process
def test_the_program_serves_a_home_and_stops_when_told(home):
    command = [sys.executable, "-m", "smartgov.engines.apigen.server", "--home", str(home), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            port = re.search(r'"port": (\d+)', process.stderr.readline())[1]
            headers = {"authorization": "Bearer s3cret", "x-troad-subject": urn(MOTHER)}
            response = sync.request("POST", f"http://127.0.0.1:{port}/people/query", headers, b"{}")
            assert json.loads(response.body)["items"][0]["name"] == "林淑芬"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert MOTHER not in process.stderr.read()
