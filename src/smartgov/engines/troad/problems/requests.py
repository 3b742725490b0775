"""The ways to say no that belong to one call: its contract, its limits, its idempotency key, its consent."""

from __future__ import annotations

from smartgov.engines.troad.problems.advice import CORRECT, Row

_WAIT = ("Wait as long as Retry-After says, then send it again.", "請依 Retry-After 等候後再傳送。")
_OWNER = ("Tell the agency that offers the service.", "請通知提供服務的機關。")
_ASK_STATE = (
    "Ask the service what it holds; if nothing was done, send it under a new key.",
    "請先查詢該服務的現況；若未執行，請以新的鍵值重送。",
)

TABLE: dict[str, Row] = {
    # -- the service's contract
    "operation-unknown": (
        404,
        ("The service documents no such operation.", "服務文件中沒有這項操作。"),
        ("Neither method nor path is in its OpenAPI document.", "方法或路徑不在其 OpenAPI 文件中。"),
        ("Read the document with getOpenAPI.", "請以 getOpenAPI 取得服務文件。"),
    ),
    "request-invalid": (
        422,
        ("The request does not have the documented form.", "請求不符合服務文件所定格式。"),
        ("`places` names each part that differs from the service's OpenAPI document.", "不符之處列於 places。"),
        CORRECT,
    ),
    "answer-invalid": (
        502,
        ("The service's answer does not have the documented form.", "服務的回應不符合其文件所定格式。"),
        (
            "It differs from the OpenAPI document and was held back by its own gateway; the service may have done it.",
            "與服務的 OpenAPI 文件不符，其閘道已攔下；服務可能已執行。",
        ),
        _OWNER,
    ),
    "contract-unavailable": (
        503,
        ("The service's OpenAPI document is not at hand.", "無法取得服務的 OpenAPI 文件。"),
        (
            "Its gateway lacks the document that the register names; without it nothing can be checked.",
            "其閘道缺少登記所列的文件，因此無法檢查請求與回應。",
        ),
        (
            "Tell the agency that offers the service: `smartgov gateway offer --sign` fetches the document.",
            "請通知提供服務的機關執行 `smartgov gateway offer --sign` 取得文件。",
        ),
    ),
    "contract-missing": (
        404,
        ("The service has no OpenAPI document.", "此服務沒有 OpenAPI 文件。"),
        ("The agency that offers it has registered none.", "提供服務的機關未登記文件。"),
        _OWNER,
    ),
    # -- limits
    "body-too-large": (
        413,
        ("The message is larger than the service allows.", "訊息超過服務允許的大小。"),
        ("The service takes at most so many bytes as `limit` says.", "服務可接受的位元組數上限為 limit。"),
        ("Ask for less at a time.", "請分次查詢或傳送。"),
    ),
    "rate-exceeded": (
        429,
        ("Too many calls in a short time.", "短時間內呼叫過多。"),
        ("The service allows this client so many calls a minute.", "服務限制每分鐘呼叫次數。"),
        _WAIT,
    ),
    "quota-exceeded": (
        429,
        ("The quota of the day is used up.", "今日配額已用完。"),
        ("The service allows this client so many calls a day.", "服務限制每日呼叫次數。"),
        _WAIT,
    ),
    "service-silent": (
        504,
        ("The service was asked and gave no answer.", "服務已收到請求但沒有回應。"),
        ("Whether it did what was asked is not known.", "無法得知是否已執行。"),
        ("Ask for the state before you repeat a change.", "重複變更前，請先查詢現況。"),
    ),
    "gateway-silent": (
        504,
        ("The other agency's gateway was asked and gave no answer.", "對方機關的閘道已收到請求但沒有回應。"),
        ("Whether the service did what was asked is not known.", "無法得知服務是否已執行。"),
        ("Repeat it with the same idempotency key, or ask for the state.", "請以相同的冪等鍵重送，或查詢現況。"),
    ),
    # -- idempotency
    "idempotency-key-invalid": (
        400,
        ("The idempotency key has the wrong form.", "冪等鍵格式錯誤。"),
        ("It is 1 to 200 printable ASCII characters.", "應為 1 至 200 個可列印 ASCII 字元。"),
        CORRECT,
    ),
    "idempotency-mismatch": (
        422,
        ("This idempotency key was used with another body.", "此冪等鍵曾用於不同內容。"),
        ("A key stands for one request.", "一個鍵值僅代表一個請求。"),
        ("Use a new key for a new request.", "新的請求請使用新的鍵值。"),
    ),
    "idempotency-running": (
        409,
        ("The same request is still running.", "相同請求仍在執行。"),
        ("Its first copy has not been answered yet.", "先前的請求尚未回應。"),
        ("Ask again in a moment.", "請稍候再詢問。"),
    ),
    "outcome-unknown": (
        409,
        ("Whether this request was carried out is not known.", "無法得知此請求是否已執行。"),
        ("It had been passed on when the gateway or the service broke off.", "轉送後閘道或服務中斷。"),
        _ASK_STATE,
    ),
    "answer-erased": (
        409,
        ("This request was carried out; its answer has been erased.", "此請求已執行，其回應已銷毀。"),
        ("It is not carried out a second time.", "不會再次執行。"),
        ("Ask the service for its present state.", "請向該服務查詢現況。"),
    ),
    # -- a member with several gateways
    "once-elsewhere": (
        421,
        ("Another gateway of the member counts this call.", "此請求由該成員的另一個閘道計次。"),
        (
            "What may happen only once, under an idempotency key or a single-use consent, has one gateway: `gateway`.",
            "冪等鍵或單次同意僅能使用一次，由單一閘道（gateway 所列）計次；尚未執行任何事。",
        ),
        (
            "Name that gateway in X-Road-Security-Server, or none: yours then chooses. If it is gone, ask its agency.",
            "請於 X-Road-Security-Server 指定該閘道，或不指定而由您的閘道選擇；若已停用，請洽該機關。",
        ),
    ),
    "once-handed-over": (
        421,
        ("This gateway has handed over what it counted once.", "本閘道已將冪等鍵與單次同意之計次移交。"),
        (
            "Another gateway of the member, `gateway`, takes it over; nothing was done.",
            "由該成員的另一個閘道（gateway 所列）接手；尚未執行任何事。",
        ),
        (
            "Send a call with a key again in a few minutes, when yours knows it. Ask for a single-use consent anew.",
            "帶冪等鍵之請求請於數分鐘後、貴閘道取得新設定時重送；單次同意請重新取得。",
        ),
    ),
    "once-moving": (
        503,
        ("The member's keys are moving to this gateway.", "該成員的冪等鍵計次正移至本閘道。"),
        (
            "The gateway that took them before may still work by an older configuration; nothing was done.",
            "先前的閘道可能仍依舊設定運作；尚未執行任何事。",
        ),
        _WAIT,
    ),
    # -- after a restore
    "log-restored": (
        503,
        ("The gateway's log is not the one that others have seen.", "閘道日誌與其他成員所見不符。"),
        (
            "It was restored or came under another key and has not opened a new epoch yet, or its end is missing.",
            "日誌還原或更換金鑰後尚未開啟新紀元，或末段遺失。",
        ),
        (
            "Its operator reads its alarms in health; `smartgov gateway resume` says that a restore was meant.",
            "請維運人員查看閘道健康狀態的警示；確屬有意還原時執行 `smartgov gateway resume`。",
        ),
    ),
    "restored-void": (
        409,
        (
            "This was made before the gateway was restored and may have been used.",
            "此項於閘道還原前核發，可能已使用過。",
        ),
        ("What the lost time has used is not known any more.", "遺失期間已使用的項目無從得知。"),
        ("Ask anew, with a new message, token or consent.", "請以新的訊息、權杖或同意重新提出。"),
    ),
    # -- consent
    "consent-status-unknown": (
        503,
        ("Whether the consent still stands cannot be learned.", "無法確認同意是否仍有效。"),
        ("Its issuer's last word is more than 60 seconds old.", "核發者最後的狀態已逾 60 秒。"),
        ("Try again later; nothing was released.", "請稍後再試；未釋出資料。"),
    ),
}
