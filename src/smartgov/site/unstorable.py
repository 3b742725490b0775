"""Text with a NUL in it: addresses, forms and JSON can carry one, and PostgreSQL's texts cannot.

No name, number or letter of a person holds one. So it is refused at the door, alike on every database.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.http import HttpRequest


def holds_nul(value: Any) -> bool:
    """Whether a text anywhere in a JSON value holds a NUL."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(holds_nul(one) for one in chain(value, value.values()))
    return isinstance(value, list) and any(map(holds_nul, value))


def is_asked_with_nul(request: HttpRequest) -> bool:
    """Whether the address, the query or a field of a form holds one."""
    return "\0" in request.path or any(
        "\0" in text
        for fields in (request.GET, request.POST)
        for name, values in fields.lists()
        for text in (name, *values)
    )
