"""`announce_births`: the demo's hospitals notify the births of the last weeks, and the health agency announces them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartgov.blocks.cases import api as cases
from smartgov.shared.actor import Actor

HOSPITALS = Actor.for_system("hpa", "hospitals")


class Command(BaseCommand):
    """Reads `births.json`; each birth is notified once, however often this runs."""

    help = "Notify the births of DIR/births.json, into the register over T-Road (made-up persons only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the country lies."""
        parser.add_argument("--home", required=True, type=Path, help="the country's folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """One notification after the other; the worker announces them."""
        births = json.loads((options["home"] / "births.json").read_text(encoding="utf-8"))
        for row in births:
            cases.record_birth_notification(actor=HOSPITALS, notification=_notification(row), key=row["id"])
        self.stdout.write(f"{len(births)} births notified.")


def _notification(row: dict[str, Any]) -> cases.Notification:
    return cases.Notification(
        mother_id=row["mother_id"],
        mother_name=row["mother_name"],
        child_sex=row["child_sex"],
        born_on=date.fromisoformat(row["born_on"]),
        weight_g=row["weight_g"],
        gestation_weeks=row["gestation_weeks"],
        birth_order=row["birth_order_hospital"],
        hospital=row["hospital"],
    )
