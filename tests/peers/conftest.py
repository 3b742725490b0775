"""Where the peers' suites lie; every test whose suite is absent says NOT RUN."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smartgov.shared import settings


@pytest.fixture
def suite() -> Callable[[str], str]:
    """`suite("rfc9421.xml")`: the text of one file of the folder; the test is skipped when it is not there."""

    def read(name: str) -> str:
        folder = settings.get("SMARTGOV_PEERS")
        file = Path(folder) / name
        if not folder or not file.is_file():
            pytest.skip(f"NOT RUN: SMARTGOV_PEERS has no {name}")
        return file.read_text(encoding="utf-8")

    return read
