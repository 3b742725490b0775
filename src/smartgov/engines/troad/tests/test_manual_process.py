"""The examples of the integrators' page, run as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import BIRTHS, CASES, LAW, MOTHER, PURPOSE, Country

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PAGE = Path(__file__).parents[5] / "docs" / "manuals" / "developer" / "calling-services.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def given(country: Country) -> dict[str, str]:
    return {
        "GATEWAY": country.url("ris"),
        "SECRET": homes.secret(country.folder / "ris", "cases"),
        "CLIENT": CASES,
        "SERVICE": BIRTHS,
        "PERSON": MOTHER,
        "PURPOSE": PURPOSE,
        "BASIS": LAW,
    }


def test_the_python_example(country: Country, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = examples("python")
    assert len([line for line in code.splitlines() if line]) <= 5
    exec(code, dict(given(country)))
    assert "born_on" in capsys.readouterr().out


def test_the_curl_examples(country: Country) -> None:
    if shutil.which("curl") is None:
        pytest.skip("NOT RUN: there is no curl")
    environment = {**given(country), "PATH": "/usr/bin:/bin"}
    told = []
    for code in examples("bash"):
        run = subprocess.run(["bash", "-c", code], env=environment, capture_output=True, check=True)
        told.append(json.loads(run.stdout))
    asked, allowed, described = told
    assert asked["items"][0]["born_on"] == "2026-11-01"
    assert [one["service_code"] for one in allowed["service"]] == ["births.v1"]
    assert described["openapi"] == "3.1.0"
