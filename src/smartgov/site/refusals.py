"""What the site itself refuses, before or instead of a block: each with what happened, why, and what to do."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

NOT_FOUND = Problem(
    "not-found",
    404,
    what=Text("This page or record was not found.", "找不到這個頁面或資料。"),
    why=Text("The address is wrong, or it belongs to somebody else.", "網址有誤，或這筆資料屬於他人。"),
    todo=Text("Check the address, or start from the home page.", "請檢查網址，或從首頁重新開始。"),
)
UNEXPECTED = Problem(
    "unexpected",
    500,
    what=Text("Something went wrong on our side.", "系統發生錯誤。"),
    why=Text("Nothing that you had saved is lost.", "您已儲存的內容不會遺失。"),
    todo=Text("Try again in a few minutes.", "請過幾分鐘再試一次。"),
)
UNAUTHENTICATED = Problem(
    "unauthenticated",
    401,
    what=Text("This request carries no accepted proof of who sends it.", "這個請求沒有可接受的身分證明。"),
    todo=Text("Send the credential that the documentation names.", "請附上文件所列的憑證。"),
)
MALFORMED = Problem(
    "request-malformed",
    400,
    what=Text("The request cannot be read.", "無法讀取這個請求。"),
    why=Text("Its form is broken, or it was cut short.", "格式不正確，或傳送不完整。"),
    todo=Text("Send it again as the documentation describes.", "請依文件所述的格式重新傳送。"),
)
FORBIDDEN = Problem(
    "forbidden",
    403,
    what=Text("This request is not allowed.", "不允許這個請求。"),
    todo=Text("Start from the home page, or ask the operator.", "請從首頁重新開始，或洽詢維運人員。"),
)
NOT_FROM_OUR_PAGE = Problem(
    "not-from-our-page",
    403,
    what=Text("The form was not sent from a page of ours.", "表單並非由本站的頁面送出。"),
    why=Text("The page was open for too long, or another site sent it.", "頁面開啟過久，或由其他網站送出。"),
    todo=Text("Open the page again and send the form once more.", "請重新開啟頁面，再送出一次。"),
)
METHOD_NOT_ALLOWED = Problem(
    "method-not-allowed",
    405,
    what=Text("This address does not take this method.", "這個網址不接受這種請求方法。"),
    todo=Text("Use a method that the header Allow names.", "請使用 Allow 標頭所列的方法。"),
)
TOO_LARGE = Problem(
    "request-too-large",
    413,
    what=Text("The request is too large.", "請求的內容過大。"),
    todo=Text("Send less at once.", "請減少一次傳送的內容。"),
)
NOT_JSON = Problem(
    "media-type-unsupported",
    415,
    what=Text("The body of this request must be JSON.", "這個請求的內容必須是 JSON。"),
    todo=Text("Send it with Content-Type: application/json.", "請以 Content-Type: application/json 傳送。"),
)
TOO_MANY = Problem(
    "too-many-requests",
    429,
    what=Text("There were too many requests.", "請求次數過多。"),
    todo=Text("Wait a minute, then try again.", "請稍候一分鐘再試。"),
)

NUL_IN_FORM = Problem(
    MALFORMED.slug,
    400,
    what=Text("What you wrote cannot be taken.", "無法收下您填寫的內容。"),
    why=Text(
        "It holds an invisible character (NUL); those come along with text that is pasted from another program.",
        "內容含有看不見的字元（NUL），多是從其他程式貼上文字時帶入。",
    ),
    todo=Text(
        "Go back: what you wrote is still there. Delete what you had pasted, type it anew and send it again.",
        "請回上一頁，您填寫的內容仍在。刪除貼上的部分，自行輸入後再送出。",
    ),
)
NUL_IN_ADDRESS = Problem(
    MALFORMED.slug,
    400,
    what=Text("This address cannot be read.", "無法讀取這個網址。"),
    why=Text("It holds a character that no address of ours has.", "網址含有本站不會使用的字元。"),
    todo=Text("Check the address, or start from the home page.", "請檢查網址，或從首頁重新開始。"),
)
FOR_PEOPLE = {
    MALFORMED: Problem(
        MALFORMED.slug,
        400,
        what=Text("What was sent cannot be read.", "無法讀取送出的內容。"),
        why=Text(
            "It was cut short on the way, or holds what this page does not take.",
            "內容傳送不完整，或含有此頁不接受的部分。",
        ),
        todo=Text(
            "Go back, look through what you wrote and send it again; or start from the home page.",
            "請回上一頁檢查填寫的內容後再送出，或從首頁重新開始。",
        ),
    ),
    METHOD_NOT_ALLOWED: Problem(
        METHOD_NOT_ALLOWED.slug,
        405,
        what=Text("This page cannot be opened in this way.", "這個頁面不能這樣開啟。"),
        why=Text("It answers a form, or only shows something.", "此頁只接受表單，或僅供檢視。"),
        todo=Text("Go back to the page before, or start from the home page.", "請回上一頁，或從首頁重新開始。"),
    ),
}
"""What people read on a page where programs read the problem that is the key: the same type, without documentation."""

BY_STATUS = {
    problem.status: problem
    for problem in (
        MALFORMED,
        UNAUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        TOO_LARGE,
        NOT_JSON,
        TOO_MANY,
        UNEXPECTED,
    )
}


def of_status(status: int) -> Problem:
    """The problem that a bare status means; one we have no words for keeps its number."""
    known = BY_STATUS.get(status)
    if known is not None:
        return known
    like = UNEXPECTED if status >= 500 else MALFORMED
    return Problem(like.slug, status, what=like.what, why=like.why, todo=like.todo)


def with_nul(method: str | None) -> Problem:
    """What a person reads whose form, or else whose address, holds a NUL."""
    return NUL_IN_FORM if method == "POST" else NUL_IN_ADDRESS


def of_exception(error: Exception) -> Problem:
    """The problem behind what Django calls a bad request."""
    return TOO_LARGE if isinstance(error, RequestDataTooBig) else MALFORMED
