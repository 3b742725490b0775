"""What a block declares about itself: permissions, menu, needs and periodic work."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.apps import AppConfig, apps

from smartgov.shared.text import Text

NO_WORDS = Text("", "")


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the menu, shown to those who hold `permission` (empty: everybody)."""

    url_name: str
    label: Text
    permission: str = ""
    place: int = 50
    """Where it stands among the entries of other blocks; the smallest comes first."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that the worker calls every `seconds`; `call` is the dotted path of a function without arguments.

    `words` say on the operators' page what it does.
    """

    name: str
    seconds: float
    call: str
    words: Text = NO_WORDS


@dataclass(frozen=True, slots=True)
class Manifest:
    """A block's declaration; `needs` names the blocks without which it cannot be installed.

    `deeds` says in words what the actions are that the block has audited (`case.approve`), `events` what has happened
    when it emits each of its events, and `listeners` what each verb does that events of others lead to.
    """

    permissions: dict[str, Text] = field(default_factory=dict)
    menu: tuple[MenuItem, ...] = ()
    deeds: dict[str, Text] = field(default_factory=dict)
    events: dict[str, Text] = field(default_factory=dict)
    listeners: dict[str, Text] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    periodic: tuple[Periodic, ...] = ()


class BlockConfig(AppConfig):
    """The Django configuration of a block; subclasses set `manifest`."""

    default_auto_field = "django.db.models.BigAutoField"
    manifest: Manifest = Manifest()

    def __init_subclass__(cls) -> None:
        """Mark each block's own class: Django would otherwise find two in its `apps.py`, and take neither."""
        super().__init_subclass__()
        cls.default = True


def deeds() -> dict[str, Text]:
    """What each audited action is, by the declarations of the blocks that take it."""
    return {action: words for block in installed_blocks() for action, words in block.manifest.deeds.items()}


def events() -> dict[str, Text]:
    """What has happened, by the names of the events that blocks emit."""
    return {name: words for block in installed_blocks() for name, words in block.manifest.events.items()}


def listeners() -> dict[str, Text]:
    """What each listener does, by its dotted path as the site's flows name it."""
    return {
        f"{block.name}.api.{verb}": words
        for block in installed_blocks()
        for verb, words in block.manifest.listeners.items()
    }


def jobs() -> dict[str, Text]:
    """What each periodic work does, by its name; one that no installed block declares any more is not in it."""
    return {job.name: job.words for block in installed_blocks() for job in block.manifest.periodic}


def installed_blocks() -> list[BlockConfig]:
    """The blocks of this site, in order of installation (low to high)."""
    return [config for config in apps.get_app_configs() if isinstance(config, BlockConfig)]
