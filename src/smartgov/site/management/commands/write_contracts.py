"""`write_contracts` (`make contracts`): what our blocks promise on T-Road, for review and for the centre."""

from __future__ import annotations

from typing import Any

import yaml
from django.core.management.base import BaseCommand

from smartgov.shared import content
from smartgov.site import documents
from smartgov.site.blocks import DOORS

HEAD = "# Made by `make contracts` from the operations of the block that answers; a test compares both.\n"


class Command(BaseCommand):
    """Writes `content/tw/contracts/CODE.yaml` for every service that a block answers."""

    help = "Write the OpenAPI contracts of the services that our blocks answer on T-Road."

    def handle(self, *args: Any, **options: Any) -> None:
        """All of them, each from its block's operations."""
        for code in DOORS:
            text = yaml.safe_dump(documents.contract(code), allow_unicode=True, sort_keys=False, width=110)
            (content.ROOT / "contracts" / f"{code}.yaml").write_text(HEAD + text, encoding="utf-8")
            self.stdout.write(f"{code}.yaml")
