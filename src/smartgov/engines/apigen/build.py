"""Making the home folder of a register."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from smartgov.engines.apigen.config import RegisterConfig, Table, parse
from smartgov.engines.apigen.store import FILE, Row, create_file
from smartgov.engines.apigen.values import built_value
from smartgov.engines.pki.keys import write_secret
from smartgov.shared import ids


def create_register(
    home: Path | str,
    config: RegisterConfig | Mapping[str, Any],
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    *,
    port: int | None = None,
    secret: str | None = None,
) -> RegisterConfig:
    """Make a register in `home`: description, shared secret of its gateway (random unless given), file with `rows`.

    Whole or not at all: everything is built beside `home` and moved there. FileExistsError when there is a register
    already; ValueError names the table, row number and column of a value that does not fit, without the value.
    """
    home, register = Path(home), parse(config)
    if (home / FILE).exists():
        raise FileExistsError(home / FILE)
    if strange := set(rows) - set(register.tables):
        raise ValueError(f"rows for tables that the register lacks: {sorted(strange)}")
    home.parent.mkdir(parents=True, exist_ok=True)
    building = home.with_name(f".{home.name}.{ids.uuid7()}")
    building.mkdir(mode=0o700)
    try:
        register = _write(building, register, rows, port, secret)
        if home.is_dir():
            home.rmdir()  # an empty folder may stand there; anything else is an error
        building.rename(home)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return register


def _write(
    home: Path,
    register: RegisterConfig,
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    port: int | None,
    secret: str | None,
) -> RegisterConfig:
    source = {**register.source, "port": register.port if port is None else port, "secret_file": register.secret_file}
    (home / "register.yaml").write_text(yaml.safe_dump(source, allow_unicode=True, sort_keys=False), encoding="utf-8")
    write_secret(home / register.secret_file, (secret or secrets.token_urlsafe(32)).encode())
    stored = {name: _built_rows(register.tables[name], given) for name, given in rows.items()}
    create_file(home / FILE, register, stored)
    return parse(source)


def _built_rows(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    for number, row in enumerate(rows, start=1):
        if strange := set(row) - set(table.columns):
            raise ValueError(f"{table.name}, row {number}: unknown columns {sorted(strange)}")
        try:
            built = {name: built_value(table.columns[name], value) for name, value in row.items()}
        except ValueError as error:
            raise ValueError(f"{table.name}, row {number}: {error}") from None
        yield {**built, "id": built.get("id") or ids.uuid7()}
