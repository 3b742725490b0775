"""CPU of each request of a sign-in, in one process without a server: `python -m bench.openid_steps [--profile=FOLDER]`.

The site's own WSGI application is called as a server calls it; what the client does to ask is not counted. With a
folder, the profile of each request is written into it, for `python -m pstats`. The database is SQLite in a folder
of its own, or what SMARTGOV_DATABASE_URL says.
"""

from __future__ import annotations

import cProfile
import io
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FLOWS, WARM = 150, 10
ORIGIN = "http://127.0.0.1:29099"
REQUESTS = {"/openid/par": "PAR", "/openid/authorize": "authorize", "/openid/userinfo": "userinfo"}


def main() -> None:
    """Print microseconds of CPU and statements of each request."""
    folder = next((word.split("=", 1)[1] for word in sys.argv[1:] if word.startswith("--profile=")), "")
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as home:
        more = {"SMARTGOV_HOME": home, "SMARTGOV_ORIGIN": ORIGIN, "SMARTGOV_LOG_LEVEL": "warning"}
        os.environ.update({**more, "DJANGO_SETTINGS_MODULE": "smartgov.site.settings"})
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        steps = Steps()
        _measure(steps)
        steps.print()
        if folder:
            steps.write(Path(folder))


class Steps:
    """Calls the application, and keeps what each kind of request has cost."""

    def __init__(self) -> None:
        from smartgov.site.wsgi import application

        self._application: Callable[..., Any] = application
        self._spent: dict[str, list[float]] = defaultdict(list)
        self._statements: dict[str, list[int]] = defaultdict(list)
        self._profiles: dict[str, cProfile.Profile] = defaultdict(lambda: cProfile.Profile(time.process_time))
        self.cookie, self.counting, self.profiling = "", False, False

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """One request, as `engines.openid.client.Send`."""
        parts = urlsplit(url)
        said: list[Any] = []
        environ = _environ(method, parts.path, parts.query, {**headers, "cookie": self.cookie}, body)
        content = self._called(_name(parts.path, body), environ, lambda *given: said.extend(given))
        return int(said[0].split()[0]), {name.lower(): value for name, value in said[1]}, content

    def _called(self, name: str, environ: dict[str, Any], start: Callable[..., Any]) -> bytes:
        from django.db import connection

        count: list[int] = []

        def counted(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
            count.append(1)
            return execute(sql, params, many, context)

        if self.counting:
            with connection.execute_wrapper(counted):
                content = self._run(environ, start)
            self._statements[name].append(len(count))
            return content
        if self.profiling:
            return self._profiles[name].runcall(self._run, environ, start)
        before = time.process_time_ns()
        content = self._run(environ, start)
        self._spent[name].append((time.process_time_ns() - before) / 1000)
        return content

    def _run(self, environ: dict[str, Any], start: Callable[..., Any]) -> bytes:
        answer = self._application(environ, start)
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return content

    def forget(self) -> None:
        """Start anew: what came before has warmed up."""
        self._spent.clear()

    def print(self) -> None:
        """The table: the median of each kind of request, and their sum."""
        print(f"{'request':<20}{'CPU us':>10}{'statements':>12}")
        whole = 0.0
        for name, spent in self._spent.items():
            middle = sorted(spent)[len(spent) // 2]
            whole += middle if name != "refresh" else 0
            print(f"{name:<20}{middle:10.0f}{max(self._statements[name], default=0):12d}")
        print(f"{'a flow':<20}{whole:10.0f}")

    def write(self, folder: Path) -> None:
        """The profiles, a file for each kind of request."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, profile in self._profiles.items():
            profile.dump_stats(folder / f"{name}.prof")


def _name(path: str, body: bytes) -> str:
    return REQUESTS.get(path, "refresh" if b"grant_type=refresh_token" in body else "code")


def _environ(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """What granian hands over for such a request."""
    found: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "29099",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": urlsplit(ORIGIN).netloc,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        found[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return found


def _measure(steps: Steps) -> None:
    from django.test.utils import setup_test_environment, teardown_test_environment

    from smartgov.blocks.identity.tests.factories import signed_in_citizen
    from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, registered
    from smartgov.engines.openid.client import RelyingParty
    from smartgov.engines.pki import keys

    setup_test_environment()  # the person agrees beforehand, by the test client
    browser, shop = signed_in_citizen(), Shop()
    key = keys.generate_p256()
    row = registered(key)
    shop.rp = RelyingParty(ORIGIN, row.id, key, CALLBACK, "openid profile", shop.rp.send)
    shop.sign_in(browser)
    lasting = RelyingParty(ORIGIN, row.id, key, CALLBACK, "openid offline_access", shop.rp.send)
    shop.rp, plain = lasting, shop.rp
    refresh_token = shop.sign_in(browser, prompt="consent").refresh_token
    teardown_test_environment()
    plain.send = lasting.send = steps.send
    browser_cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())

    def flow() -> None:
        address, kept = plain.begin()
        steps.cookie = browser_cookie
        status, headers, _ = steps.send("GET", address, {}, b"")
        steps.cookie = ""
        assert status == 302, status
        done = plain.finish(urlsplit(headers["location"]).query, kept)
        assert plain.userinfo(done.access_token)["name"] == "林美玲"

    def both() -> None:
        flow()
        assert lasting.refresh(refresh_token).access_token

    for _ in range(WARM):
        both()
    steps.counting = True
    both()
    steps.counting = False
    steps.forget()
    for _ in range(FLOWS):
        both()
    steps.profiling = True
    for _ in range(FLOWS):
        both()


if __name__ == "__main__":
    main()
