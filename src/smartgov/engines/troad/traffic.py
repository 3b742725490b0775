"""What a gateway counts: exchanges, refusals and times, by side, service and peer. Numbers only, in memory.

Times lie in buckets that grow by a fifth, so a quantile read from them is at most a fifth too high.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_FIRST = 0.0005
_GROWTH = 1.2
_BUCKETS = 70
"""From half a millisecond to about three minutes; the last one holds everything longer."""
MINUTES = 60
MOST = 2000
"""So many rows are kept apart; further ones are counted together, so that nobody fills the memory with names."""
ELSEWHERE = "*"
ANSWERED = "answered"


@dataclass(slots=True)
class Row:
    """The figures of one side, service and peer."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def quantile(self, part: float) -> float | None:
        """The time (seconds) within which this part of the exchanges was done; None before the first."""
        rank = math.ceil(sum(self.buckets) * part)
        seen = 0
        for number, count in enumerate(self.buckets):
            seen += count
            if count and seen >= rank:
                return _FIRST * float(_GROWTH**number)
        return None


class Traffic:
    """The counters of one gateway."""

    def __init__(self, now: datetime) -> None:
        self.since = now
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.cut: Counter[str] = Counter()
        """Connections that were cut because the other side did not read, by gateway; of the own systems: empty."""
        self._minutes: deque[tuple[int, int]] = deque(maxlen=MINUTES)

    def count(self, side: str, service: str, peer: str, outcome: str, seconds: float, now: datetime) -> None:
        """Count one exchange that took so many seconds."""
        key = (side, service, peer)
        if key not in self.rows and len(self.rows) >= MOST:
            key = (side, ELSEWHERE, ELSEWHERE)
        row = self.rows.get(key) or self.rows.setdefault(key, Row())
        row.outcomes[outcome] += 1
        row.seconds += max(0.0, seconds)
        row.buckets[_bucket(seconds)] += 1
        minute = int(now.timestamp()) // 60
        last, count = self._minutes[-1] if self._minutes else (minute, 0)
        if self._minutes and last == minute:
            self._minutes[-1] = (minute, count + 1)
        else:
            self._minutes.append((minute, 1))

    def minutes(self, now: datetime) -> list[int]:
        """Exchanges of each of the last 60 minutes, the present one last."""
        known, present = dict(self._minutes), int(now.timestamp()) // 60
        return [known.get(present - ago, 0) for ago in range(MINUTES - 1, -1, -1)]

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """The JSON form; times in milliseconds."""
        rows = [
            {
                "side": side,
                "service": service,
                "peer": peer,
                "answered": row.outcomes[ANSWERED],
                "refused": {name: n for name, n in sorted(row.outcomes.items()) if name != ANSWERED},
                "p50_ms": _milliseconds(row.quantile(0.5)),
                "p99_ms": _milliseconds(row.quantile(0.99)),
            }
            for (side, service, peer), row in sorted(self.rows.items())
        ]
        return {"since": self.since.isoformat(), "minutes": self.minutes(now), "rows": rows}

    def as_prometheus(self) -> str:
        """The text form of Prometheus; times in seconds."""
        lines, seconds = ["# TYPE troad_exchanges_total counter"], ["# TYPE troad_exchange_seconds summary"]
        for (side, service, peer), row in sorted(self.rows.items()):
            named = f'side="{side}",service="{service}",peer="{peer}"'
            lines += [
                f'troad_exchanges_total{{{named},outcome="{outcome}"}} {count}'
                for outcome, count in sorted(row.outcomes.items())
            ]
            for part in (0.5, 0.99):
                quantile = row.quantile(part) or 0
                seconds.append(f'troad_exchange_seconds{{{named},quantile="{part}"}} {quantile:.6f}')
            seconds.append(f"troad_exchange_seconds_sum{{{named}}} {row.seconds:.6f}")
            seconds.append(f"troad_exchange_seconds_count{{{named}}} {sum(row.buckets)}")
        cut = ["# TYPE troad_connections_cut_total counter"]
        cut += [f'troad_connections_cut_total{{peer="{peer}"}} {count}' for peer, count in sorted(self.cut.items())]
        return "\n".join([*lines, *seconds, *cut]) + "\n"


_ENDS = [_FIRST * _GROWTH**number for number in range(_BUCKETS - 1)]


def _bucket(seconds: float) -> int:
    return bisect_left(_ENDS, seconds)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
