"""`smartgov verify` says what it thinks of a file by its exit status, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartgov.engines.troad import home as gateways
from smartgov.engines.trust import Centre
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.site.country import checking


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "root.json").write_bytes(Centre.create(tmp_path / "centre", clock.now()).anchor)
    return folder


@pytest.mark.parametrize("name", ["bundle.json", "log.archive.jsonl.gz"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}", b"\x1f\x8b\x08\x00"])
def test_what_is_no_evidence_is_invalid(
    tmp_path: Path, anchors: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert checking.verify(tmp_path / name, tmp_path, anchors) == 1
    said = capsys.readouterr().out
    assert "invalid (form)" in said
    assert "不可採信" in said, "what the verdict means"
    assert "Fetch it again" in said, "what the word behind it means, and what to do"
    assert checking.verify(tmp_path / name, tmp_path) == 2, "nothing is trusted without anchors"


def test_what_is_not_there_is_said_in_words(tmp_path: Path, anchors: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    for what, trusted in ((tmp_path / "no.json", anchors), (tmp_path / "bundle.json", tmp_path / "nowhere")):
        with pytest.raises(Problem) as missing:
            checking.verify(what, tmp_path, trusted)
        assert missing.value.slug == "file-missing"


def test_a_log_that_is_not_there_or_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    gateways.create(tmp_path, member="TW/GOV/xyz", port=1, local_port=2, subsystems={})
    with pytest.raises(Problem, match="file-missing"):
        checking.verify(tmp_path, tmp_path)
    (tmp_path / "log.sqlite3").write_bytes(b"no database at all" * 1000)
    with pytest.raises(Problem, match="log-unreadable") as unreadable:
        checking.verify(tmp_path, tmp_path)
    assert "log.sqlite3" in unreadable.value.what.zh
