"""What commands say when something is not there: in words, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartgov import cli
from smartgov.engines.pki import keys

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


@pytest.mark.parametrize("written", ["--new {}", "--new={}"])
def test_a_thumbprint_may_begin_with_a_hyphen(written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, file = tmp_path / "root.key", tmp_path / "statement.json"
    keys.save_private(root, keys.generate_p256())
    old, new = "_" + "o" * 42, "-" + "n" * 42
    words = f"trust vouch --member TW/GOV/xyz --old {old} {written.format(new)} --key {root} --file {file}".split()
    assert cli.main(words) == 0
    assert f"1 signatures, {old} -> {new}" in capsys.readouterr().out


def test_values_with_a_hyphen_stay_with_their_option_and_options_stay_apart() -> None:
    given = ["--json", "--reason", "-later-", "--home", "-h", "--minutes=5", "-x", "one", "-y"]
    assert cli.values_joined(given) == ["--json", "--reason=-later-", "--home", "-h", "--minutes=5", "-x", "one", "-y"]
