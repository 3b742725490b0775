"""Backup of a gateway's home while it runs, and restoring it: one encrypted file with keys, settings and the log.

The file begins with `troad-backup-v2` and a salt; the rest is a tar archive, sealed part by part (`sealing`) with a key
derived from the passphrase by scrypt (N = 2^17, r = 8, p = 1, RFC 7914): a log may be larger than memory. Whoever has
file and passphrase speaks for the agency. What was erased or taken back after a backup lies beside the home
(`outlasting`) and is done again by a restore.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import outlasting as redo
from smartgov.engines.troad.sealing import PART, Opener, Sealer
from smartgov.shared import clock, content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_MAGIC = b"troad-backup-v2\n"
_SALT = 16
COST = 2**17  # of scrypt; about 130 MB and half a second
_LOG = "log.sqlite3"
RESTORED = "restored.json"
"""A file in a restored home until its gateway has opened a new epoch: the log may lack what came after the backup."""
_MADE = "backed-up-at"
LEAST_PASSPHRASE = 12


def save(home: Path, to: Path, passphrase: str) -> int:
    """Write the backup of `home` to `to` (mode 0600, whole or not at all) and return its bytes.

    The log is copied by SQLite's online backup, so that the gateway goes on; what it records meanwhile may be missing.
    The copy lies beside the file until that is written: the disk needs room for both.
    """
    if not (home / "gateway.yaml").exists():
        raise _unusable("There is no gateway in this folder.", "此資料夾中沒有閘道。")
    if len(passphrase) < LEAST_PASSPHRASE:
        raise _unusable(
            f"The passphrase has fewer than {LEAST_PASSPHRASE} characters.", f"密語少於 {LEAST_PASSPHRASE} 個字元。"
        )
    salt = os.urandom(_SALT)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".backup-") as aside:
        draft = Path(aside) / to.name
        with draft.open("xb") as out:
            draft.chmod(0o600)
            out.write(_MAGIC + salt)
            sealer = Sealer(out, _key(passphrase, salt), _MAGIC)
            _archive(home, sealer, Path(aside))
            sealer.close()
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        draft.replace(to)
    return size


def restore(archive: Path, home: Path, passphrase: str, outlasting: Path | None = None) -> int:
    """Put a backup into `home`, which must be empty; else Problem `backup-unusable`, and nothing is written.

    Erasures and revocations listed in `outlasting` (default: as the home's settings say) are done again before the home
    is in place; returns how many. The gateway opens a new epoch when it starts.
    """
    if home.exists() and any(home.iterdir()):
        raise _unusable("The folder to restore into is not empty.", "還原的目標資料夾不是空的。")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as draft:
        with archive.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise _unusable("The file is not a backup of a gateway.", "檔案不是閘道的備份。")
            _unpack(Opener(file, _key(passphrase, file.read(_SALT)), _MAGIC), Path(draft))
        done = _finish(Path(draft), outlasting or _outlasting(Path(draft), home))
        if home.exists():
            home.rmdir()
        Path(draft).chmod(0o700)
        Path(draft).rename(home)
        Path(draft).mkdir()  # the context manager removes it
    return done


def _unpack(opener: Any, draft: Path) -> None:
    """Write the files of the archive below `draft`, for the owner alone; whatever `save` does not write is refused.

    `opener` is an `Opener`; of a stream tarfile asks only `read`, though its types say more.
    Checked here and not by the filters of `extractall`, which came with Python 3.11.4. Nothing is overwritten and no
    link is made, so that every name leads through folders made here. What was written before a refusal goes with the
    folder.
    """
    try:
        with tarfile.open(fileobj=opener, mode="r|") as tar:
            for member in tar:
                if not _is_ours(member):
                    raise _strange(member.name)
                _write(tar, member, draft / member.name)
        while opener.read(PART):
            pass  # to its end: a backup that was cut off there is damaged too
    except ValueError:
        raise _unusable("The passphrase is wrong, or the file is damaged.", "密語錯誤或檔案損毀。") from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _unusable(f"What the file holds cannot be unpacked: {error}.", f"檔案內容無法解開：{error}。") from None


def _is_ours(member: tarfile.TarInfo) -> bool:
    path = PurePosixPath(member.name)
    plain = member.isreg() and not member.issparse() and "\0" not in member.name
    return plain and bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with to.open("xb") as target:
        to.chmod(0o600)
        shutil.copyfileobj(source, target)


def _strange(name: str) -> Problem:
    return _unusable(
        f"The file holds {name!r}, which is not a plain file below the gateway's folder.",
        f"檔案中的 {name!r} 不是閘道資料夾之下的一般檔案。",
    )


def mark_restored(
    home: Path, backed_up_at: str = "", reapplied: int = 0, entering: Mapping[str, int] | None = None
) -> None:
    """Let the gateway of this home open a new epoch when it starts: its log may lack what others have seen.

    `entering`: it comes with new keys by an offer that puts it in charge of what may happen only once `since` a moment
    (Unix seconds), and `waits` for so long from the moment at which it is listed.
    """
    marker = {"restored_at": clock.now().isoformat(), "backed_up_at": backed_up_at, "reapplied": reapplied}
    said = {**marker, "entering": dict(entering)} if entering else marker
    keys.write_secret(home / RESTORED, json.dumps(said).encode())


def mark_listed(home: Path) -> None:
    """Note that a gateway that enters with new keys is listed now, if it has not begun to work; once is enough."""
    if not (home / RESTORED).exists():
        return
    marker = json.loads((home / RESTORED).read_text())
    if "entering" in marker and "listed" not in marker["entering"]:
        marker["entering"]["listed"] = int(clock.timestamp())
        keys.write_secret(home / RESTORED, json.dumps(marker).encode())


def _finish(draft: Path, listed: Path) -> int:
    try:
        done = redo.reapply(listed, draft / _LOG)
    except (ValueError, KeyError):
        raise _unusable(
            f"{listed} lists what has to be erased again, and cannot be read.",
            f"{listed} 列有須再次銷毀的項目，但無法讀取。",
        ) from None
    made = (draft / _MADE).read_text() if (draft / _MADE).exists() else ""
    (draft / _MADE).unlink(missing_ok=True)
    mark_restored(draft, made, done)
    return done


def _outlasting(draft: Path, home: Path) -> Path:
    return homes.outlasting(home, content.parse((draft / "gateway.yaml").read_text()))


def _archive(home: Path, out: Any, aside: Path) -> None:
    """Write all to the Sealer `out`; of a stream tarfile asks only `write`, though its types say more."""
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for path in sorted(home.rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith((_LOG, RESTORED)):
                tar.add(path, str(path.relative_to(home)))
        made = tarfile.TarInfo(_MADE)
        moment = clock.now().isoformat().encode()
        made.size = len(moment)
        tar.addfile(made, io.BytesIO(moment))
        if (home / _LOG).exists():
            tar.add(_copied(home / _LOG, aside), _LOG)


def _copied(log: Path, folder: Path) -> Path:
    copy = folder / _LOG
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode())


def _unusable(why_en: str, why_zh: str) -> Problem:
    return Problem(
        "backup-unusable",
        422,
        what=Text("The backup was not made or not restored.", "未能備份或還原。"),
        why=Text(why_en, why_zh),
        todo=Text("Nothing was changed; mend it and try again.", "未變更任何資料，請修正後再試。"),
    )
