"""Preparing a web process, within its environment: `python -m smartgov.site.supervise.database DIR [VERB]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType


def prepare(home: Path) -> None:
    """Tables, static files, the people of the country; at the centre, the register of T-Road.

    Words of pages need nothing here: each start compiles those that are stale.
    """
    call_command = _django()
    _create_missing()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("seed_country", home=home)
    if _exchange().is_centre():
        from smartgov.site.country import registering

        registering.register(home)


def publish(home: Path) -> None:
    """Sign the configuration of T-Road anew: for a country that has slept longer than it is in force."""
    _django()
    exchange = _exchange()
    exchange.publish(actor=exchange.PUBLISHER)


def announce(home: Path) -> None:
    """The births of the last weeks; a site without the agencies' side has no hospitals."""
    call_command = _django()
    from django.conf import settings

    if "cases" in settings.BLOCKS:
        call_command("announce_births", home=home)


def _create_missing() -> None:
    """An agency apart has a database of its own; on PostgreSQL somebody has to make it."""
    from django.db import OperationalError, connection

    if connection.vendor != "postgresql":
        return
    try:
        connection.ensure_connection()
    except OperationalError:
        name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")


def _exchange() -> ModuleType:
    from smartgov.blocks.exchange import api

    return api


def _django() -> Callable[..., object]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
    import django
    from django.core.management import call_command

    django.setup()
    return call_command


if __name__ == "__main__":
    verbs = {verb.__name__: verb for verb in (prepare, publish, announce)}
    verbs[sys.argv[2]](Path(sys.argv[1]))
