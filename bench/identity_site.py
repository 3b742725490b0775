"""`python -m bench.identity_site HOME PORT OFFICERS [DATABASE]`: our site, with officers who have password and app.

Writes `officers.json` into HOME and becomes the web process.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Make the home, then serve."""
    home, port, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    more = {"SMARTGOV_HOME": str(home), "SMARTGOV_PORT": str(port), "SMARTGOV_ORIGIN": f"http://127.0.0.1:{port}"}
    more |= {"SMARTGOV_OFFICER_PASSWORDS": "yes", "SMARTGOV_LOG_LEVEL": "warning"}
    if len(sys.argv) > 4 and sys.argv[4]:
        more["SMARTGOV_DATABASE_URL"] = sys.argv[4]
    os.environ.update({**more, "DJANGO_SETTINGS_MODULE": "smartgov.site.settings"})
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    (home / "static").mkdir(exist_ok=True)
    _officers(home, count)
    from django.db import connection

    from smartgov.site.supervise import programs

    connection.close()
    command = programs.web_command(home, port)
    os.execve(command[0], command, dict(os.environ))


def _officers(home: Path, count: int) -> None:
    from smartgov.blocks.identity.tests.officers import PASSWORD, Officer

    made = [Officer() for _ in range(count)]
    rows = [{"national_id": one.national_id, "password": PASSWORD, "secret": one.secret} for one in made]
    (home / "officers.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
