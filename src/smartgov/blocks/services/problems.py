"""What can go wrong on the citizen's side, in words: each says what to do."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def service_unknown() -> Problem:
    """No such service in the catalogue."""
    return Problem(
        "service-unknown",
        404,
        what=Text("There is no such service.", "沒有這項服務。"),
        why=Text("The address is wrong or the service has ended.", "網址有誤，或這項服務已經停辦。"),
        todo=Text("Choose a service from the list.", "請從服務清單選擇。"),
    )


def not_a_draft() -> Problem:
    """The application has been handed in or withdrawn."""
    return Problem(
        "application-not-draft",
        409,
        what=Text("This application can no longer be changed.", "這份申請已不能再修改。"),
        why=Text(
            "It has been handed in or withdrawn, perhaps in another window.",
            "它已送出或撤回，可能是在另一個視窗完成的。",
        ),
        todo=Text("Look at its progress from your wall.", "請回到服務牆查看進度。"),
    )


def application_incomplete() -> Problem:
    """Handed in before every question was answered."""
    return Problem(
        "application-incomplete",
        409,
        what=Text("Some questions are not answered yet.", "還有問題尚未作答。"),
        why=Text("An earlier answer may have opened a new question.", "可能因為前面的答案而出現新的問題。"),
        todo=Text(
            "We take you to the first open question; your answers are kept.",
            "我們會帶您到第一個未答的問題，已填內容都會保留。",
        ),
    )


def different_body(slug: str) -> Problem:
    """The same id came again with another content."""
    return Problem(
        slug,
        409,
        what=Text("This id was used before with another content.", "此識別碼已用於不同的內容。"),
        why=Text("A repeated message must be identical.", "重送的訊息內容必須相同。"),
        todo=Text("Send it under a new id, or send the first content again.", "請使用新的識別碼，或重送原內容。"),
    )


def supplement_over() -> Problem:
    """The day by which the question was to be answered has passed."""
    return Problem(
        "supplement-over",
        410,
        what=Text("The time to answer this question is over.", "此補件的回覆期限已過。"),
        why=Text("The agency goes on with what it has.", "機關將依現有資料繼續審查。"),
        todo=Text(
            "Call the agency if you could not answer in time; its case number is on the progress page.",
            "如未能於期限內回覆，請洽該機關；案件編號列於進度頁。",
        ),
    )


def supplement_closed() -> Problem:
    """The question was answered already."""
    return Problem(
        "supplement-answered",
        409,
        what=Text("You have already answered this question.", "您已經回答過這個問題。"),
        why=Text("The answer is with the agency, or on its way.", "您的回答已送達機關，或正在傳送。"),
        todo=Text(
            "Look at the progress page; the agency asks again if it needs more.",
            "請查看進度頁；若仍有需要，機關會再次詢問。",
        ),
    )


def document_unavailable() -> Problem:
    """The issuing agency does not answer."""
    return Problem(
        "document-unavailable",
        503,
        what=Text("The certificate cannot be fetched right now.", "目前無法取得電子證明。"),
        why=Text(
            "The issuing agency does not answer. The certificate itself is safe there.",
            "核發機關暫無回應，證明仍妥善保存於該機關。",
        ),
        todo=Text("Try again in a few minutes.", "請過幾分鐘再試一次。"),
    )
