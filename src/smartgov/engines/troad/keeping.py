"""How carefully and how long a service's messages are kept: its durability policy and its retention.

`strict`: nothing is sent before the record is on the disk. `soon`: the answer goes on when the record is written, the
disk follows within the same batch, a few milliseconds; a power cut can lose that much. `meta`: as strict, and no body,
salt or signature base is kept at all.
"""

from __future__ import annotations

from smartgov.engines.troad.snapshot import Service
from smartgov.engines.troad.store import Entry


def keep(entry: Entry, service: Service | None, kept: tuple[bytes, bytes, bytes]) -> None:
    """Let the entry carry salt, body and signature base, unless the service keeps only that there was a message."""
    if service is None or service.durability != "meta":
        entry.body = kept
    if service is not None and service.retain_days is not None:
        entry.keep_until = entry.made + service.retain_days * 86_400


def is_soon(service: Service | None) -> bool:
    """Whether the disk may follow a little later."""
    return service is not None and service.durability == "soon"
