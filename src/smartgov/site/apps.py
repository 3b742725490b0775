"""Django configuration of the composition root."""

from pathlib import Path
from types import ModuleType

from django.apps import AppConfig

_PACKAGE = Path(__file__).resolve().parents[1]


def words_are_stale() -> bool:
    """Whether some catalogue was edited since it was compiled; a few stat calls, so every start can afford it."""
    return any(
        not (compiled := source.with_suffix(".mo")).exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns
        for pattern in ("*/locale/*/LC_MESSAGES/django.po", "blocks/*/locale/*/LC_MESSAGES/django.po")
        for source in _PACKAGE.glob(pattern)
    )


class SiteConfig(AppConfig):
    """Joins the blocks: which event leads to which verb."""

    name = "smartgov.site"
    label = "site"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Compile the words of pages when edited: now, because a later hook may already have read them."""
        super().__init__(app_name, app_module)
        if words_are_stale():
            from smartgov.site import messages

            messages.compile_stale()
