"""What makes a password too easy to guess (NIST SP 800-63B-4 section 3.1.1): its length and what stands in lists.

No rule about kinds of characters, no expiry, nothing cut off or changed. No Django, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smartgov.shared.text import Text

SHORTEST, LONGEST = 15, 128
LEAST_OF_ONES_OWN = 8
CONTEXT_WORDS = ("smartgov", "smart", "government", "taiwan", "password", "passwort", "officer", "admin", "welcome")
"""Words that everybody would try here (ASVS 6.1.2); agency codes and the person's own facts are added by the caller."""


def objection(password: str, *, words: Iterable[str], is_listed: Callable[[str], bool]) -> Text | None:
    """Why this password is not taken, in words; None when it is.

    `words` are the names that a stranger would try for this person; `is_listed` says whether a password is in the list
    of those that were found in breaches.
    """
    if len(password) < SHORTEST:
        return Text(
            f"Use at least {SHORTEST} characters; several words are easiest to remember.",
            f"請至少使用 {SHORTEST} 個字元，用幾個詞組成一句話最好記。",
        )
    if len(password) > LONGEST:
        return Text(f"Use at most {LONGEST} characters.", f"請勿超過 {LONGEST} 個字元。")
    if is_listed(password) or is_listed(_core(password)):
        return Text("This password is in lists that attackers try first.", "此密碼出現在攻擊者最先嘗試的清單中。")
    if len(set(_without(password.casefold(), [*CONTEXT_WORDS, *words]))) < LEAST_OF_ONES_OWN:
        return Text(
            "Too much of it is repeated, or made of names that others know.",
            "其中重複過多，或大多是他人已知的名稱。",
        )
    return None


def _core(password: str) -> str:
    """The password without digits and signs at its ends, as people add them to a well-known one."""
    return password.strip("0123456789!@#$%^&*()-_=+.,?~ ")


def _without(password: str, words: Iterable[str]) -> str:
    for word in sorted({word.casefold() for word in words if len(word) > 2}, key=len, reverse=True):
        password = password.replace(word, "")
    return password
