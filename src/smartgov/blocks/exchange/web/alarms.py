"""What a gateway's alarms mean and what to do, for the page of members; the operator's manual says more of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Said:
    """An alarm in words, with its code beside, by which the manual and the program's log know it."""

    code: str
    what: Text
    todo: Text


_TELL = Text("Keep the folder of the log and tell the auditor.", "請保留日誌資料夾並通知稽核人員。")
_MEANINGS: Mapping[str, tuple[Text, Text]] = {
    "timestamps-missing": (
        Text("The time-stamping authority does not answer.", "時戳機構沒有回應。"),
        Text("Call it: after the time that is set, exchanges stop.", "請聯絡該機構：逾設定時限後將停止交換。"),
    ),
    "witnesses-missing": (
        Text("Too few other members co-sign its log.", "會簽其日誌之其他成員不足。"),
        Text("See whether their gateways can be reached.", "請確認能否連通其他成員之閘道。"),
    ),
    "log-shorter-than-witnessed": (
        Text("Others have seen more of this log than it holds.", "其他成員所見之日誌較現有者長。"),
        _TELL,
    ),
    "witness-refuses:": (Text("Another member knows another past of this log.", "其他成員所知之日誌歷程不同。"), _TELL),
    "log-altered": (
        Text("The file of its log was changed outside the gateway.", "日誌檔案曾在閘道外遭變更。"),
        Text(
            "Keep a copy of its folder, tell the auditor, and read the manual before you restore.",
            "請複製資料夾保存並通知稽核人員；還原前請先閱讀手冊。",
        ),
    ),
    "log-forked:": (
        Text("Another member shows two histories of its log.", "另一成員出示兩種日誌歷程。"),
        Text("Keep what the witness holds and tell the auditor.", "請保留見證資料並通知稽核人員。"),
    ),
    "log-restored": (
        Text(
            "This log is not the one that others have seen, or a restore waits for its witnesses.",
            "日誌與其他成員所見不同，或還原作業仍待見證。",
        ),
        Text("Read “Backup of a gateway” in the operator's manual.", "請參閱維運手冊「閘道備份與還原」。"),
    ),
    "log-restored:": (Text("Another gateway restored its log from a backup.", "另一閘道曾自備份還原日誌。"), _TELL),
    "epoch-opened:": (
        Text(
            "This gateway was restored from a backup; what came after it is lost.",
            "此閘道曾自備份還原；備份後之紀錄已遺失。",
        ),
        Text("Keep the lost folder if there is one, and tell the auditor.", "如仍有原資料夾請保留，並通知稽核人員。"),
    ),
    "log-rekeyed:": (
        Text("Another member's log goes on under another key.", "另一成員之日誌改以其他金鑰簽署。"),
        Text("Ask that member by telephone whether it meant to.", "請以電話向該成員確認是否為其本意。"),
    ),
    "configuration-differs:": (
        Text("Two members hold different configurations of one version.", "兩成員持有同一版次但內容不同之組態。"),
        Text(
            "Change nothing in the configuration; keep both folders, tell the auditor and who holds the root keys.",
            "請勿再變更組態；保留雙方資料夾，並通知稽核人員與根金鑰保管人。",
        ),
    ),
    "archive-does-not-fit": (
        Text("An archive lies in its folder that is none of this log.", "資料夾中有不屬於此日誌之封存檔。"),
        Text("Keep the file and tell the auditor.", "請保留該檔案並通知稽核人員。"),
    ),
    "certificate-ends": (
        Text("Its certificate ends soon and was not renewed.", "憑證即將屆期而尚未更新。"),
        Text("`smartgov gateway renew` says why.", "執行 `smartgov gateway renew` 可得知原因。"),
    ),
    "certificate-ended": (
        Text("Its certificate has ended.", "憑證已屆期。"),
        Text(
            "`smartgov gateway renew` says why it was not renewed.",
            "執行 `smartgov gateway renew` 可得知未更新之原因。",
        ),
    ),
    "offer-ends": (
        Text(
            "What its member has signed (services, rights, keys) ends within days.",
            "成員所簽署之服務、權限與金鑰即將屆期。",
        ),
        Text(
            "Have it signed again: `smartgov gateway offer`, then `--sign`.",
            "請重新簽署：執行 `smartgov gateway offer`，再加上 `--sign`。",
        ),
    ),
    "revocation-list-old": (
        Text("The list of revoked certificates is over its end.", "廢止憑證清單已逾期。"),
        Text(
            "Ask the centre to publish: after another day its certificates are refused.",
            "請通知中心發布：再逾一日將拒絕其憑證。",
        ),
    ),
    "handover-refused": (
        Text("A file of a handover was not taken.", "移交檔案未被接受。"),
        Text("Write it again at the gateway that hands over.", "請於移交之閘道重新產生檔案。"),
    ),
    "systems-unreadable": (
        Text(
            "What is kept of the systems behind it cannot be read; it goes on with what it knew.",
            "無法讀取其後方系統之設定；目前沿用已知內容。",
        ),
        Text(
            "Look at `systems.json` in its folder; restore it from the backup.",
            "請檢視資料夾內之 `systems.json`，並自備份還原。",
        ),
    ),
    "exchanges-differ:": (
        Text(
            "It and another gateway do not hold the same exchanges of one hour.",
            "與另一閘道在某一小時內之交換紀錄不一致。",
        ),
        Text(
            "Run `smartgov verify` on both folders; if none was restored, tell the auditor.",
            "請以 `smartgov verify` 檢查雙方資料夾；若無還原情事請通知稽核人員。",
        ),
    ),
    "exchanges-not-compared:": (
        Text(
            "For hours another gateway has not told which exchanges it had with it.",
            "另一閘道已有數小時未告知其與本閘道之交換紀錄。",
        ),
        Text(
            "Test the connection to it; if it works, ask its operator, and tell the auditor if he cannot say why.",
            "請測試與該閘道之連線；連線正常時請洽其管理人員，無法說明原因者請通知稽核人員。",
        ),
    ),
    "comparison-fails": (
        Text("It cannot read its log to compare it with other gateways.", "無法讀取日誌以與其他閘道比對。"),
        Text(
            "Its program's log names the error; see whether the disk has room for temporary files.",
            "程式日誌載有錯誤名稱；請檢視磁碟是否有空間存放暫存檔。",
        ),
    ),
}
_UNKNOWN = (
    Text("An alarm of this name stands.", "有此名稱之警示。"),
    Text("Its program's log says more.", "詳見其程式日誌。"),
)


def said(code: str) -> Said:
    """The words for an alarm; what follows a colon names what it is about and stays as it is."""
    kind, colon, _ = code.partition(":")
    return Said(code, *_MEANINGS.get(kind + colon, _UNKNOWN))
