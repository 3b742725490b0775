"""A backup holds the whole home, opens with its passphrase only, and never overwrites."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smartgov.engines.troad import backup
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.sealing import PART, Opener, Sealer
from smartgov.shared.problems import Problem

PASSPHRASE = "long enough to be one"
HEAD, SEALED = 32, PART + 16
"""Bytes before the first part, and of each part but the last."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(backup, "COST", 2**10)
    homes.create(tmp_path / "home", member="a", port=1, local_port=2, subsystems={"s": {}})
    with closing(sqlite3.connect(tmp_path / "home" / "log.sqlite3")) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (7)")
        db.commit()
        yield tmp_path / "home"


def refused(act: object, *arguments: object) -> str:
    assert callable(act)
    with pytest.raises(Problem) as caught:
        act(*arguments)
    assert caught.value.slug == "backup-unusable"
    return caught.value.why.en


def test_what_was_saved_comes_back(home: Path, tmp_path: Path) -> None:
    assert backup.save(home, tmp_path / "b", PASSPHRASE) == (tmp_path / "b").stat().st_size
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    backup.restore(tmp_path / "b", tmp_path / "again", PASSPHRASE)
    again = tmp_path / "again"
    assert homes.describe(again) == homes.describe(home)
    assert homes.secret(again, "s") == homes.secret(home, "s")
    assert again.stat().st_mode & 0o077 == 0
    assert (again / backup.RESTORED).exists()
    with closing(sqlite3.connect(again / "log.sqlite3")) as db:
        assert db.execute("SELECT x FROM t").fetchall() == [(7,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "b", "home"]


def test_keys_do_not_stand_in_the_file(home: Path, tmp_path: Path) -> None:
    backup.save(home, tmp_path / "b", PASSPHRASE)
    assert b"PRIVATE KEY" not in (tmp_path / "b").read_bytes()


DAMAGES = [
    lambda b: b[:-1],
    lambda b: b[:-1] + bytes([b[-1] ^ 1]),
    lambda b: b"x" + b,
    lambda b: b[:40],
    lambda b: b[: HEAD + SEALED],
    lambda b: b[:HEAD] + b[HEAD + SEALED :],
    lambda b: b[:HEAD] + b[HEAD + SEALED : HEAD + 2 * SEALED] + b[HEAD : HEAD + SEALED] + b[HEAD + 2 * SEALED :],
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_restores_nothing(home: Path, tmp_path: Path, damage: object) -> None:
    (home / "contracts").mkdir(exist_ok=True)
    (home / "contracts" / "large").write_bytes(bytes(3 * PART))
    backup.save(home, tmp_path / "b", PASSPHRASE)
    assert callable(damage)
    (tmp_path / "b").write_bytes(damage((tmp_path / "b").read_bytes()))
    refused(backup.restore, tmp_path / "b", tmp_path / "again", PASSPHRASE)
    assert not (tmp_path / "again").exists()


def test_a_wrong_passphrase_a_full_folder_and_a_short_passphrase(home: Path, tmp_path: Path) -> None:
    backup.save(home, tmp_path / "b", PASSPHRASE)
    assert "passphrase" in refused(backup.restore, tmp_path / "b", tmp_path / "again", "another passphrase")
    assert "not empty" in refused(backup.restore, tmp_path / "b", home, PASSPHRASE)
    assert "fewer" in refused(backup.save, home, tmp_path / "c", "short")
    assert "no gateway" in refused(backup.save, tmp_path / "none", tmp_path / "c", PASSPHRASE)


def archive(*members: tuple[str, dict[str, object]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, more in members:
            info = tarfile.TarInfo(name)
            info.size = 1
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


STRANGE = [
    ("../outside", {}),
    ("a/../../outside", {}),
    ("/outside", {}),
    (".", {}),
    ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0}),
    ("link", {"type": tarfile.LNKTYPE, "linkname": "../outside", "size": 0}),
    ("device", {"type": tarfile.CHRTYPE, "size": 0}),
    ("pipe", {"type": tarfile.FIFOTYPE, "size": 0}),
    ("folder", {"type": tarfile.DIRTYPE, "size": 0}),
]


@pytest.mark.parametrize("member", STRANGE, ids=lambda member: member[0])
def test_an_archive_with_more_than_plain_files_below_the_folder_restores_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: tuple[str, dict[str, object]]
) -> None:
    monkeypatch.setattr(backup, "_archive", lambda _, out, __: out.write(archive(("gateway.yaml", {}), member)))
    backup.save(home, tmp_path / "b", PASSPHRASE)
    assert repr(member[0]) in refused(backup.restore, tmp_path / "b", tmp_path / "again", PASSPHRASE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "home"]


@pytest.mark.parametrize(
    "plain",
    [
        b"no archive",
        archive(("gateway.yaml", {}))[:60],
        archive(("gateway.yaml", {}), ("gateway.yaml", {})),
        archive(("a", {}), ("a/b", {})),
    ],
    ids=["no-archive", "cut-short", "twice", "below-a-file"],
)
def test_an_archive_that_cannot_be_unpacked_restores_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: bytes
) -> None:
    monkeypatch.setattr(backup, "_archive", lambda _, out, __: out.write(plain))
    backup.save(home, tmp_path / "b", PASSPHRASE)
    assert "unpacked" in refused(backup.restore, tmp_path / "b", tmp_path / "again", PASSPHRASE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "home"]


def test_what_comes_back_is_for_its_owner_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gateway.yaml").chmod(0o644)
    backup.save(home, tmp_path / "b", PASSPHRASE)
    backup.restore(tmp_path / "b", tmp_path / "again", PASSPHRASE)
    open_ones = [path for path in (tmp_path / "again").rglob("*") if path.stat().st_mode & 0o077]
    assert not open_ones


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5])
def test_a_sealed_stream_is_what_was_written_however_it_is_cut(size: int) -> None:
    content, key = os.urandom(size), os.urandom(32)
    for step in (1000, PART, 3 * PART):
        out = io.BytesIO()
        sealer = Sealer(out, key, b"bound")
        for at in range(0, size, step):
            sealer.write(content[at : at + step])
        sealer.close()
        assert len(out.getvalue()) == size + 16 * max(1, -(-size // PART))
        for take in (777, PART, 4 * PART):
            opener = Opener(io.BytesIO(out.getvalue()), key, b"bound")
            assert b"".join(iter(lambda opener=opener, take=take: opener.read(take), b"")) == content
        with pytest.raises(ValueError, match="another"):
            Opener(io.BytesIO(out.getvalue()), key, b"other").read(size + 1)


_MEASURED = """
import resource, sys
from pathlib import Path
from smartgov.engines.troad import backup
backup.COST = 2**10
home, to = map(Path, sys.argv[1:])
backup.save(home, to / "b", "long enough to be one")
backup.restore(to / "b", to / "again", "long enough to be one", to / "none")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_a_log_may_be_larger_than_memory(home: Path, tmp_path: Path) -> None:
    """Before, all of it was held at once, several times, and from 2 GiB on AES-GCM refused it."""

    def measured(megabytes: int) -> int:
        with closing(sqlite3.connect(home / "log.sqlite3")) as db, db:
            db.executemany("INSERT INTO t VALUES (?)", ((os.urandom(2**20),) for _ in range(megabytes)))
        to = tmp_path / str(megabytes)
        to.mkdir()
        run = [sys.executable, "-c", _MEASURED, str(home), str(to)]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert (to / "b").stat().st_size > megabytes * 2**20
        assert (to / "again" / "log.sqlite3").stat().st_size > megabytes * 2**20
        return int(done.stdout)

    small = measured(2)
    assert measured(150) - small < 20
