"""ARX as the judge of our optimum: compiling it from its own sources, and running it once on a table.

ARX (arx-deidentifier/arx, Apache-2.0) is a tool of its own and no part of this repository. `SMARTGOV_PEERS/arx` is a
clone of it. Its core compiles with a JDK and the jars that it ships; three of its libraries are too large to be
shipped, so what needs them is left out: the PDF certificate (two files), and three types that are only named are
stubbed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HEAP = "3g"
_LEFT_OUT = ("certificate/ARXCertificate.java", "certificate/resources/Watermark.java")
_STUBS = {
    "org/apache/pdfbox/pdmodel/font/PDFont": "public class PDFont {}",
    "org/apache/hadoop/io/Writable": "public interface Writable {}",
    "org/apache/hadoop/io/WritableComparable": "public interface WritableComparable<T> extends Writable {}",
}


def folder() -> Path | None:
    """The clone, when it is there and a JDK to compile it; else None."""
    peers = os.environ.get("SMARTGOV_PEERS", "")
    found = Path(peers) / "arx"
    return found if peers and (found / "src/main/org/deidentifier").is_dir() and shutil.which("javac") else None


def compiled(arx: Path) -> str:
    """The class path of ARX and our driver; both are compiled when they are not yet there (a minute, once)."""
    classes, driver = arx / "classes", arx / "driver"
    if not (classes / "org/deidentifier/arx/ARXAnonymizer.class").exists():
        _compile_core(arx, classes)
    source = Path(__file__).with_name("Driver.java")
    path = os.pathsep.join([str(driver), str(classes), *_jars(arx)])
    made = driver / "Driver.class"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        driver.mkdir(exist_ok=True)
        subprocess.run(["javac", "-nowarn", "-d", driver, "-cp", path, source], check=True)
    return path


def run(path: str, words: Sequence[object]) -> dict[str, Any]:
    """What the driver prints; `words` are its arguments."""
    done = subprocess.run(
        ["java", f"-Xmx{HEAP}", "-cp", path, "Driver", *map(str, words)], check=True, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_all(path: str, lines: Sequence[Sequence[object]]) -> list[dict[str, Any]]:
    """What the driver prints for each line of arguments, in one process: starting one takes longer than a case."""
    asked = "".join("\t".join(map(str, words)) + "\n" for words in lines)
    command = ["java", f"-Xmx{HEAP}", "-cp", path, "Driver", "-"]
    done = subprocess.run(command, check=True, input=asked, stdout=subprocess.PIPE, text=True)
    return [dict(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def _jars(arx: Path) -> list[str]:
    """The jars that it ships, but for those of its windows."""
    return sorted(str(jar) for jar in (arx / "lib/ant").rglob("*.jar") if not {"eclipse", "swtchart"} & set(jar.parts))


def _compile_core(arx: Path, classes: Path) -> None:
    print("compiling ARX ...", flush=True)
    sources = [s for s in (arx / "src/main").rglob("*.java") if not s.as_posix().endswith(_LEFT_OUT)]
    with tempfile.TemporaryDirectory() as name:
        for stub, body in _STUBS.items():
            file = Path(name) / f"{stub}.java"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"package {stub.rpartition('/')[0].replace('/', '.')};\n{body}\n")
        # Into a folder of its own first, so that a broken compilation leaves nothing that looks complete.
        part = Path(name) / "classes"
        part.mkdir()
        listed = Path(name) / "sources"
        listed.write_text("\n".join(map(str, sources)))
        command = ["javac", "-nowarn", "-encoding", "UTF-8", "-d", part, "-cp", os.pathsep.join(_jars(arx))]
        subprocess.run([*command, "-sourcepath", name, f"@{listed}"], check=True)
        for file in (arx / "src/main").rglob("*.*"):
            if file.is_file() and file.suffix not in {".java", ".html"}:
                target = part / file.relative_to(arx / "src/main")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        shutil.copytree(part, classes, dirs_exist_ok=True)
