"""One running country: what `smartgov demo` starts, and what journey tests start, break and mend."""

from __future__ import annotations

import fcntl
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.site.country import centre, means
from smartgov.site.country.ports import Ports, agencies
from smartgov.site.supervise import prepare
from smartgov.site.supervise.programs import Web, gateway_says, programs, webs
from smartgov.site.supervise.supervisor import Supervisor

PID_FILE = "supervisor.pid"


class Country:
    """The processes of the country in `home`, listening from `port` on. `split` names an agency that runs apart."""

    def __init__(self, home: Path, *, port: int = 8000, split: str | None = None, demo: bool = True) -> None:
        self.home, self.ports, self.split, self.demo = home.resolve(), Ports(port), split, demo
        self._lock: IO[str] | None = None
        self._supervisor: Supervisor | None = None

    @property
    def url(self) -> str:
        """The address that people open."""
        return f"http://localhost:{self.ports.web}"

    @property
    def agency_url(self) -> str:
        """The address of the agency that runs apart; the same as `url` when none does."""
        return f"http://localhost:{self.ports.second_web}" if self.split else self.url

    @property
    def web_processes(self) -> list[Web]:
        """The web processes of a started country; a second one serves the agency that runs apart."""
        return self._webs

    @property
    def supervisor(self) -> Supervisor:
        """The supervisor of a started country."""
        if self._supervisor is None:
            raise RuntimeError("the country is not started")
        return self._supervisor

    def personas(self) -> list[dict[str, Any]]:
        """The people to play, with their national ids."""
        found: list[dict[str, Any]] = json.loads((self.home / "personas.json").read_text())
        return found

    def start(self, *, wait: bool = True, seconds: float = 120.0) -> None:
        """Bring the homes up to date with these ports, then start every process; with `wait`, until all are healthy.

        Problems: `country-running`, `ports-taken`. TimeoutError or RuntimeError when a process does not come up.
        """
        self._take_lock()
        try:
            self._refuse_taken_ports()
            self._supervisor = self._made_supervisor()
            self._start(seconds)
            if wait:
                self.wait_healthy(seconds=seconds)
        except BaseException:
            self.stop()
            raise

    def wait_healthy(self, *, seconds: float = 120.0) -> None:
        """Wait for every process; in a new demo, then let the hospitals' births be announced."""
        self.supervisor.wait_healthy(seconds=seconds)
        if self.demo:
            prepare.announce(self.home, self._webs[0])

    def refusing(self) -> dict[str, Text]:
        """The gateways that answer and take no exchange, by agency, with what each says of it and its alarms."""
        said = {agency: gateway_says(agency, self.ports) for agency in agencies()}
        return {agency: _told(one) for agency, one in said.items() if one.get("problem")}

    def stop(self) -> None:
        """Stop every process; returns when nothing is left running."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        if self._lock is not None:
            (self.home / PID_FILE).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def kill(self, name: str) -> None:
        """Kill a process (`gateway-hpa`, `register-ris`, `worker`, ...) and keep it down until `restart`."""
        self.supervisor.hold(name)

    def crash(self, name: str) -> None:
        """Kill a process and let the supervisor start it anew."""
        self.supervisor.crash(name)

    def restart(self, name: str) -> None:
        """Start a process again, killed before or not, and wait until it is healthy."""
        self.supervisor.hold(name)
        self.supervisor.release(name)

    def __enter__(self) -> Country:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, seconds: float) -> None:
        supervisor, first = self.supervisor, [p.name for p in self._programs if p.stage == 0]
        rest = [p.name for p in self._programs if p.stage > 0]
        centre.configure(self.home, ports=self.ports, second_web=self.split)
        means.connect(self.home, self.ports)
        with ThreadPoolExecutor(len(self._webs)) as pool:
            for _ in pool.map(lambda web: prepare.prepare(self.home, web), self._webs):
                pass
        prepare.renew(self.home, self._webs[0])
        supervisor.start(first)
        supervisor.wait_healthy(first, seconds=seconds)
        supervisor.start(rest)

    def _made_supervisor(self) -> Supervisor:
        logs = self.home / "logs"
        self._webs = webs(self.home, self.ports, split=self.split, demo=self.demo)
        self._programs = programs(
            self.home, self.ports, split=self.split, demo=self.demo, log=lambda name: logs / f"{name}.log"
        )
        return Supervisor(self._programs, logs)

    def _take_lock(self) -> None:
        lock = (self.home / PID_FILE).open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise Problem(
                "country-running",
                409,
                what=Text(f"The country in {self.home} is running already.", f"{self.home} 的國家已在執行中。"),
                todo=Text(
                    "Use it, or stop it with Ctrl-C where it was started.", "請直接使用，或於啟動處按 Ctrl-C 停止。"
                ),
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _refuse_taken_ports(self) -> None:
        until = time.monotonic() + 5  # a country that has just stopped may still be leaving
        while taken := self.ports.taken():
            if time.monotonic() > until:
                listed = ", ".join(map(str, taken[:6]))
                raise Problem(
                    "ports-taken",
                    409,
                    what=Text(f"Ports are in use: {listed}.", f"連接埠已被使用：{listed}。"),
                    todo=Text(
                        "Give another base with --port, for example 9000.", "請以 --port 指定其他起始埠，例如 9000。"
                    ),
                )
            time.sleep(0.2)


def _told(said: dict[str, Any]) -> Text:
    what, alarms = Text.of(said["problem"]["what"]), said.get("alarms") or {}
    more = "".join(f" {name}: {detail}" for name, detail in alarms.items() if name.startswith("log-"))
    return Text(what.en + more, what.zh + more)
