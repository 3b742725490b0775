"""What the verbs of `smartgov gateway` say when they cannot go on."""

from __future__ import annotations

import argparse
import asyncio
import io
from pathlib import Path

import pytest

from smartgov.engines.httpd.failures import NotSentError
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import operate
from smartgov.engines.troad.gateway import main
from smartgov.engines.troad.joining import centre_door, commands, looking_after
from smartgov.engines.troad.joining.joined import not_joined
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


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


def test_a_backup_without_a_terminal_says_where_the_passphrase_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(operate.PASSPHRASE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Problem, match="passphrase-missing") as caught:
        operate.main(["backup", "--home", str(tmp_path), "--file", str(tmp_path / "file")])
    assert operate.PASSPHRASE in caught.value.todo.zh


def test_a_day_that_is_none_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["archive", "--home", str(tmp_path), "--before", "soon", "--out", str(tmp_path)])
    told = capsys.readouterr().err
    assert "write it as YYYY-MM-DD" in told
    assert "fromisoformat" not in told
