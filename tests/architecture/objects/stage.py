"""What a scene is: an object, who owns it, and who has the same right but not to this object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import Client

from smartgov.blocks.exchange import transport
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.services.tests import factories as applications


@dataclass(frozen=True)
class Scene:
    """An object, its owner's browser, the browsers that hold the same right without owning it, and a form to post."""

    kwargs: Mapping[str, object]
    owner: Client
    foreign: tuple[Client, ...]
    posted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """What a scene may need: contexts that last for the test, and a folder."""

    contexts: ExitStack
    folder: Path

    def road(self) -> RecordedTransport:
        """Gateways that answer as all agencies do."""
        played = applications.agencies()
        self.contexts.enter_context(transport.replaced(played))
        return played


Maker = Callable[[Stage], Scene]


def citizens() -> tuple[str, Client, tuple[Client, ...]]:
    """A person with her browser; another citizen, and an officer of some agency, who have accounts of their own."""
    subject = people.a_person()
    strangers = (people.signed_in_citizen(), people.signed_in_officer("nhi", "case_officer"))
    return subject, people.signed_in_citizen(subject), strangers
