"""Boot the site once for each set of settings: `python boots.py JSON` (a list of objects) prints what failed, and how.

What every boot imports, and no setting changes, is imported once; then each boot is a process of its own, forked from
here. That takes a third of the time of starting from nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import tempfile
import traceback
from collections.abc import Mapping

import smartgov.engines
import smartgov.shared

OUTSIDE = ("django.core.management", "django.template.loader", "django.forms", "pydantic", "webauthn", "fido2", "segno")


def warm() -> None:
    """Import what knows no setting."""
    for name in OUTSIDE:
        importlib.import_module(name)
    for package in (smartgov.shared, smartgov.engines):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    early = [name for name in sys.modules if name.startswith(("smartgov.site", "smartgov.blocks"))]
    assert not early, f"imported before the settings are known: {early}"


def boots(variables: Mapping[str, str]) -> str:
    """The traceback of a boot under these variables in a process of its own; empty when it came up."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as told:
            told.write(_boot(variables))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        found = said.read()
    _, status = os.waitpid(child, 0)
    return found or ("" if status == 0 else f"ended with {status}")


def _boot(variables: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({"SMARTGOV_HOME": home, **variables})
        try:
            import django
            from django.core.management import call_command

            django.setup()
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - no file of ours
                call_command("check", stdout=nowhere)
        except BaseException:
            return traceback.format_exc()
    return ""


if __name__ == "__main__":
    warm()
    failed = {json.dumps(one): said for one in json.loads(sys.argv[1]) if (said := boots(one))}
    print(json.dumps(failed))
