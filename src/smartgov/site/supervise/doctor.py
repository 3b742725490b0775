"""What is missing on this machine, and how to mend it."""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.simulators.card import home as cards
from smartgov.site.country import build, centre
from smartgov.site.country.ports import Ports
from smartgov.site.supervise.country import PID_FILE

_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_POSTGRES = Path("/usr/lib/postgresql")
_MODULES = ("django", "ninja", "granian", "uvloop", "httptools", "joserfc", "cryptography", "pyhanko", "typst", "numpy")


@dataclass(frozen=True, slots=True)
class Finding:
    """One question about the machine. `needed` ones stop the demo; the others stop only what the text names."""

    title: Text
    good: bool
    mend: Text
    needed: bool = True


def examine(home: Path, port: int) -> list[Finding]:
    """Every finding, good or bad."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _libraries,
        _fonts,
        _chromium,
        _postgres,
        _softhsm,
        lambda: _ports(home, port),
        lambda: _country(home),
        lambda: pid_file(home),
        lambda: _snapshot(home),
    )
    return [check() for check in checks]


def report(home: Path, port: int) -> int:
    """Print the findings; 1 when something needed is missing."""
    findings = examine(home, port)
    for finding in findings:
        mark = "ok     " if finding.good else ("MISSING" if finding.needed else "absent ")
        print(f"{mark} {finding.title.zh} {finding.title.en}")  # noqa: T201 - this is the verb's output
        if not finding.good:
            print(f"        {finding.mend.zh} {finding.mend.en}")  # noqa: T201
    return 1 if any(finding.needed and not finding.good for finding in findings) else 0


def is_running(home: Path) -> bool:
    """Whether a supervisor holds the lock of this home."""
    try:
        with (home / PID_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    mend = Text("Install Python 3.11 or later.", "請安裝 Python 3.11 以上版本。")
    return Finding(Text(f"Python {found}", "Python"), sys.version_info >= (3, 11), mend)


def _libraries() -> Finding:
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    title = Text("Python libraries", "Python 套件")
    mend = Text(f"Not found: {', '.join(missing)}. Run `make demo`.", f"缺少 {'、'.join(missing)}，請執行 make demo。")
    return Finding(title, not missing, mend)


def _debian(package: str, title: Text, *, there: bool, needed: bool) -> Finding:
    command = f"sudo apt-get install -y --no-install-recommends {package}"
    return Finding(title, there, Text(f"Run: {command}", "請執行："), needed)


def _fonts() -> Finding:
    title = Text("fonts-noto-cjk (certificates)", "中文字型（電子證書）")
    return _debian("fonts-noto-cjk", title, there=_FONT.exists(), needed=True)


def _chromium() -> Finding:
    title = Text("chromium (journey tests and screenshots)", "瀏覽器（旅程測試與截圖）")
    return _debian("chromium", title, there=shutil.which("chromium") is not None, needed=False)


def _postgres() -> Finding:
    title = Text("postgresql (tests on PostgreSQL)", "資料庫（PostgreSQL 測試）")
    return _debian("postgresql", title, there=any(_POSTGRES.glob("*/bin/initdb")), needed=False)


def _softhsm() -> Finding:
    title = Text("softhsm2 (cards of the demo, tests of hardware keys)", "軟體 HSM（示範卡片與硬體金鑰測試）")
    return _debian("softhsm2", title, there=cards.library() is not None, needed=False)


def _ports(home: Path, port: int) -> Finding:
    taken = [] if is_running(home) else Ports(port).taken()
    listed = ", ".join(map(str, taken[:6]))
    mend = Text(
        f"In use: {listed}. Give another base with --port.", f"已被使用：{listed}。請以 --port 指定其他起始埠。"
    )
    return Finding(Text(f"ports from {port}", "連接埠"), not taken, mend)


def _country(home: Path) -> Finding:
    title = Text(f"a country in {home}", "模擬國家")
    return Finding(title, build.is_raised(home), Text("`make demo` raises it.", "make demo 會建立。"), needed=False)


def pid_file(home: Path) -> Finding:
    """Whether an ended run left its pid file behind; one that is held belongs to a running country."""
    stale = (home / PID_FILE).exists() and not is_running(home)
    mend = Text("A run ended without a word; the next one clears it.", "上次執行未正常結束；下次啟動會清除。")
    return Finding(Text("no stale pid file", "沒有殘留的程序檔"), not stale, mend, needed=False)


def _snapshot(home: Path) -> Finding:
    expires = centre.expires_at(home)
    good = expires is None or expires > clock.now()
    mend = Text(
        "`smartgov publish` signs it anew; starting does it too.", "請執行 smartgov publish；啟動時也會重新簽發。"
    )
    return Finding(Text("configuration of T-Road in force", "T-Road 組態有效"), good, mend, needed=False)
