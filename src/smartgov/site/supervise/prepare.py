"""Making the database of a web process ready: tables, people, static files; not again while nothing changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import smartgov
from smartgov.shared import clock
from smartgov.site.country import centre
from smartgov.site.supervise.programs import Web, environment, python

_WATCHED = ("migrations/*.py", "static/**/*", "locale/**/*.po", "content/tw/**/*.yaml")
_SOON = timedelta(minutes=5)


def prepare(home: Path, web: Web) -> bool:
    """Prepare the database of `web` if code, content, country or database changed since the last time; whether it did.

    Raises RuntimeError with the output of the failing step.
    """
    stamp = home / f"prepared{web.suffix}.json"
    state = _fingerprint(home, web)
    if stamp.exists() and json.loads(stamp.read_text()) == state and _has_database(home, web):
        return False
    _run("preparing the database", python("smartgov.site.supervise.database", home, "prepare"), web)
    stamp.write_text(json.dumps(state))
    return True


def renew(home: Path, web: Web) -> bool:
    """Publish T-Road's configuration if the last one ends now; whether it did. `web` is the process of the centre.

    The worker publishes by itself, but gateways start with what lies in their homes.
    """
    expires = centre.expires_at(home)
    if expires is not None and expires > clock.now() + _SOON:
        return False
    _run("publishing", python("smartgov.site.supervise.database", home, "publish"), web)
    return True


def announce(home: Path, web: Web) -> bool:
    """Let the health agency's system announce the demo's fresh births, once in the life of a country; whether it did.

    `web` is the process that serves the health agency; it and the gateways must be up.
    """
    stamp = home / "announced.json"
    database = sha256(web.environment.get("SMARTGOV_DATABASE_URL", "").encode()).hexdigest()
    if stamp.exists() and json.loads(stamp.read_text()) == database:
        return False
    _run("announcing births", python("smartgov.site.supervise.database", home, "announce"), web)
    stamp.write_text(json.dumps(database))
    return True


def _run(what: str, command: tuple[str, ...], web: Web) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment(web.environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{what} failed\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _fingerprint(home: Path, web: Web) -> dict[str, str]:
    digest = sha256()
    for path in _watched():
        stat = path.stat()
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    database = web.environment.get("SMARTGOV_DATABASE_URL", "")
    return {
        "files": digest.hexdigest(),
        "home": str(home),
        "gateways": _gateways(home),
        "database": sha256(database.encode()).hexdigest(),
    }


def _gateways(home: Path) -> str:
    """What the centre registers of gateways: their settings and TLS keys; certificates are renewed every few days."""
    digest = sha256()
    for path in sorted([*home.glob("gateways/*/gateway.yaml"), *home.glob("gateways/*/keys/tls.key")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _watched() -> Iterator[Path]:
    root = Path(smartgov.__file__).parent
    for pattern in _WATCHED:
        yield from sorted(root.glob(f"**/{pattern}"))


def _has_database(home: Path, web: Web) -> bool:
    if web.environment.get("SMARTGOV_DATABASE_URL"):
        return True
    return (home / web.environment.get("SMARTGOV_DATABASE_NAME", "web.sqlite3")).exists()
