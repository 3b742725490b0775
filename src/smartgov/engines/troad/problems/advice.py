"""What to do, where several problems share it, and the form of a row."""

from __future__ import annotations

Pair = tuple[str, str]
"""The same in English and Chinese."""
Row = tuple[int, Pair, Pair, Pair]
"""HTTP status, what happened, why, what to do."""

ASK_PEER = ("Tell the other agency's operator.", "請通知對方機關的維運人員。")
CORRECT = ("Correct the request and send it again.", "請修正請求後重新傳送。")
APPLY = (
    "Ask for it with `smartgov gateway right ask`. A granted right counts a minute after its provider has signed.",
    "請於服務頁面或以 `smartgov gateway right ask` 申請；核准之權限於提供者簽署後一分鐘內生效。",
)
CHECK = (
    "Have your gateway's operator run `smartgov gateway check`: it names the step that fails and what to do.",
    "請閘道維運人員執行 `smartgov gateway check`，查看失敗步驟及處理方式。",
)
COMPARE = (
    "Have both operators run `smartgov gateway check` and `ping`; the exchange's id is in both gateways' logs.",
    "請雙方維運人員執行 `smartgov gateway check` 與 `ping`；交換編號見於雙方閘道日誌。",
)
CONSENT = ("Ask the person for a new consent.", "請重新取得當事人同意。")
