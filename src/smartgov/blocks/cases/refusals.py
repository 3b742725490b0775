"""The problems of `cases`: what happened, why, what to do."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

CASE_DIFFERS = Problem(
    "case-differs",
    409,
    what=Text("A case with this id was already received with other content.", "相同編號的案件已收件，但內容不同。"),
    why=Text("An application part becomes one case.", "同一申請項目只成立一個案件。"),
    todo=Text("Send the first content again, or ask for a supplement.", "請重送原內容，或改以補件方式更正。"),
)
NOT_YOUR_PART = Problem(
    "part-not-here",
    403,
    what=Text("This agency does not decide this part, or not for you.", "本機關不受理這個項目或此來源的案件。"),
    why=Text(
        "Parts come from the portal, or from the agency that decided before.", "案件僅能由服務入口或前一審核機關送入。"
    ),
    todo=Text("Send it to the agency that the catalogue names.", "請送至服務目錄所列機關。"),
)
PARTY = Problem(
    "party-decides",
    403,
    what=Text("You may not work on this case.", "您不得承辦此案件。"),
    why=Text(
        "You are a party to it (Administrative Procedure Act, article 32).",
        "您是本案當事人（行政程序法第32條應自行迴避）。",
    ),
    todo=Text("Leave it to a colleague.", "請交由其他同仁辦理。"),
)
CASE_MOVED = Problem(
    "case-moved",
    409,
    what=Text("Somebody has just worked on this case.", "剛才已有人處理此案件。"),
    why=Text("What you saw is no longer what is there.", "您看到的內容已不是最新狀態。"),
    todo=Text("Look at the case again, then decide.", "請重新檢視案件後再決定。"),
)
RULE_NOT_CITED = Problem(
    "rule-not-cited",
    422,
    what=Text("A decision cites its legal basis and its reason.", "決定須載明法令依據與理由。"),
    why=Text("One of them is empty or unknown.", "法令依據或理由空白或不存在。"),
    todo=Text("Choose the legal basis and write the reason.", "請選擇法令依據並填寫理由。"),
)
QUESTION_EMPTY = Problem(
    "supplement-empty",
    422,
    what=Text("The question is empty.", "補件內容空白。"),
    todo=Text("Write what the applicant should answer.", "請寫明需要申請人補正的內容。"),
)
VALUES_MISSING = Problem(
    "decision-values-missing",
    422,
    what=Text("The case cannot be approved yet.", "案件尚無法核准。"),
    why=Text(
        "The register or the payment needs a value that the rule could not give.",
        "登載或撥款所需的數值，規則目前無法得出。",
    ),
    todo=Text("Ask for a supplement, fetch the facts again, or refuse.", "請通知補件、重新查詢資料，或駁回。"),
)
SUPPLEMENT_ANSWERED = Problem(
    "supplement-closed",
    410,  # not a conflict that passes: whoever brings the answer need not come again
    what=Text("This question was already answered, or its time is over.", "此補件已回覆或已逾期。"),
    why=Text(
        "A question is answered once, in time, and before the decision.", "每項補件僅得於期限內、決定前回覆一次。"
    ),
    todo=Text("Wait for the officer's next step.", "請等候承辦人員的下一步。"),
)
BIRTH_INVALID = Problem(
    "birth-invalid",
    422,
    what=Text("The notification is not complete.", "出生通報內容不完整。"),
    todo=Text("Correct the marked fields.", "請修正標示的欄位。"),
)
CHILD_MISSING = Problem(
    "child-missing",
    422,
    what=Text("The message does not say which child was registered.", "訊息未載明已登記的是哪一名子女。"),
    why=Text("Without it the facts of a brother or sister could be taken.", "缺少時可能誤用其他子女的資料。"),
    todo=Text("Send it with `child`.", "請附上 child。"),
)
