"""Every way in which a gateway says no: one stable problem type each, in both languages.

The table is the specification; `docs/protocols/troad-2.md` lists it and a test compares the two.
"""

from __future__ import annotations

from typing import Any

from smartgov.engines.troad.refusals import REQUEST_TABLE
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_ASK_OPERATOR = ("Ask the operator of your gateway.", "請洽您機關的閘道維運人員。")
_ASK_PEER = ("Tell the other agency's operator.", "請通知對方機關的維運人員。")
_CORRECT = ("Correct the request and send it again.", "請修正請求後重新傳送。")
_APPLY = (
    "Ask for it with `smartgov gateway right ask`. A granted right counts a minute after its provider has signed.",
    "請於服務頁面或以 `smartgov gateway right ask` 申請；核准之權限於提供者簽署後一分鐘內生效。",
)
_LATER = ("Try again later; nothing was lost.", "請稍後再試；資料未遺失。")
_CHECK = (
    "Have your gateway's operator run `smartgov gateway check`: it names the step that fails and what to do.",
    "請閘道維運人員執行 `smartgov gateway check`，查看失敗步驟及處理方式。",
)
_COMPARE = (
    "Have both operators run `smartgov gateway check` and `ping`; the exchange's id is in both gateways' logs.",
    "請雙方維運人員執行 `smartgov gateway check` 與 `ping`；交換編號見於雙方閘道日誌。",
)
_CONSENT = ("Ask the person for a new consent.", "請重新取得當事人同意。")

_Pair = tuple[str, str]
TABLE: dict[str, tuple[int, _Pair, _Pair, _Pair]] = {
    # -- the configuration
    "configuration-expired": (
        503,
        ("T-Road's configuration has expired.", "T-Road 設定已過期。"),
        (
            "The centre's list of members ended over 24 hours ago and no newer one came; nothing is exchanged on it.",
            "管理中心的成員清單已失效逾 24 小時且未收到新版，依此不收送任何訊息。",
        ),
        _CHECK,
    ),
    "configuration-missing": (
        503,
        ("The gateway has no configuration yet.", "閘道尚無設定。"),
        (
            "It has not received a signed list of members: it has not joined yet, or does not reach the centre.",
            "尚未收到已簽章的成員清單：可能尚未加入，或無法連上管理中心。",
        ),
        _CHECK,
    ),
    "maintenance": (
        503,
        ("The gateway is under maintenance.", "閘道維護中。"),
        ("It finishes what runs and takes nothing new.", "正在完成進行中的交換，暫不接受新的請求。"),
        ("Ask again after the time that Retry-After says.", "請於 Retry-After 所示時間後重試。"),
    ),
    # -- the address and the caller
    "address-invalid": (
        400,
        ("The address is not one of T-Road.", "這不是 T-Road 的位址。"),
        (
            "It must read /r1/instance/class/member/subsystem/service/path.",
            "格式應為 /r1/instance/class/member/subsystem/service/path。",
        ),
        _CORRECT,
    ),
    "credentials-invalid": (
        401,
        ("The information system is not known here.", "不認得此資訊系統。"),
        ("Its secret is missing or wrong.", "密鑰缺漏或錯誤。"),
        (
            "Send `Authorization: Bearer` with the secret that lies under secrets/ in the gateway's home.",
            "請以 `Authorization: Bearer` 附上閘道資料夾 secrets/ 內之密鑰，可向維運人員取得。",
        ),
    ),
    "not-allowed-here": (
        403,
        ("This information system may not do this.", "此資訊系統無權執行此動作。"),
        (
            "Its gateway's settings do not give it this ability, or another system or gateway of the member has it.",
            "閘道設定未賦予此能力，或由該成員的其他系統或閘道負責。",
        ),
        (
            "Ask the gateway's operator, who gives abilities with `smartgov gateway system`.",
            "請洽閘道維運人員，以 `smartgov gateway system` 賦予能力。",
        ),
    ),
    "client-unknown": (
        403,
        ("The asking information system is not registered.", "提出請求的資訊系統未登記。"),
        ("No member has registered this subsystem.", "沒有成員登記此子系統。"),
        (
            "Register the system with `smartgov gateway system add`, or on the centre's page of your agency.",
            "請以 `smartgov gateway system add` 或於管理中心的機關頁面登記此系統。",
        ),
    ),
    "client-mismatch": (
        403,
        ("The asking information system belongs to another member.", "提出請求的資訊系統屬於其他成員。"),
        ("Only its owner's gateway may speak for it.", "僅其所屬機關的閘道可代表它。"),
        (
            "Name your own system in X-Road-Client, with its own secret.",
            "請於 X-Road-Client 填寫自己的系統，並使用該系統的密鑰。",
        ),
    ),
    "service-unknown": (
        404,
        ("There is no such service.", "沒有這項服務。"),
        ("No member offers it, or its gateway does not know where it is.", "沒有成員提供，或其閘道不知所在。"),
        (
            "Look it up with listMethods. If it is there, its agency names its address: `smartgov gateway service`.",
            "請以 listMethods 查詢；若已列出，請提供機關以 `smartgov gateway service` 設定位址。",
        ),
    ),
    # -- the message
    "signature-missing": (
        401,
        ("The message is not signed as T-Road requires.", "訊息未依 T-Road 規定簽章。"),
        ("A signature or one of the parts that it must cover is missing.", "缺少簽章或應涵蓋的部分。"),
        _ASK_PEER,
    ),
    "signer-unknown": (
        401,
        ("The signer is not registered.", "簽章者未登記。"),
        ("No registered gateway has this key.", "沒有已登記的閘道持有此金鑰。"),
        _ASK_PEER,
    ),
    "signature-invalid": (
        401,
        ("The signature is wrong.", "簽章錯誤。"),
        ("Another key signed, or a signed part was changed on the way.", "由其他金鑰簽署，或已簽署的部分遭更動。"),
        _ASK_PEER,
    ),
    "peer-unknown": (
        403,
        ("The connection comes from an unregistered gateway.", "連線來自未登記的閘道。"),
        ("Its TLS certificate is not in the configuration.", "其 TLS 憑證不在設定中。"),
        _ASK_PEER,
    ),
    "peer-certificate-ended": (
        403,
        ("The other gateway's certificate has ended.", "對方閘道的憑證已過期。"),
        ("It was not renewed in time, or the clocks differ.", "未及時更新，或雙方時鐘不一致。"),
        (
            "Its operator runs `smartgov gateway renew`; if it is in date there, compare the clocks.",
            "請其維運人員執行 `smartgov gateway renew`；若憑證未過期，請核對雙方時鐘。",
        ),
    ),
    "peer-revoked": (
        403,
        ("The other gateway's certificate is revoked.", "對方閘道的憑證已廢止。"),
        ("The centre has put it on the revocation list.", "管理中心已將其列入廢止清冊。"),
        _ASK_PEER,
    ),
    "revocation-unknown": (
        503,
        ("It is not known whether the other gateway's certificate still counts.", "無法得知對方閘道的憑證是否仍有效。"),
        ("The newest revocation list is older than the policy allows.", "最新的廢止清冊已超過政策允許的期限。"),
        (
            "The centre has to publish a new list; `smartgov gateway check` says whether configurations still come.",
            "須由管理中心發布新清冊；請以 `smartgov gateway check` 確認閘道仍收得到設定。",
        ),
    ),
    "peer-mismatch": (
        403,
        ("The connection and the signature belong to different gateways.", "連線與簽章分屬不同閘道。"),
        ("TLS certificate and message key must be of one registered gateway.", "TLS 憑證與訊息金鑰須屬同一閘道。"),
        _ASK_PEER,
    ),
    "receiver-mismatch": (
        421,
        ("The message is meant for another gateway.", "訊息的收件者是其他閘道。"),
        ("It names another member or gateway than this one.", "它指定的成員或閘道不是本閘道。"),
        _ASK_PEER,
    ),
    "body-changed": (
        400,
        ("The body is not the one that was signed.", "內容與簽署時不同。"),
        ("Its commitment does not match: it was changed on the way.", "與承諾值不符：內容於途中遭更動。"),
        _COMPARE,
    ),
    "message-stale": (
        400,
        ("The message is too old or from the future.", "訊息過舊或來自未來。"),
        ("It must be made within 60 seconds of its arrival.", "建立時間與到達時間須在 60 秒內。"),
        ("Set the clocks of both gateways.", "請校正雙方閘道的時鐘。"),
    ),
    "replay": (
        409,
        ("This message was received before.", "此訊息先前已收過。"),
        ("Each message is accepted once.", "每則訊息僅接受一次。"),
        ("Send a new message instead of the old one.", "請送出新訊息，勿重送舊訊息。"),
    ),
    "message-id-invalid": (
        400,
        ("The message id has the wrong form.", "訊息編號格式錯誤。"),
        ("X-Road-Id must be 8 to 128 letters, digits or -._:", "X-Road-Id 須為 8 至 128 個英數字或 -._:。"),
        _CORRECT,
    ),
    # -- rights
    "right-missing": (
        403,
        ("There is no right to make this call.", "沒有呼叫此服務的權限。"),
        (
            "No right is granted to this system for this service, method and path.",
            "未授予此系統使用該服務、方法與路徑的權限。",
        ),
        _APPLY,
    ),
    "purpose-required": (
        400,
        ("The purpose is missing.", "缺少使用目的。"),
        ("Personal data is asked for with a purpose.", "查詢個人資料須載明目的。"),
        _CORRECT,
    ),
    "purpose-not-granted": (
        403,
        ("The purpose is not the granted one.", "使用目的與授權不符。"),
        ("A right holds for its own purpose.", "權限僅限其目的。"),
        _APPLY,
    ),
    "basis-required": (
        403,
        ("Neither legal basis nor consent is named.", "未載明法律依據或同意。"),
        ("The right rests on a law or on the person's consent.", "此權限以法律或當事人同意為依據。"),
        _CORRECT,
    ),
    "basis-not-granted": (
        403,
        ("The legal basis is not the granted one.", "法律依據與授權不符。"),
        ("A right holds for its own legal basis.", "權限僅限其法律依據。"),
        _APPLY,
    ),
    "fields-not-granted": (
        403,
        ("More fields are asked for than granted.", "要求的欄位超出授權。"),
        ("Only granted fields may be asked for.", "僅能要求已授權的欄位。"),
        _CORRECT,
    ),
    # -- consent
    "consent-required": (
        403,
        ("The person's consent is missing.", "缺少當事人同意。"),
        ("This right rests on consent.", "此權限以同意為依據。"),
        _CONSENT,
    ),
    "consent-invalid": (
        403,
        ("The consent is not valid.", "同意無效。"),
        ("It was altered, has expired or comes from an untrusted issuer.", "遭更動、已逾期或核發者不受信任。"),
        _CONSENT,
    ),
    "consent-foreign": (
        403,
        ("The consent is for something else.", "同意的對象不符。"),
        ("It names another provider, requester, person or purpose.", "它指定了其他提供者、請求者、當事人或目的。"),
        _CONSENT,
    ),
    "consent-used": (
        403,
        ("The consent was used before.", "同意已使用過。"),
        ("It was given for one use.", "此同意僅限使用一次。"),
        _CONSENT,
    ),
    "consent-revoked": (
        403,
        ("The consent was withdrawn.", "同意已撤回。"),
        ("The person has taken it back.", "當事人已撤回同意。"),
        _CONSENT,
    ),
    # -- persons
    "subject-required": (
        400,
        ("The person concerned is missing.", "缺少當事人。"),
        ("This service answers about one person named in the header.", "此服務僅就標頭指定的當事人回應。"),
        _CORRECT,
    ),
    "subject-mismatch": (
        400,
        ("The message speaks of another person.", "訊息涉及其他人。"),
        ("Every person in it must be the one named in the header.", "內容所指的人須與標頭指定的當事人相同。"),
        _CORRECT,
    ),
    "reference-invalid": (
        400,
        ("A reference to a person cannot be used here.", "人員參照無法使用。"),
        ("It is for another gateway or message, has expired or was altered.", "屬於其他閘道或訊息、已逾期或遭更動。"),
        _ASK_PEER,
    ),
    "person-in-clear": (
        400,
        ("A national id stands in clear.", "出現未加密的身分證字號。"),
        ("Between gateways a person is named only by an encrypted reference.", "閘道之間僅能以加密參照指稱個人。"),
        _CORRECT,
    ),
    "persons-too-many": (
        413,
        ("The message names too many persons.", "訊息涉及的人數過多。"),
        ("At most 1,000 different persons may stand in one message.", "一則訊息最多可涉及 1,000 人。"),
        ("Split the message.", "請分次傳送。"),
    ),
    # -- the trail
    "token-invalid": (
        401,
        ("The token is not accepted.", "權杖未被接受。"),
        ("It was altered, has expired, or is for another member or gateway.", "遭更動、已逾期，或屬於其他成員或閘道。"),
        ("Open the page again.", "請重新開啟頁面。"),
    ),
    "token-used": (
        401,
        ("The token was used before.", "權杖已使用過。"),
        ("Each token opens one answer.", "每個權杖僅能使用一次。"),
        ("Open the page again.", "請重新開啟頁面。"),
    ),
    # -- answers
    "answer-signature-invalid": (
        502,
        ("The answer's signature is wrong.", "回應的簽章錯誤。"),
        (
            "Another key signed it, it was changed on the way, or the other gateway could not sign; it was held back.",
            "由其他金鑰簽署、途中遭更動，或對方閘道無法簽章；未予轉交。",
        ),
        _COMPARE,
    ),
    "answer-mismatch": (
        502,
        ("The answer belongs to another question.", "回應屬於其他請求。"),
        ("It is bound to another request and was not passed on.", "它與其他請求綁定，未予轉交。"),
        _COMPARE,
    ),
    "answer-body-changed": (
        502,
        ("The answer's body is not the one that was signed.", "回應內容與簽署時不同。"),
        (
            "Its commitment does not match: it was changed on the way, or at the other gateway. It was not passed on.",
            "與承諾值不符：內容於途中或對方閘道遭更動；未予轉交。",
        ),
        _COMPARE,
    ),
    "answer-uncuttable": (
        502,
        ("The answer cannot be cut to the granted fields.", "無法將回應裁切至授權欄位。"),
        ("The service did not answer with a JSON object.", "服務未以 JSON 物件回應。"),
        _ASK_PEER,
    ),
    # -- outages
    "gateway-unreachable": (
        503,
        ("The other agency's gateway does not answer.", "對方機關的閘道沒有回應。"),
        ("It is down or cannot be reached; the question was not sent.", "停止運作或無法連線；請求並未送出。"),
        (
            "Send it again later: nothing was done. If it stays, `smartgov gateway ping` names the step that fails.",
            "請稍後再送：尚未執行任何事。若持續，`smartgov gateway ping` 可指出失敗步驟。",
        ),
    ),
    "gateway-untrusted": (
        502,
        ("The other gateway showed a wrong certificate.", "對方閘道出示的憑證錯誤。"),
        (
            "Who answers at its address is not the gateway that the configuration lists; nothing was sent.",
            "該位址的回應者並非設定所列閘道；未傳送任何資料。",
        ),
        (
            "Ask the other agency by telephone whether its gateway moved or its certificate changed.",
            "請以電話向對方機關確認閘道是否遷移或更換憑證。",
        ),
    ),
    "service-unreachable": (
        503,
        ("The agency's information system does not answer.", "該機關的資訊系統沒有回應。"),
        (
            "Its gateway works; the system behind it did not take the question.",
            "閘道正常，但其後方系統未接受請求。",
        ),
        (
            "Send it again later: nothing was done. Its agency sees the address with `smartgov gateway service`.",
            "請稍後再送：尚未執行任何事。該機關可用 `smartgov gateway service` 檢視位址。",
        ),
    ),
    "gateway-failed": (
        500,
        ("The gateway met an error of its own.", "閘道發生內部錯誤。"),
        (
            "Its program failed at this message; that is recorded, and nothing was released.",
            "其程式處理此訊息時失敗，已留下紀錄，未釋出資料。",
        ),
        (
            "Give the exchange's id to the operator of the gateway that `refused_by` names, else of your own.",
            "請將交換編號提供給 `refused_by` 所列閘道（或您機關閘道）的維運人員。",
        ),
    ),
    "log-unavailable": (
        503,
        ("The gateway cannot write its log.", "閘道無法寫入日誌。"),
        (
            "Its disk is full, broken or locked; without a record nothing is sent.",
            "磁碟已滿、故障或遭鎖定；未留紀錄即不傳送。",
        ),
        (
            "Its operator frees disk and looks at the program's log; then send it again: nothing was done.",
            "請維運人員釋出磁碟空間並查看程式紀錄；之後重送即可，尚未執行任何事。",
        ),
    ),
    "timestamps-missing": (
        503,
        ("The log has not been stamped with the time for too long.", "日誌過久未取得時戳。"),
        (
            "The time-stamping authority does not answer, and the policy allows no more.",
            "時戳機構未回應，已逾政策容許時限。",
        ),
        (
            "The gateway's operator calls the authority, or names another one in gateway.yaml; then send it again.",
            "請閘道維運人員聯繫時戳機構，或於 gateway.yaml 改用其他機構，之後重送。",
        ),
    ),
    "record-unknown": (
        404,
        ("This log holds no such exchange.", "此日誌沒有這筆交換紀錄。"),
        (
            "The id is wrong, or another gateway has recorded it; of a member with several each has a log of its own.",
            "編號錯誤，或由其他閘道記錄；一個成員的多個閘道各有日誌。",
        ),
        (
            "Compare the id, and ask the gateway that x-troad-provider named in the answer.",
            "請核對編號，並向回應 x-troad-provider 所列閘道查詢。",
        ),
    ),
    "record-archived": (
        410,
        ("This exchange has been archived.", "此筆交換紀錄已歸檔。"),
        (
            "Its records are in a file that verifies alone, and no more in the log.",
            "其紀錄存於可獨立驗證的檔案，已不在日誌中。",
        ),
        ("Ask the operator for the evidence from the archive.", "請向維運人員索取歸檔證據。"),
    ),
    "record-invalid": (
        400,
        ("The record has the wrong form.", "紀錄格式錯誤。"),
        ("A member is missing, unknown or of another type.", "成員缺漏、不明或型別錯誤。"),
        _CORRECT,
    ),
    "seal-unavailable": (
        503,
        ("This gateway has no seal.", "此閘道沒有機關印鑑。"),
        ("Its seal key has no certificate.", "印鑑金鑰尚無憑證。"),
        (
            "Have the authority certify the seal key, and its operator install the certificate.",
            "請向憑證機構申請印鑑憑證，並由維運人員安裝。",
        ),
    ),
    "trail-unproven": (
        502,
        ("The log behind this list is not proven.", "此清單的日誌未獲證明。"),
        ("Its checkpoint or a proof does not hold.", "檢查點或證明不成立。"),
        ("Tell the log's owner and the auditor.", "請通知日誌所屬機關與稽核人員。"),
    ),
}

TABLE |= REQUEST_TABLE
UNBELIEVABLE = frozenset(
    {
        "answer-signature-invalid",
        "answer-mismatch",
        "answer-body-changed",
        "gateway-untrusted",
        "signature-invalid",
        "signature-missing",
        "signer-unknown",
        "peer-unknown",
        "peer-mismatch",
        "receiver-mismatch",
        "body-changed",
    }
)
"""Problems of an exchange that mean: an answer came, or a gateway answered, that cannot be believed."""


def refuse(slug: str, **extra: Any) -> Problem:
    """The Problem of this type; `extra` members are public facts about the case."""
    status, what, why, todo = TABLE[slug]
    return Problem(slug, status, what=Text(*what), why=Text(*why), todo=Text(*todo), **extra)
