"""What the verbs of `smartgov gateway` say when something is not there."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import pytest

from smartgov import cli
from smartgov.engines.httpd.client import NotSentError
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import centre_door, commands, looking_after
from smartgov.engines.troad.joining.joined import not_joined
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

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


def test_a_gateway_that_has_not_joined_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    homes.create(
        tmp_path,
        member="TW/GOV/xyz",
        code="gw1",
        host="127.0.0.1",
        port=1,
        local_port=2,
        subsystems={"cases": {}},
    )
    assert not_joined(tmp_path) is not None

    async def unknown(options: argparse.Namespace) -> int:
        raise Problem("letter-unknown", 404, what=Text("There is nothing of that name for you.", "查無您所指的項目。"))

    monkeypatch.setattr(looking_after, "renew", unknown)
    with pytest.raises(Problem, match="not-joined"):
        commands.main(["renew", "--home", str(tmp_path)])


def test_a_centre_that_is_away_is_said_without_the_name_of_a_class() -> None:
    class Nobody:
        async def request(self, *arguments: object, **options: object) -> object:
            raise NotSentError("no")

    with pytest.raises(Problem) as caught:
        asyncio.run(centre_door.CentreDoor(Nobody(), "http://127.0.0.1:1").bundle())  # type: ignore[arg-type]
    assert "nothing listens there" in caught.value.why.en
    assert "Error" not in caught.value.why.en


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
