"""How the centre's doors for gateways know who writes: by the signatures of the letter that is the body."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest
from ninja import Schema
from ninja.security.base import AuthBase

from smartgov.engines.troad.joining import letters
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import clock


class Written(AuthBase):
    """Ninja authentication: the body is a fresh letter of this kind to this centre; it becomes `request.auth`.

    `most` bounds the letter's text, in bytes.
    """

    openapi_type = "http"
    openapi_scheme = "signed-letter"

    def __init__(self, kind: str, *, most: int = letters.MAX_BYTES) -> None:
        super().__init__()
        self.kind, self.most = kind, most

    def __call__(self, request: HttpRequest) -> Letter:
        """The letter; a Problem of 401 says what is wrong with it."""
        try:
            data = json.loads(request.body) if len(request.body) <= 4 * self.most else None
        except (ValueError, RecursionError):
            data = None
        return letters.read(data, kind=self.kind, to=settings.ORIGIN, now=clock.now(), most=self.most)


class LetterBody(Schema):
    """A letter of `engines/troad/joining/letters.py`."""

    text: str
    signatures: dict[str, str]


def letter_of(request: HttpRequest) -> Letter:
    """The letter that a door has let in."""
    letter: Letter = request.auth  # type: ignore[attr-defined]
    return letter
