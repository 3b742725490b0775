"""What the verdicts on evidence and the words behind them mean, for who has to act on them and did not build it.

The verdicts and words themselves are those of docs/protocols/troad-evidence-1.md, section 3, and never change.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartgov.engines.troad.verification import Verdict
from smartgov.shared.text import Text

VERDICTS: Mapping[Verdict, Text] = {
    Verdict.VALID: Text(
        "It is genuine and unaltered, and an independent authority has certified its time.",
        "內容真實、未經更動，時間並經獨立之時戳機構證明。",
    ),
    Verdict.VALID_UNTIMESTAMPED: Text(
        "It is genuine and unaltered; its time rests on the agencies' own clocks alone.",
        "內容真實、未經更動；其時間僅以機關自身之時鐘為憑。",
    ),
    Verdict.UNKNOWN_STATUS: Text(
        "Nothing wrong was found, but what is here does not suffice as proof.", "未發現異常，但現有資料尚不足以證明。"
    ),
    Verdict.INVALID: Text("Do not rely on it: something does not fit.", "不可採信：內容有不符之處。"),
}
_ANCHORS_OR_FORGED = Text(
    "See first whether the folder of anchors belongs to this T-Road and is not out of date.",
    "請先確認信任來源資料夾屬於本 T-Road 且未過時。",
)
_KEEP = Text("Keep the file as it is and ask the agency for it anew.", "請原樣保存此檔案，並請該機關重新提供。")
_REPORT = Text("Keep everything as it is and tell the auditor in charge.", "請保留所有資料並通報主管稽核人員。")
_MEANINGS: Mapping[str, tuple[Text, Text]] = {
    "stamp-missing": (
        Text("No certified time was found.", "沒有經證明之時間。"),
        Text(
            "If you have not: put the certificate of the time-stamping authority into the anchors as `tsa.pem`.",
            "若尚未放置，請將時戳機構之憑證以 `tsa.pem` 存入信任來源資料夾。",
        ),
    ),
    "stamp-late": (
        Text("Its time was certified more than a day after the record.", "時間於紀錄逾一日後始獲證明。"),
        Text(
            "Ask the agency why the time-stamping authority was out of reach.", "請洽該機關說明當時何以未能取得時戳。"
        ),
    ),
    "witnesses": (
        Text("Fewer than two other agencies have signed that they saw this log.", "見證此日誌之其他機關不足二個。"),
        Text("Ask for the evidence again in ten minutes.", "請於十分鐘後重新索取證據。"),
    ),
    "configuration": (
        Text(
            "The list of members in it does not lead to your anchor, or is not of that time.",
            "檔內成員清單與信任來源不符，或非當時有效者。",
        ),
        _ANCHORS_OR_FORGED,
    ),
    "kept-head": (
        Text("A state of this log that you have kept is not linked to this one.", "您所保存之日誌狀態與此檔無法銜接。"),
        Text(
            "Ask for the evidence with `?have=` and the size of what you have kept.",
            "請以 `?have=` 加上所保存之大小重新索取。",
        ),
    ),
    "epoch": (
        Text("The log was restored, and lost more than it says for sure.", "日誌曾經還原，所載遺失範圍無法完全確認。"),
        _REPORT,
    ),
    "question": (
        Text("An answer stands without its question.", "僅有回應而無其請求。"),
        Text("Ask the other agency for the evidence too.", "請一併向他方機關索取證據。"),
    ),
    "member-key": (
        Text("An agency's key is not the one that you know from it.", "機關金鑰與您所知者不同。"),
        Text("Compare it with the agency by telephone.", "請以電話向該機關核對。"),
    ),
    "member-key-by-root": (
        Text("Only the holders of the root keys vouch for an agency's new key.", "機關新金鑰僅由根金鑰保管人背書。"),
        Text("Ask that agency; then add its key to `members.json`.", "請向該機關確認後，將其金鑰加入 `members.json`。"),
    ),
    "form": (
        Text("It is no evidence file, or it arrived damaged or cut short.", "並非證據檔，或檔案毀損、傳送不完整。"),
        Text("Fetch it again, and leave it as it comes.", "請重新取得，勿以其他程式開啟後另存。"),
    ),
    "order": (
        Text("Records are missing, or stand in another order.", "紀錄有缺漏或順序不符。"),
        _REPORT,
    ),
    "over": (Text("The state of the log does not cover its records.", "日誌狀態未涵蓋所附紀錄。"), _KEEP),
    "before": (Text("The earlier state of the log is not one of this log.", "較早之日誌狀態不屬於此日誌。"), _KEEP),
    "head": (Text("The state of the log is not signed by the log's key.", "日誌狀態並非以其金鑰簽署。"), _REPORT),
    "stamp": (
        Text(
            "The certified time does not fit, or is of an authority that you do not trust.",
            "時戳不符，或其機構不在您的信任來源內。",
        ),
        Text("See whether `tsa.pem` is the authority's certificate.", "請確認 `tsa.pem` 為該時戳機構之憑證。"),
    ),
    "log-key": (
        Text("The log is signed with a key that the list of members does not name.", "日誌以成員清單未列之金鑰簽署。"),
        _REPORT,
    ),
    "gateway-key": (
        Text("A gateway's key is not the one that its agency signed for.", "閘道金鑰與其機關所簽署者不符。"),
        _REPORT,
    ),
    "shorter": (Text("The log holds less than what you have kept of it.", "日誌內容少於您所保存者。"), _REPORT),
    "forked": (Text("There are two histories of this log.", "此日誌有兩種歷程。"), _REPORT),
    "tree": (
        Text("The records are not those that the log's state was signed over.", "紀錄與日誌簽署時之內容不符。"),
        _REPORT,
    ),
    "inclusion": (Text("A record is not in the log.", "紀錄不在日誌內。"), _REPORT),
    "exchange": (Text("A record is of another exchange.", "紀錄屬於另一筆交換。"), _KEEP),
    "back-dated": (Text("A record claims to be older than it can be.", "紀錄所載時間早於可能之時間。"), _REPORT),
    "post-dated": (Text("A record claims to be younger than it can be.", "紀錄所載時間晚於可能之時間。"), _REPORT),
    "signer": (
        Text("A message is signed by nobody who may speak for that agency.", "訊息之簽署者無權代表該機關。"),
        _REPORT,
    ),
    "signature": (Text("The signature on a message does not hold.", "訊息簽章不成立。"), _REPORT),
    "time": (Text("The time of a record and that of its signature differ.", "紀錄時間與簽章時間不符。"), _REPORT),
    "base": (Text("What was signed is not what the record names.", "所簽內容與紀錄所載者不符。"), _REPORT),
    "body": (Text("The body is not the one that was exchanged.", "本文並非當時所交換者。"), _REPORT),
    "veil": (Text("What was covered is not what the record commits to.", "遮蔽部分與紀錄所承諾者不符。"), _REPORT),
    "claims": (Text("What was signed says something else than the record.", "所簽內容與紀錄之記載不同。"), _REPORT),
}


def meaning(word: str) -> Text:
    """What a word behind a verdict means, and what to do."""
    found = _MEANINGS.get(word)
    if found is None:
        return Text.of(word)
    what, todo = found
    return Text(f"{what.en} {todo.en}", f"{what.zh}{todo.zh}")
