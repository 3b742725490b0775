"""`openid_keys`: the signing keys of the OpenID provider; with `--announce` the next one, published a day ahead."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartgov.blocks.identity.openid import keyfiles
from smartgov.engines.openid.keyring import KeyPlan
from smartgov.shared import clock


class Command(BaseCommand):
    """Lists the keys; a new one is published at once, and signs only when every relying party can know it."""

    help = "List the signing keys of the OpenID provider; --announce makes the next one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to make the next key."""
        parser.add_argument("--announce", action="store_true", help="make the next key; it signs from tomorrow on")

    def handle(self, *args: Any, **options: Any) -> None:
        """Announce if asked, then list."""
        if options["announce"]:
            keyfiles.announce()
        for plan in keyfiles.FileSigner().plans():
            self.stdout.write(f"{plan.kid}  {_state(plan)}  from {plan.not_before:%Y-%m-%d %H:%M} UTC")


def _state(plan: KeyPlan) -> str:
    now = clock.now()
    if plan.signs(now):
        return "signs    "
    if now < plan.not_before:
        return "announced"
    return "published" if plan.is_published(now) else "retired  "
