"""The programs of a country: how each is started, and how one sees that it is healthy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import smartgov
from smartgov.shared import content, homes, settings
from smartgov.site.country import means
from smartgov.site.country.centre import seal_authority
from smartgov.site.country.ports import Ports, agencies

WEB, WORKER = "web", "worker"
_PASSED_ON = (
    "SMARTGOV_DATABASE_URL",
    "SMARTGOV_BLOCKS_OFF",
    "SMARTGOV_LANGUAGE",
    "SMARTGOV_LOG_LEVEL",
    "SMARTGOV_DEBUG",
)
_PROBE_SECONDS = 2.0
_MENDED_BY_HAND = frozenset({"urn:smartgov:problem:log-restored", "urn:smartgov:problem:log-unavailable"})
"""With these a gateway refuses until its operator has done something (`engines/troad/soundness.py`)."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, command, environment beyond the machine's, and the question whether it is healthy.

    Programs of a lower `stage` are started, and healthy, before those of a higher one.
    """

    name: str
    command: tuple[str, ...]
    healthy: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Web:
    """A web process with its worker, database and keys; `agency` is set for one that serves a single agency."""

    agency: str | None
    port: int
    environment: dict[str, str]

    @property
    def suffix(self) -> str:
        """What tells the names of its processes apart."""
        return f"-{self.agency}" if self.agency else ""


def programs(home: Path, ports: Ports, *, split: str | None, demo: bool, log: Callable[[str], Path]) -> list[Program]:
    """Every program of the country in `home`; `log` gives the log file of a program's name.

    The page that people open comes first (stage 0), the rest at once after it.
    """
    found = []
    for web in webs(home, ports, split=split, demo=demo):
        found += _web(home, web, log)
    for agency in agencies():
        found.append(_gateway(home, agency, ports))
    for entry in content.read("exchange.yaml")["registers"]:
        found.append(_register(home, entry["agency"], ports))
    return [*found, _authority(home, ports), *_simulators(home, ports)]


def webs(home: Path, ports: Ports, *, split: str | None, demo: bool) -> list[Web]:
    """The web processes: one with every role, or two of which the second serves the agency `split` alone."""
    others = [f"agency:{agency}" for agency in agencies() if agency not in {"portal", split}]
    shared = {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "SMARTGOV_HOME": str(home),
        "SMARTGOV_SMTP": f"127.0.0.1:{ports.smtp}",
        "SMARTGOV_BANK_URL": f"http://127.0.0.1:{ports.bank}",
        "SMARTGOV_PHONE_URL": f"http://127.0.0.1:{ports.phone}",
        "SMARTGOV_TIMESTAMP_URL": f"http://127.0.0.1:{ports.timestamp}",
        "SMARTGOV_AUTHORITY_URL": f"http://127.0.0.1:{ports.authority}",
        "SMARTGOV_WALLET_URL": f"http://localhost:{ports.wallet}" if demo and _has_wallet(home) else "",
        "SMARTGOV_MOICA_URL": f"http://127.0.0.1:{ports.moica}",
        "SMARTGOV_TWFIDO_URL": f"http://127.0.0.1:{ports.moica}",
        "SMARTGOV_CARD_URL": f"http://localhost:{ports.card}" if means.has_cards(home) else "",
        "SMARTGOV_DEMO": "yes" if demo else "no",
        "DJANGO_SETTINGS_MODULE": "smartgov.site.settings",
    }
    first = {**shared, "SMARTGOV_ORIGIN": f"http://localhost:{ports.web}", "SMARTGOV_PORT": str(ports.web)}
    if split is None:
        return [Web(None, ports.web, first)]
    second = {
        **shared,
        "SMARTGOV_ORIGIN": f"http://localhost:{ports.second_web}",
        "SMARTGOV_PORT": str(ports.second_web),
        "SMARTGOV_ROLES": f"agency:{split}",
        "SMARTGOV_DATABASE_NAME": f"{split}.sqlite3",
        "SMARTGOV_DATA_KEY_FILE": str(home / f"{split}.data.key"),
        "SMARTGOV_SECRET_KEY_FILE": str(home / f"{split}.django.key"),
    }
    if url := shared.get("SMARTGOV_DATABASE_URL"):
        second["SMARTGOV_DATABASE_URL"] = database_of(url, split)
    first["SMARTGOV_ROLES"] = ",".join(["centre", "portal", *others])
    return [Web(None, ports.web, first), Web(split, ports.second_web, second)]


def database_of(url: str, agency: str) -> str:
    """The database on the same server that an agency apart uses: the first one's name with the agency's code behind."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path}_{agency}").geturl()


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The machine's environment without settings of ours, plus `extra` and the way to this package."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("SMARTGOV_")}
    package = str(Path(smartgov.__file__).resolve().parents[1])
    paths = [package, *(path for path in base.get("PYTHONPATH", "").split(os.pathsep) if path and path != package)]
    return {**base, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **extra}


def python(module: str, *arguments: object) -> tuple[str, ...]:
    """The command that runs a module with the present interpreter."""
    return (sys.executable, "-m", module, *(str(argument) for argument in arguments))


def answers(url: str, headers: Mapping[str, str] | None = None) -> bool:
    """Whether a GET is answered with success."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", parts.path, headers=dict(headers or {}))
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _web(home: Path, web: Web, log: Callable[[str], Path]) -> list[Program]:
    page, worker = f"{WEB}{web.suffix}", f"{WORKER}{web.suffix}"
    return [
        Program(
            page, web_command(home, web.port), lambda: answers(f"http://127.0.0.1:{web.port}/ops/live"), web.environment
        ),
        Program(
            worker, python("smartgov.cli", "worker"), lambda: _says(log(worker), "worker_started"), web.environment, 1
        ),
    ]


def web_command(home: Path | None = None, port: int | None = None) -> tuple[str, ...]:
    """The command of a web process; home and port come from the settings unless given."""
    return python(
        "granian",
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", port or settings.get("SMARTGOV_PORT")),
        # An agency's answer may need another request to this same process, so threads must outnumber people who wait.
        *("--blocking-threads", 32, "--backpressure", 128, "--no-ws", "--log-level", "warning"),
        *("--static-path-route", "/static", "--static-path-mount", (home or homes.home()) / "static"),
        "smartgov.site.wsgi:application",
    )


def gateway_says(agency: str, ports: Ports) -> dict[str, Any]:
    """What a gateway says of its health; empty while it does not answer."""
    connection = HTTPConnection("127.0.0.1", ports.gateway_local(agency), timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", "/local/v1/health")
        said: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return said


def _gateway(home: Path, agency: str, ports: Ports) -> Program:
    def healthy() -> bool:
        """It works, or waits for its operator's word: to stop the whole country would not help him."""
        said = gateway_says(agency, ports)
        problem = said.get("problem") or {}
        return bool(said.get("healthy")) or problem.get("type") in _MENDED_BY_HAND

    command = python("smartgov.engines.troad.gateway", "--home", home / "gateways" / agency)
    return Program(f"gateway-{agency}", command, healthy, stage=1)


def _register(home: Path, agency: str, ports: Ports) -> Program:
    folder, port = home / "registers" / agency, ports.register(agency)
    command = python("smartgov.engines.apigen.server", "--home", folder, "--port", port)
    return Program(f"register-{agency}", command, lambda: answers(f"http://127.0.0.1:{port}/health"), stage=1)


def _authority(home: Path, ports: Ports) -> Program:
    also = ("--also", f"seals={seal_authority(home)}")
    command = python("smartgov.engines.authority", "--home", home / "authority", "--port", ports.authority, *also)
    return Program("authority", command, _answers_health(ports.authority), stage=1)


def _simulators(home: Path, ports: Ports) -> list[Program]:
    extra = {"mailbox": ("--smtp-port", ports.smtp)}
    found = []
    each = {"phone": ports.phone, "bank": ports.bank, "mailbox": ports.mailbox, "timestamp": ports.timestamp}
    if (home / "library" / "party.json").exists():
        each["library"] = ports.library
    if _has_wallet(home):
        each["wallet"] = ports.wallet
    if (home / "moica" / "ca.pem").exists():
        each["moica"] = ports.moica
    if means.has_cards(home):
        each["card"] = ports.card
    for name, port in each.items():
        command = python(f"smartgov.simulators.{name}", "--home", home / name, "--port", port, *extra.get(name, ()))
        found.append(Program(name, command, _answers_health(port), stage=1))
    return found


def _has_wallet(home: Path) -> bool:
    return (home / "wallet" / "party.json").exists()


def _answers_health(port: int) -> Callable[[], bool]:
    return lambda: answers(f"http://127.0.0.1:{port}/health")


def _says(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text(errors="replace")
