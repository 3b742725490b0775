"""A gateway whose message key lies in a hardware module: the module goes away and comes back, nothing is restarted."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from smartgov.engines.pki.tests.test_token_process import LIBRARIES
from smartgov.engines.troad.joining import setting_up
from smartgov.engines.troad.tests.country import Country
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.test_gateway_process import Process

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hsm"
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    label = ["--label", "gateway-test", "--pin", "2468", "--so-pin", "1357"]
    subprocess.run(["softhsm2-util", "--init-token", "--free", *label], check=True, capture_output=True)
    (folder / "pin").write_text("2468\n")
    return folder


def test_signing_goes_on_when_the_module_is_back(tokens: Path, tmp_path: Path) -> None:
    library = next((path for path in LIBRARIES if path.exists()), None)
    assert library, "softhsm2 is not installed (bash scripts/system.sh hsm)"
    words = {"pkcs11": str(library), "token": "gateway-test", "pin_file": tokens / "pin", "code": "gw1"}
    setting_up._key_in_module(argparse.Namespace(home=tmp_path / "hpa", **words))
    assert (tmp_path / "hpa" / "keys" / "message.key").read_text().startswith("pkcs11:")
    country = Country(tmp_path)
    country.start("ris", "portal")
    process, kept = Process(country), Kept(country)
    process.start()
    try:
        assert kept.some(2) == ["answered"] * 2
        shutil.move(tokens / "tokens", tokens / "away")
        assert kept.ask(exchange_id="while-away", issue="case-2") == "answer-signature-invalid", (
            "a refusal that nobody can sign is not believed"
        )
        assert next(one["kind"] for one in country.records("hpa") if one.get("id") == "while-away") == "request"
        shutil.move(tokens / "away", tokens / "tokens")
        assert kept.ask(issue="case-3") == "answered", "nothing was started again"
        kept.hold()
    finally:
        process.end()
        country.stop()
