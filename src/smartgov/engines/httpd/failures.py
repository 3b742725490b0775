"""How a request can fail on its way, and what is certain then."""

from __future__ import annotations


class ConnectionFailedError(OSError):
    """The other side could not be reached, hung up, or did not speak HTTP."""


class NotSentError(ConnectionFailedError):
    """Not a byte of the request left, or the other side said that it took none of it: nothing was done."""


class PeerMismatchError(NotSentError):
    """The server showed another certificate than the one expected; nothing was sent."""
