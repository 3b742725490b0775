"""Pictures as SVG: one hue, direct labels, nothing that needs a legend; every one has its numbers in a table beside it.

Drawn for a width of 420, so that letters stay readable on a phone. No styles, no scripts: attributes only, so that the
strictest content policy shows them, and typst can set them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH = 420
INK, SOFT, LINE, ACCENT, WASH, DANGER = "#1d2320", "#4c544f", "#dfd9cb", "#1d5f49", "#e8f1ec", "#a32219"
FONT = "Noto Sans CJK TC, Noto Sans TC, PingFang TC, Microsoft JhengHei, sans-serif"


def bars(rows: Sequence[tuple[str, float, str, bool]], *, title: str, name: str) -> str:
    """Horizontal bars: (label, value, what to write at its end, whether bad). Bad ones are hatched and red."""
    most = max((value for _, value, _, _ in rows), default=0) or 1
    left = 16 + max(_wide(label) for label, *_ in rows)
    room = WIDTH - left - 20 - max(_wide(end) for *_, end, _ in rows)
    drawn = []
    for place, (label, value, end, bad) in enumerate(rows):
        y = place * 30
        wide = max(room * value / most, 2.0 if value else 0.0)
        fill = f"url(#{name}-hatch)" if bad else ACCENT
        drawn.append(_text(left - 8, y + 20, label, anchor="end"))
        drawn.append(f'<rect x="{left}" y="{y + 6}" width="{wide:.1f}" height="20" fill="{fill}"/>')
        drawn.append(_text(left + wide + 6, y + 20, end, weight=600 if value else 400, fill=DANGER if bad else INK))
    height = len(rows) * 30 + 4
    axis = f'<line x1="{left}" y1="2" x2="{left}" y2="{height - 2}" stroke="{INK}" stroke-width="1"/>'
    return _svg(height, _hatch(name) + axis + "".join(drawn), title)


def steps(
    points: Sequence[tuple[float, float]], limit: float, *, title: str, x_label: str, y_label: str, limit_label: str
) -> str:
    """A falling staircase of (risk, share of rows at that risk or more), risk on a log scale; a line at `limit`."""
    left, top, right, bottom = 52, 34, WIDTH - 16, 230
    lowest = min([points[0][0], limit]) / 2
    decades = [10.0**power for power in range(math.floor(math.log10(lowest)), 1)]

    def x(risk: float) -> float:
        return left + (right - left) * (math.log10(max(risk, decades[0])) - math.log10(decades[0])) / -math.log10(
            decades[0]
        )

    def y(share: float) -> float:
        return bottom - (bottom - top) * share

    drawn = [
        f'<line x1="{left}" y1="{y(share):.1f}" x2="{right}" y2="{y(share):.1f}" stroke="{LINE}"/>'
        + _text(left - 8, y(share) + 5, f"{share:.0%}", anchor="end", fill=SOFT, size=13)
        for share in (0, 0.5, 1)
    ]
    shown = decades[:: max(1, len(decades) // 4)]
    drawn += [_text(x(at), bottom + 20, _percent(at), anchor="middle", fill=SOFT, size=13) for at in shown]
    path = f"M{x(decades[0]):.1f} {y(points[0][1]):.1f}"
    for place, (risk, _) in enumerate(points):
        after = points[place + 1][1] if place + 1 < len(points) else 0.0
        path += f"H{x(risk):.1f}V{y(after):.1f}"
    drawn.append(f'<path d="{path}H{right}V{bottom}H{left}Z" fill="{WASH}"/>')
    drawn.append(f'<path d="{path}H{right}" fill="none" stroke="{ACCENT}" stroke-width="2.5"/>')
    drawn.append(
        f'<line x1="{x(limit):.1f}" y1="{top}" x2="{x(limit):.1f}" y2="{bottom}" stroke="{INK}" stroke-width="1.5" '
        'stroke-dasharray="5 4"/>'
    )
    anchor = "end" if x(limit) > WIDTH * 0.6 else "start"
    shift = -6 if anchor == "end" else 6
    drawn.append(_text(x(limit) + shift, top + 14, limit_label, anchor=anchor, weight=600))
    drawn.append(_text(left - 40, 16, y_label, fill=SOFT, size=13))
    drawn.append(_text(right, bottom + 42, x_label, anchor="end", fill=SOFT, size=13))
    return _svg(bottom + 52, "".join(drawn), title)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else f"{share * 100:g}%"


def _svg(height: float, body: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}" font-family="{FONT}" font-size="14"><title>{escape(title)}</title>{body}</svg>'
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK, weight: int = 400, size: int = 14
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}" '
        f'font-size="{size}">{escape(text)}</text>'
    )


def _hatch(name: str) -> str:
    return (
        f'<defs><pattern id="{name}-hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="#ffffff"/><path d="M0 6L6 0" stroke="{DANGER}" stroke-width="2"/>'
        "</pattern></defs>"
    )


def _wide(text: str) -> float:
    """About how wide a label is: Chinese letters are as wide as they are high."""
    return sum(14.0 if ord(char) > 0x2E7F else 7.9 for char in text)
