"""What commands say when something is not there: in words, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartgov import cli

VERBS = (
    "system list",
    "service list",
    "offer",
    "check",
    "ping ris",
    "renew",
    "key",
    "maintenance status",
    "right list",
)


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_a_folder_without_a_gateway_is_said_in_words(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["gateway", *verb.split(), "--home", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert f"There is no gateway in {tmp_path / 'none'}." in said
    assert "Traceback" not in said


def test_a_file_that_is_no_evidence_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note.txt").write_text("not a PDF")
    assert cli.main(["verify", str(tmp_path / "note.txt")]) == 1
    assert "nothing that can be verified" in capsys.readouterr().err


def test_a_file_that_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cert.json").write_text("{}")
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    assert cli.main(["verify", str(pdf), "--home", str(tmp_path)]) == 1
    assert "ca.crt" in capsys.readouterr().err
