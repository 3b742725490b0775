"""Write down what running gateways say at the local door: `python scripts/local_door_examples.py`.

Into `engines/troad/local_door.examples.json`, which the door's OpenAPI document shows. Ids and times differ each run.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from smartgov.engines.troad import local_document
from smartgov.engines.troad.tests import local_walk


def keep(seen: dict[str, Any]) -> None:
    """Write the file; what would fill pages is cut."""
    cut = local_walk.shortened(seen)
    for media in cut["get_evidence"]["answers"].values():
        media["application/json"]["configuration"] = {}
    text = json.dumps(cut, ensure_ascii=False, indent=1, sort_keys=True)
    local_document.EXAMPLES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        local_walk.made(Path(folder), keep)
