"""The centre in force: its key lies in `centre/` of the home folder, and gateways on this machine are handed a file.

The key is read for each signature, so that a process that publishes nothing never has it in its memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartgov.engines.pki import keys
from smartgov.engines.troad import home as gateways
from smartgov.engines.troad import snapshot
from smartgov.shared import homes


class HomeCentre:
    """Signs with `centre/configuration.key`; delivers to `centre/snapshot.jws` and every `gateways/*/`."""

    def sign(self, data: Mapping[str, Any]) -> str:
        """A compact JWS of type `troad-snapshot+jwt`."""
        return snapshot.sign(data, keys.load_private(_folder() / "configuration.key"))

    def deliver(self, signed: str) -> None:
        """Written atomically; a running gateway takes it up with its next message."""
        keys.write_secret(_folder() / "snapshot.jws", signed.encode())
        for settings in sorted((homes.home() / "gateways").glob("*/gateway.yaml")):
            gateways.set_snapshot(settings.parent, signed)


def _folder() -> Path:
    return homes.home() / "centre"
