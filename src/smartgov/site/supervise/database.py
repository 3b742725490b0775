"""Preparing a web process, within its environment: `python -m smartgov.site.supervise.database DIR [announce]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path


def prepare(home: Path) -> None:
    """Words, tables, static files, and the people of the country."""
    from smartgov.site import messages

    messages.main(["compile"])
    call_command = _django()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("seed_country", home=home)


def announce(home: Path) -> None:
    """The births of the last weeks; a site without the agencies' side has no hospitals."""
    call_command = _django()
    from django.conf import settings

    if "cases" in settings.BLOCKS:
        call_command("announce_births", home=home)


def _django() -> Callable[..., object]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
    import django
    from django.core.management import call_command

    django.setup()
    return call_command


if __name__ == "__main__":
    verb = announce if sys.argv[2:] == ["announce"] else prepare
    verb(Path(sys.argv[1]))
