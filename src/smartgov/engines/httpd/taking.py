"""Whether the other side takes what was written to it: who takes nothing for long is cut off, who is slow is not.

What waits is bounded for every connection; that it waits must end too, or a side that never reads holds it for ever.
"""

from __future__ import annotations

import socket
from struct import Struct
from typing import Any

WRITE_SECONDS = 60.0
"""Of what was written something must be taken within this time."""
_INFO = Struct("=24xI92xQ16xI")
"""Of Linux's `tcp_info`: segments that were sent and not confirmed, bytes confirmed in all, bytes not sent yet."""


class Taking:
    """One connection, as the system's TCP sees it: it knows to the byte what the other side has confirmed.

    The sizes of the buffers above it do not tell: of what was written over TLS they may show nothing.
    """

    def __init__(self, transport: Any) -> None:
        self._transport, self._socket = transport, transport.get_extra_info("socket")
        self._confirmed = 0
        self._since: float | None = None
        """When something was confirmed last, while anything waits."""

    @property
    def waits(self) -> bool:
        """Whether bytes are on their way out: the other side's system has not confirmed all."""
        return self._look()[0]

    def stands_still(self, present: float, seconds: float) -> bool:
        """Whether nothing was taken for so long of what waits; to be asked now and again."""
        waits, confirmed = self._look()
        if not waits:
            self._since = None
        elif self._since is None or confirmed != self._confirmed:
            self._since, self._confirmed = present, confirmed
        return self._since is not None and present - self._since >= seconds

    def _look(self) -> tuple[bool, int]:
        """Whether anything waits, and how many bytes have been confirmed."""
        try:
            with _Borrowed(socket.AF_INET, socket.SOCK_STREAM, 0, self._socket.fileno()) as tcp:
                raw = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        except (OSError, ValueError):  # it is closed
            return False, 0
        unconfirmed, confirmed, unsent = _INFO.unpack(raw)
        return bool(unconfirmed or unsent or self._transport.get_write_buffer_size()), confirmed


class _Borrowed(socket.socket):
    """Somebody else's descriptor, which is not closed at the end."""

    def __exit__(self, *args: object) -> None:
        self.detach()
