"""What has to do with the database is tested on both: nothing of it lies outside the second run's folders."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ASKS = re.compile(r"SMARTGOV_DATABASE_URL|django_db|django\.db|psycopg")


def second_run() -> list[str]:
    """The folders that `scripts/test.sh` runs on PostgreSQL, as bash reads them."""
    line = next(
        line for line in (ROOT / "scripts" / "test.sh").read_text().splitlines() if line.startswith("database=(")
    )
    told = subprocess.run(
        ["bash", "-c", f'{line}; echo "${{database[@]}}"'], capture_output=True, text=True, check=True
    )
    return told.stdout.split()


def test_every_test_that_asks_a_database_runs_on_both() -> None:
    folders = [ROOT / folder for folder in second_run()]
    assert all(folder.is_dir() for folder in folders)
    asking = [
        path
        for path in (ROOT / "src").rglob("tests/**/*.py")
        if _ASKS.search(path.read_text()) and not any(path.is_relative_to(folder) for folder in folders)
    ]
    assert not asking, "runs on SQLite only"
