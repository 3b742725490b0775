"""What stands in the way at a gateway itself: its configuration, its log and seal, what it cannot reach."""

from __future__ import annotations

from smartgov.engines.troad.problems.advice import CHECK, CORRECT, Row

TABLE: dict[str, Row] = {
    # -- the configuration
    "configuration-expired": (
        503,
        ("T-Road's configuration has expired.", "T-Road 設定已過期。"),
        (
            "The centre's list of members ended over 24 hours ago and no newer one came; nothing is exchanged on it.",
            "管理中心的成員清單已失效逾 24 小時且未收到新版，依此不收送任何訊息。",
        ),
        CHECK,
    ),
    "configuration-missing": (
        503,
        ("The gateway has no configuration yet.", "閘道尚無設定。"),
        (
            "It has not received a signed list of members: it has not joined yet, or does not reach the centre.",
            "尚未收到已簽章的成員清單：可能尚未加入，或無法連上管理中心。",
        ),
        CHECK,
    ),
    "maintenance": (
        503,
        ("The gateway is under maintenance.", "閘道維護中。"),
        ("It finishes what runs and takes nothing new.", "正在完成進行中的交換，暫不接受新的請求。"),
        ("Ask again after the time that Retry-After says.", "請於 Retry-After 所示時間後重試。"),
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
            "Its disk is full, broken or locked, or its log altered (`log-altered`); without a record nothing is sent.",
            "磁碟已滿、故障或遭鎖定，或日誌遭更動（警示 `log-altered`）；未留紀錄即不傳送。",
        ),
        (
            "Its operator frees disk and looks at health and the program's log; then send it again: nothing was done.",
            "請維運人員釋出磁碟空間，並查看健康狀態與程式紀錄；之後重送即可，尚未執行任何事。",
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
    # -- the log and the seal
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
        CORRECT,
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
