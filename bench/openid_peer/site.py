"""`python -m bench.openid_peer.site HOME PORT`: our site as a provider, with one client and a person who is signed in.

Writes `client.json` into HOME (the client's ids and keys, the person's cookies) and becomes the web process. The
database is SQLite in HOME, or what SMARTGOV_DATABASE_URL says.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def client_file(path: Path, *, ids: tuple[str, str], key: Any, cookies: dict[str, str]) -> None:
    """The file that the relying party's script reads."""
    from smartgov.engines.pki import keys

    public = keys.public_jwk(key.public_key())
    secret = keys.b64url(key.private_numbers().private_value.to_bytes(32, "big"))
    found = {
        "client_id": ids[0],
        "other_client_id": ids[1],
        "redirect_uri": "https://shop.example.test/callback",
        "public_jwk": public,
        "private_jwk": {**public, "d": secret},
        "cookies": cookies,
    }
    path.write_text(json.dumps(found))


def main() -> None:
    """Make the home, then serve."""
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    more = {"SMARTGOV_HOME": str(home), "SMARTGOV_PORT": str(port), "SMARTGOV_ORIGIN": f"http://127.0.0.1:{port}"}
    os.environ.update({**more, "DJANGO_SETTINGS_MODULE": "smartgov.site.settings", "SMARTGOV_LOG_LEVEL": "warning"})
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    (home / "static").mkdir(exist_ok=True)
    _people(home)
    from django.db import connection

    from smartgov.site.supervise import programs

    connection.close()
    command = programs.web_command(home, port)
    os.execve(command[0], command, dict(os.environ))


def _people(home: Path) -> None:
    from django.conf import settings

    from smartgov.blocks.identity.tests.factories import signed_in_citizen
    from smartgov.blocks.identity.tests.relying import registered
    from smartgov.engines.pki import keys

    key = keys.generate_p256()
    ids = registered(key).id, registered(key).id
    browser = signed_in_citizen()
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    assert settings.SESSION_COOKIE_NAME in cookies
    client_file(home / "client.json", ids=ids, key=key, cookies=cookies)


if __name__ == "__main__":
    main()
