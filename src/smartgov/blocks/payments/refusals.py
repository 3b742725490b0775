"""The problems of `payments`: what happened, why, what to do."""

from __future__ import annotations

from smartgov.blocks.payments.domain import BATCH_TITLES, BatchState
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PAYMENT_DIFFERS = Problem(
    "payment-differs",
    409,
    what=Text("This payment was already ordered with another amount.", "這筆付款已用其他金額指示過。"),
    why=Text("One decision pays once.", "同一項決定只付一次。"),
    todo=Text("Correct or cancel the first instruction.", "請更正或取消先前的付款指示。"),
)
ACCOUNT_INVALID = Problem(
    "account-invalid",
    422,
    what=Text("This is not a bank account number.", "帳號格式不正確。"),
    why=Text(
        "A bank has three digits and an account ten to sixteen.", "金融機構代碼為三碼數字，帳號為十至十六碼數字。"
    ),
    todo=Text("Copy both from the passbook.", "請依存摺封面填寫。"),
)
BATCH_EMPTY = Problem(
    "batch-empty",
    409,
    what=Text("There is no payment to put into a batch.", "目前沒有待編批的付款。"),
    todo=Text("Payments appear here when a case with money is approved.", "有給付的案件核准後會出現在這裡。"),
)
BATCH_CHANGED = Problem(
    "batch-changed",
    409,
    what=Text("The batch has changed and is now void.", "批次內容已變動，批次已作廢。"),
    why=Text("Its lines are no longer those that were prepared.", "明細與編製時不同。"),
    todo=Text("Find out who changed it, and prepare a new batch.", "請查明變動原因，並重新編製批次。"),
)
NOT_THE_HASH_SEEN = Problem(
    "batch-hash-differs",
    409,
    what=Text("This is not the batch that you saw.", "這不是您剛才核對的批次。"),
    why=Text("The digest on your page is not the batch's digest.", "頁面上的雜湊值與批次不符。"),
    todo=Text("Reload the page and check every line again.", "請重新整理頁面並再次核對每一筆。"),
)
SECOND_PERSON = Problem(
    "second-person-needed",
    403,
    what=Text("Another person must release this batch.", "此批次須由另一人放行。"),
    why=Text(
        "You prepared it, decided one of its cases or corrected one of its accounts, in this seat or in another.",
        "您（以這個或其他席位）曾編製此批次、核定其中案件或更正其中帳戶。",
    ),
    todo=Text("Ask a colleague who has had no part in it.", "請未參與的同仁放行。"),
)
OFFICER_NEEDED = Problem(
    "officer-needed",
    403,
    what=Text("Only an officer in a seat may do this.", "僅限在席位上的承辦人員執行。"),
    todo=Text("Sign in to your seat.", "請登入您的席位。"),
)
FILE_TWICE = Problem(
    "bank-file-twice",
    409,
    what=Text("This result was already applied; nothing was applied again.", "此結果檔已套用過，未重複套用。"),
    why=Text("A batch has one result.", "每一批次只有一份結果。"),
    todo=Text("Nothing to do.", "無須處理。"),
)
BATCH_UNKNOWN = Problem(
    "bank-batch-unknown",
    422,
    what=Text("The bank's result file was refused; nothing of it was applied.", "銀行結果檔未被接受，未套用任何一筆。"),
    why=Text("This agency has sent no such batch.", "本機關未送出過這個批次。"),
    todo=Text("Check that the file is meant for this agency.", "請確認檔案是否為本機關所有。"),
)
PAYMENT_MOVED = Problem(
    "payment-moved",
    409,
    what=Text("Somebody has just worked on this payment.", "剛才已有人處理這筆付款。"),
    todo=Text("Reload the page.", "請重新整理頁面。"),
)
BANK_UNREACHABLE = Problem(
    "bank-unreachable",
    503,
    what=Text("The bank does not answer.", "銀行沒有回應。"),
    todo=Text("Nothing is lost; it is sent again by itself.", "資料不會遺失，系統會自動重送。"),
)


def batch_is(state: str) -> Problem:
    """The batch is in a state in which this cannot be done."""
    title = BATCH_TITLES[BatchState(state)]
    return Problem(
        "batch-step-refused",
        409,
        what=Text("This cannot be done with this batch now.", "這個批次目前不能這樣處理。"),
        why=Text(f"It is: {title.en}.", f"批次狀態為「{title.zh}」。"),
        todo=Text("Reload the page.", "請重新整理頁面。"),
        state=state,
    )


def of_the_bank(slug: str) -> Text:
    """In words, what went wrong when a batch went to the bank or its result came back."""
    known = {one.slug: one for one in (BANK_UNREACHABLE, BATCH_UNKNOWN, FILE_TWICE)}.get(slug)
    if known is None:
        return Text(f"The bank's result cannot be applied ({slug}).", f"銀行結果無法套用（{slug}）。")
    return Text(f"{known.what.en} {known.todo.en}", f"{known.what.zh}{known.todo.zh}")
