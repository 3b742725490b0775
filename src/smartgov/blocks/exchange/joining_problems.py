"""Why a letter to the centre, or an officer's decision, is not carried out."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_LETTER = Text("The letter is not acted on.", "此信未予處理。")
_JOIN = Text("The request to join is not accepted.", "加入申請未被接受。")

REPLAYED = Problem(
    "letter-replayed",
    409,
    what=_LETTER,
    why=Text("It, or a newer one, was received before.", "先前已收過此信或較新的信。"),
    todo=Text("Write a new one.", "請重新產生。"),
)
FULL = Problem(
    "joining-full",
    503,
    what=_JOIN,
    why=Text("Too many requests wait for an officer.", "等候承辦人審核的申請過多。"),
    todo=Text("Try again tomorrow, or ring up the centre.", "請明日再試，或致電管理中心。"),
)
WAITING = Problem(
    "join-waiting",
    409,
    what=_JOIN,
    why=Text("Another request of this member waits already.", "此成員已有申請等候審核。"),
    todo=Text(
        "If you made it, run the command again in the home folder that made it, or have the centre turn it down. If it"
        " is not yours, have it turned down: somebody may be using your name.",
        "若為貴機關所提，請於原資料夾重新執行，或請管理中心駁回；若非貴機關所提，請通知駁回：可能有人冒名。",
    ),
)
EXISTS = Problem(
    "member-exists",
    409,
    what=_JOIN,
    why=Text(
        "This member is on T-Road with another key, and nothing proves that these keys replace it.",
        "此成員已以其他金鑰加入，且無證明顯示新金鑰取代舊金鑰。",
    ),
    todo=Text(
        "Give --old-home; if the old key is lost, a --rotation of the root keys, which takes 72 hours and alarms all.",
        "請提供 --old-home；舊金鑰遺失時，須以根金鑰聲明 --rotation，等候 72 小時並全體示警。",
    ),
)
JOINED = Problem(
    "gateway-joined",
    409,
    what=_JOIN,
    why=Text("This gateway is on T-Road with these keys.", "此閘道已以這些金鑰加入。"),
    todo=Text("Start it; `smartgov gateway renew` gives it a certificate.", "請直接啟動；可用 renew 取得憑證。"),
)
UNKNOWN = Problem(
    "letter-unknown",
    404,
    what=Text("There is nothing of that name for you.", "查無您所指的項目。"),
    why=Text("It does not exist, has been decided, or belongs to another.", "不存在、已決定，或屬於他人。"),
    todo=Text("Correct the name, or begin anew.", "請更正名稱或重新開始。"),
)
DECIDED = Problem(
    "join-decided",
    409,
    what=Text("This request to join is not open any more.", "這件加入申請已不在審核中。"),
    why=Text("It was approved or turned down before, or has lapsed.", "先前已核准、駁回，或已逾期失效。"),
    todo=Text("Its state stands under the earlier requests.", "請見下方先前之申請。"),
)
NOT_ITS_KEY = Problem(
    "letter-not-own",
    403,
    what=_LETTER,
    why=Text("It is not signed with the registered keys of the gateway.", "未以該閘道登記的金鑰簽署。"),
    todo=Text("Write it on the gateway's own machine.", "請於該閘道主機產生。"),
)
REVOKED = Problem(
    "gateway-revoked",
    403,
    what=Text("The certificate is not renewed.", "憑證未予更新。"),
    why=Text("The centre has revoked this gateway's certificate.", "管理中心已廢止此閘道的憑證。"),
    todo=Text("Join again with new keys (--old-home).", "請以新金鑰重新加入（--old-home）。"),
)
TOO_OFTEN = Problem(
    "orders-too-many",
    429,
    what=Text("The certificate is not ordered.", "未受理憑證申請。"),
    why=Text("This gateway has ordered too many within the hour.", "此閘道一小時內申請過多。"),
    todo=Text("Try again in an hour.", "請一小時後再試。"),
    retry_after=3600,
)
MISMATCH = Problem(
    "fingerprint-mismatch",
    409,
    what=Text("The request is not approved.", "申請未核准。"),
    why=Text("What you were told is not the end of this fingerprint.", "對方告知的並非此指紋的末段。"),
    todo=Text(
        "Ring up the applicant again at a number that you know; refuse the request if it stays so.",
        "請以已知電話再次聯絡申請者；若仍不符請駁回。",
    ),
)
NO_REASON = Problem(
    "reason-missing",
    422,
    what=Text("Nothing was decided.", "尚未作成決定。"),
    why=Text("The reason is missing.", "缺少理由。"),
    todo=Text("Give the reason.", "請填寫理由。"),
)
