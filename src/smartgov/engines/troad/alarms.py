"""What an operator must see: alarms that stand until their cause is gone, told once when they begin and end."""

from __future__ import annotations

import structlog

log = structlog.get_logger()
PASSED_OVER = "gateway-passed-over:"
"""With the id of another member's gateway: calls go round it to the member's next one."""
HANDED_OVER = "once-handed-over"
"""Nobody takes what may happen only once until the member's offer names the gateway to which it was handed over."""


class Alarms:
    """The alarms of one gateway, by name; `standing` goes into its health answer."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    @property
    def standing(self) -> dict[str, str]:
        """Name to what is known of it, without personal data."""
        return dict(self._standing)

    def set(self, name: str, detail: str = "") -> None:
        """Let an alarm stand; it is written to the program's log when it is new or its detail has changed."""
        if self._standing.get(name) != detail:
            self._standing[name] = detail
            log.error("alarm", alarm=name, detail=detail)

    def clear(self, name: str) -> None:
        """Its cause is gone."""
        if self._standing.pop(name, None) is not None:
            log.info("alarm_over", alarm=name)
