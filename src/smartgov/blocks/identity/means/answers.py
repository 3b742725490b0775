"""An answer as text, to be kept: a service that has answered is not asked again."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from smartgov.blocks.identity.ports import Answer

_BYTES = ("message", "signature", "certificate")


def frozen(answer: Answer) -> str:
    """The answer as text."""
    return json.dumps({name: value.hex() if name in _BYTES else value for name, value in asdict(answer).items()})


def thawed(text: str) -> Answer:
    """The answer that `frozen` made this of."""
    found: dict[str, Any] = json.loads(text)
    found |= {name: bytes.fromhex(found[name]) for name in _BYTES}
    return Answer(**found)
