"""What the figures were taken on, and how CPU is counted."""

from __future__ import annotations

import os
import platform
import ssl
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("django", "granian", "uvloop", "httptools", "cryptography", "numpy")
_TICK = os.sysconf("SC_CLK_TCK")


def describe() -> list[str]:
    """Hardware, versions and the load at the start, as lines."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    return [
        f"machine   {os.cpu_count()} x {model}, {int(memory) // 1024} MB",
        f"system    {platform.platform()}, Python {platform.python_version()} ({_build()}), {ssl.OPENSSL_VERSION}",
        "libraries " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        f"load      {os.getloadavg()[0]:.2f} at the start (over 0.5: do not quote absolutes)",
    ]


def _build() -> str:
    """How the interpreter was built, as far as it says: a plain build costs a third more (docs/decisions/0069)."""
    if sys.base_prefix == "/usr":
        return "the system's"
    optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "built with optimizations" if optimized else "a plain build: not the figures that we claim"


def cpu_seconds(pids: list[int]) -> float:
    """User and system CPU seconds of these processes and of the children they have reaped."""
    return sum(_cpu(pid) for pid in pids)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:15]) / _TICK


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of one process: of its first thread (in ours that of connections), of its others, in the kernel."""

    first: float
    others: float
    kernel: float

    @property
    def whole(self) -> float:
        """All of it."""
        return self.first + self.others

    def __sub__(self, before: Spent) -> Spent:
        return Spent(self.first - before.first, self.others - before.others, self.kernel - before.kernel)


def spent(pid: int) -> Spent:
    """What a process has spent until now, with the children that it has reaped."""
    first = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    whole = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = sum(int(value) for value in first[11:13]) / _TICK
    return Spent(seconds, _cpu(pid) - seconds, (int(whole[12]) + int(whole[14])) / _TICK)


def pss_megabytes(pid: int) -> float:
    """Proportional set size of a process: its own pages and its share of shared ones."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def filesystem(path: Path) -> str:
    """The kind of file system that holds `path`: on tmpfs an fsync costs nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(point, kind) for point, kind in mounts if path.resolve().is_relative_to(point)]
    return max(inside, key=lambda mount: len(mount[0]))[1]


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return sorted(children + [below for child in children for below in descendants(child)])
