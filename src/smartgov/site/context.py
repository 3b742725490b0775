"""What every page's frame needs: menu, person, demo mark."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import api as identity
from smartgov.blocks.ops.manifest import installed_blocks


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context shared by all pages."""
    person = identity.person(request)
    return {
        "demo": settings.DEMO,
        "synthetic": settings.SYNTHETIC,
        "menu": sorted(
            (
                item
                for block in installed_blocks()
                for item in block.manifest.menu
                if identity.may(request, item.permission)
            ),
            key=lambda item: item.place,
        ),
        "person": person,
        "seat_agency": directory.agency(person.seat.agency).name if person and person.seat else None,
    }
