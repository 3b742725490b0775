"""`smartgov verify`: is this certificate sealed and unaltered, is this gateway's log whole?"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from smartgov.engines.ledger.log import Log
from smartgov.engines.pki import certificates, signing
from smartgov.engines.troad import archive_check, soundness, verification
from smartgov.engines.troad import home as gateways
from smartgov.engines.troad import reasons as meanings
from smartgov.engines.troad.verification import Verdict
from smartgov.engines.trust import Pins
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.site.country.centre import seal_authority

_VERDICTS = {
    Verdict.VALID: Text("valid", "有效"),
    Verdict.INVALID: Text("invalid", "無效"),
    Verdict.VALID_UNTIMESTAMPED: Text("valid-untimestamped", "有效，時間未獲證明"),
    Verdict.UNKNOWN_STATUS: Text("unknown-status", "狀態不明"),
}


def verify(what: Path, home: Path, anchors: Path | None = None) -> int:
    """Check a PDF against the country's authority, an evidence bundle against the folder `anchors`, or a gateway's log.

    0 when it holds, 1 when it does not; for a bundle also 3 (valid-untimestamped) and 4 (unknown-status).
    """
    if not what.exists():
        raise _missing(what)
    if what.suffix in {".json", ".gz"}:
        return _verify_evidence(what, anchors)
    return _verify_pdf(what, home) if what.is_file() else _verify_log(what)


def _verify_pdf(pdf: Path, home: Path) -> int:
    if not pdf.read_bytes().lstrip().startswith(b"%PDF"):
        raise _strange(pdf)
    if not (seal_authority(home) / "ca.crt").exists():
        raise _missing(seal_authority(home) / "ca.crt")
    root = certificates.from_pem((seal_authority(home) / "ca.crt").read_bytes())
    times = home / "timestamp" / "root.pem"
    stamped = (certificates.from_pem(times.read_bytes()),) if times.exists() else ()
    # Nothing is asked over a network: news of revocation is what the document itself carries.
    trust = signing.Trust((root,), stamped, without_news=(root,))
    report = signing.check_pdf(pdf.read_bytes(), trust, at=clock.now())
    for one in report.signatures if report.valid else ():
        _say(Text(f"Sealed by {one.organisation}, unaltered ({one.level}).", f"由{one.organisation}簽章，未經更動。"))
    for problem in report.problems:
        _say(signing.PROBLEMS[problem])
    return 0 if report.valid else 1


def _verify_evidence(file: Path, anchors: Path | None) -> int:
    if anchors is None:
        _say(Text("--anchors says whom to trust; without it nothing can be checked.", "請以 --anchors 指定信任來源。"))
        return 2
    if not (anchors / "root.json").exists():
        raise _missing(anchors / "root.json")
    try:
        Pins.read(anchors)
    except ValueError:
        told = Text("members.json among the anchors has another form.", "信任來源中的 members.json 格式不符。")
        _say(told)
        return 2
    finding = archive_check.verify(file, anchors) if file.suffix == ".gz" else _bundle(file, anchors)
    text = _VERDICTS[finding.verdict]
    reasons = f" ({', '.join(finding.reasons)})" if finding.reasons else ""
    _say(Text(f"{text.en}{reasons}", text.zh))
    for told in (meanings.VERDICTS[finding.verdict], *map(meanings.meaning, finding.reasons)):
        _say(told)
    return int(finding.verdict)


def _missing(path: Path) -> Problem:
    return Problem(
        "file-missing",
        404,
        what=Text(f"There is no {path}.", f"找不到 {path}。"),
        todo=Text(
            "See whether the path is right; `root.json` is at the centre's /exchange/trust/root.json.",
            "請確認路徑；`root.json` 位於管理中心 /exchange/trust/root.json。",
        ),
    )


def _strange(path: Path) -> Problem:
    return Problem(
        "file-strange",
        422,
        what=Text(f"{path} is nothing that can be verified.", f"{path} 不是可驗證的檔案。"),
        why=Text(
            "It is no PDF, no bundle (.json), no archive (.jsonl.gz) and no home folder of a gateway.",
            "不是 PDF、證據檔（.json）、歸檔檔案（.jsonl.gz），也不是閘道資料夾。",
        ),
        todo=Text("Name one of these; a bundle's name ends in .json.", "請指定上述之一；證據檔副檔名須為 .json。"),
    )


def _bundle(file: Path, anchors: Path) -> verification.Finding:
    try:
        text = file.read_text()
    except ValueError:  # no UTF-8
        text = ""
    return verification.verify_text(text, anchors)


def _verify_log(folder: Path) -> int:
    gateway, file = gateways.load(folder), folder / "log.sqlite3"
    if not file.exists():
        raise _missing(file)
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        log = Log(connection, gateway.gateway, gateway.log_key())
        connection.execute("PRAGMA mmap_size=1099511627776")
        damaged, size, archived = log.verify_stored(), log.size(), log.archived()
    except sqlite3.DatabaseError as error:
        raise soundness.unreadable(file, error) from None
    finally:
        connection.close()
    if damaged == [-1]:
        told = "the tree or a head was altered; no single record can be named"
        _say(Text(f"{gateway.gateway}: {told}.", f"{gateway.gateway}：雜湊樹或檢查點遭更動，無法指出單筆。"))
        return 1
    if damaged:
        listed = ", ".join(map(str, damaged[:20]))
        _say(Text(f"{gateway.gateway}: altered records {listed}.", f"{gateway.gateway}：紀錄遭更動，編號 {listed}。"))
        return 1
    _say(Text(f"{gateway.gateway}: {size} records, whole.", f"{gateway.gateway}：{size} 筆紀錄，完整無缺。"))
    if archived:
        _say(Text(f"The first {archived} of them are in archives.", f"其中前 {archived} 筆存於歸檔。"))
    return 0


def _say(text: Text) -> None:
    sys.stdout.write(f"{text.zh} {text.en}\n")
