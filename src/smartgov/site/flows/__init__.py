"""Which event leads to which verb. Down is a call, up is an event; this is the only place that joins the two.

`FLOWS` maps each declared event to its listeners, as dotted paths; an event that nobody needs maps to an empty tuple.
Listeners of blocks that are not installed are skipped.
"""

from __future__ import annotations

FLOWS: dict[str, tuple[str, ...]] = {}
