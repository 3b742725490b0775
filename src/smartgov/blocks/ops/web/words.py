"""What a dead letter's problem means, for the operator who decides whether to try it again."""

from __future__ import annotations

from smartgov.engines.troad.problems import TABLE
from smartgov.shared.text import Text

_OTHERS = {
    "not-found": ("There is nothing at the address that was called.", "所呼叫的位址沒有內容。"),
    "permission-missing": ("The other side does not let this be done.", "對方未允許此動作。"),
    "request-invalid": ("The other side does not accept the form of the message.", "對方不接受此訊息的格式。"),
    "not-registered": ("What it speaks of is not in the register of T-Road.", "所指項目未登錄於 T-Road。"),
}
_UNKNOWN = Text("The other side refused it; its log says why.", "對方拒絕接受，原因見其日誌。")


def of_problem(slug: str) -> Text:
    """The sentence of a problem type: what happened, and what to do where that is known."""
    if slug in TABLE:
        _, what, _, todo = TABLE[slug]
        return Text(f"{what[0]} {todo[0]}", f"{what[1]}{todo[1]}")
    return Text(*_OTHERS[slug]) if slug in _OTHERS else _UNKNOWN
