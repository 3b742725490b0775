"""The kinds and scopes of this jurisdiction (content/tw/mandates.yaml)."""

from __future__ import annotations

from functools import lru_cache

from smartgov.blocks.mandates import domain
from smartgov.shared import content


@lru_cache(maxsize=1)
def known() -> domain.Catalogue:
    """The catalogue, read once."""
    return domain.read_catalogue(content.read("mandates.yaml"))
