"""Where the content of a jurisdiction lies, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1] / "content" / "tw"


# libyaml reads seven times faster; the wheels have it, a build from source may not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str) -> Any:
    """The value of a YAML document; only plain data, never objects. `yaml.YAMLError` when it is malformed."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders


def read(path: str | Path) -> Any:
    """A YAML file below the jurisdiction's folder (or an absolute path)."""
    return parse((ROOT / path).read_text(encoding="utf-8"))


def names(folder: str) -> list[str]:
    """The stems of the YAML files of a folder, sorted."""
    return sorted(path.stem for path in (ROOT / folder).glob("*.yaml"))
