import sqlite3
from datetime import date

import pytest

from smartgov.engines.apigen import build
from smartgov.shared.tw.national_id import urn

from .conftest import DESCRIPTION, MOTHER, ROWS


def test_the_file_and_the_secret_belong_to_their_owner(home):
    for name in ("register.sqlite3", "secrets/gateway"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o077 == 0


def test_rows_may_hold_python_values(tmp_path):
    rows = {"people": [{"national_id": urn(MOTHER), "name": "林", "birth_date": date(1995, 3, 1), "married": False}]}
    build.create_register(tmp_path / "r", DESCRIPTION, rows, port=22001)
    with sqlite3.connect(tmp_path / "r" / "register.sqlite3") as connection:
        [(row_id, person, born, married)] = connection.execute(
            "SELECT id, national_id, birth_date, married FROM people"
        )
    assert (person, born, married) == (MOTHER, "1995-03-01", 0)
    assert row_id
    assert "port: 22001" in (tmp_path / "r" / "register.yaml").read_text()
    assert len((tmp_path / "r" / "secrets" / "gateway").read_text()) >= 32


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"national_id": "A123"}, "people, row 1: column national_id"),
        ({"shoe": 1}, "unknown columns"),
        ({"sex": "x"}, "sex"),
    ],
)
def test_a_wrong_row_leaves_nothing_behind(tmp_path, row, says):
    with pytest.raises(ValueError, match=says):
        build.create_register(tmp_path / "r", DESCRIPTION, {"people": [row]})
    assert list(tmp_path.iterdir()) == []


def test_an_existing_register_is_never_overwritten(home):
    with pytest.raises(FileExistsError):
        build.create_register(home, DESCRIPTION, ROWS)
    with pytest.raises(ValueError, match="lacks"):
        build.create_register(home.parent / "other", DESCRIPTION, {"ghosts": []})
