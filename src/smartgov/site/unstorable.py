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
    """Whether the address, the query or a plain form holds one.

    Files and JSON are left to who reads them: a body can be read as a stream only once.
    """
    form = request.body if request.content_type == "application/x-www-form-urlencoded" else b""
    query = request.META.get("QUERY_STRING", "")
    return "\0" in request.path or "%00" in query or "\0" in query or b"%00" in form or b"\0" in form
