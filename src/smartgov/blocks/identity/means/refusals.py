"""What is said to a person whose proof was not taken; reasons that would help a thief are not told apart."""

from __future__ import annotations

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.ports import Reason
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text

_AGAIN = Text("Start again when you are ready.", "準備好後請重新開始。")
_OTHER = Text("Start again, or sign in in another way.", "請重新開始，或改用其他方式登入。")


def refused(reason: Reason) -> Problem:
    """Why an answer was none."""
    made = {
        "cancelled": ("means-cancelled", Text("You cancelled it.", "您已取消。"), _AGAIN),
        "expired": ("means-expired", Text("Time ran out.", "已逾時。"), _AGAIN),
        "pin-locked": (
            "card-locked",
            Text("Your card is locked: its PIN was wrong three times.", "您的卡片已鎖定：PIN 碼連續輸入錯誤三次。"),
            Text(
                "Unlock it with your user code on the authority's site, or at a household registration office. Until"
                " then sign in in another way.",
                "請以用戶代碼至內政部憑證管理中心網站解鎖，或洽戶政事務所辦理；在此之前請改用其他方式登入。",
            ),
        ),
        "card-absent": (
            "card-absent",
            Text("There was no card in the reader.", "讀卡機中沒有卡片。"),
            Text("Insert it, then start again.", "請插入卡片後重新開始。"),
        ),
    }.get(reason)
    if made is None:
        return domain.sign_in_refused()
    slug, why, todo = made
    return Problem(slug, 403, what=Text("You are not signed in.", "登入未成功。"), why=why, todo=todo)


def revoked() -> Problem:
    """The certificate counts no more."""
    return Problem(
        "certificate-revoked",
        403,
        what=Text("You are not signed in.", "登入未成功。"),
        why=Text("Your certificate was revoked or suspended.", "您的憑證已廢止或暫時停用。"),
        todo=Text(
            "Ask the authority for a new one, or sign in in another way.", "請重新申辦憑證，或改用其他方式登入。"
        ),
    )


def standing_unknown() -> Problem:
    """Nobody can say whether the certificate is still good, and here that has to be known."""
    return Problem(
        "certificate-standing-unknown",
        503,
        what=Text("Nothing was signed.", "未完成簽署。"),
        why=Text(
            "The authority cannot say now whether your certificate is still in force.",
            "目前無法向憑證機構確認您的憑證是否有效。",
        ),
        todo=TRY_AGAIN,
    )


def unreachable() -> Problem:
    """The service behind a means does not answer."""
    return Problem(
        "means-unreachable",
        503,
        what=Text("The Ministry's service does not answer.", "內政部的服務目前沒有回應。"),
        why=Text("It may be under maintenance.", "可能正在維護。"),
        todo=_OTHER,
    )


def another_person() -> Problem:
    """The number that was typed does not belong to the certificate."""
    return Problem(
        "certificate-of-another",
        403,
        what=Text("You are not signed in.", "登入未成功。"),
        why=Text(
            "The national id does not belong to this certificate, or nobody with it has an account here.",
            "身分證統一編號與憑證不符，或查無帳號。",
        ),
        todo=Text("Look at the number again, then start again.", "請確認號碼後重新開始。"),
    )
