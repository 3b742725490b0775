"""The theme's icons: drawn here, 24 by 24, one stroke. They only repeat what a word beside them says."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PATHS: dict[str, str] = {
    "check": "M4.5 12.5l5 5 10-11",
    "cross": "M6 6l12 12M18 6L6 18",
    "alert": "M12 3.5L22 20.5H2zM12 10v5M12 17.6v.4",
    "info": "M12 2.8a9.2 9.2 0 1 0 .01 0M12 11v6M12 7.2v.4",
    "clock": "M12 2.8a9.2 9.2 0 1 0 .01 0M12 7v5.3l3.6 2.2",
    "dot": "M12 8a4 4 0 1 0 .01 0",
    "more": "M5.5 12v.01M12 12v.01M18.5 12v.01",
    "circle": "M12 4a8 8 0 1 0 .01 0",
    "pause": "M8 6v12M16 6v12",
    "question": "M8.3 8.6a3.8 3.8 0 1 1 5.6 3.4c-1.3.7-1.9 1.5-1.9 3M12 18.3v.4",
    "back": "M15 5l-7 7 7 7",
    "next": "M9 5l7 7-7 7",
    "arrow": "M4 12h15M13.5 6.5L19 12l-5.5 5.5",
    "building": "M3 10L12 4l9 6zM5.5 10v8M10 10v8M14 10v8M18.5 10v8M3 20.5h18",
    "person": "M12 4a4 4 0 1 0 .01 0M4.5 20.5c.6-4.4 3.5-6.5 7.5-6.5s6.9 2.1 7.5 6.5",
    "paper": "M6 3h8l4.5 4.5V21H6zM14 3v5h4.5M9 12.5h6.5M9 16.5h6.5",
    "shield": "M12 2.8l8 3v6c0 4.6-3.2 7.6-8 9.4-4.8-1.8-8-4.8-8-9.4v-6zM8.5 12l2.5 2.5 4.5-5",
    "lock": "M5.5 10.5h13v10h-13zM8.5 10.5V7.2a3.5 3.5 0 0 1 7 0v3.3",
    "inbox": "M3 13.5l3.2-9h11.6l3.2 9v6.5H3zM3 13.5h5.5l1.2 3h4.6l1.2-3H21",
    "pencil": "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z",
    "download": "M12 3v12.5M6.5 10.5L12 16l5.5-5.5M4 20.5h16",
}
# A camphor leaf with its three veins from one point, by which the tree is told.
LEAF = "M12 2c5.2 3.4 7.4 8 5.6 12.6-1 2.5-3 4.2-5.6 5.2-2.6-1-4.6-2.7-5.6-5.2C4.6 10 6.8 5.4 12 2z"
LEAF_VEINS = "M12 22.5V7M12 16c2.2-1.5 3.5-3.7 3.9-6.5M12 16c-2.2-1.5-3.5-3.7-3.9-6.5"


def icon(name: str) -> SafeString:
    """The SVG of an icon; hidden from screen readers, who get the word."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="{}" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        "4.5" if name == "more" else "2.2",
        PATHS[name],
    )


def leaf() -> SafeString:
    """The mark of the platform."""
    return mark_safe(  # noqa: S308 - both paths are constants of this module
        '<svg class="leaf" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f'<path d="{LEAF}" fill="currentColor"/>'
        f'<path d="{LEAF_VEINS}" fill="none" stroke="#fff" stroke-width="1.1" stroke-linecap="round"/></svg>'
    )
