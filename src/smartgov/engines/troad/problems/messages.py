"""What is wrong with a message, an answer, a token or a reference to a person, or with who sent it."""

from __future__ import annotations

from smartgov.engines.troad.problems.advice import ASK_PEER, COMPARE, CORRECT, Row

TABLE: dict[str, Row] = {
    # -- the address and the caller
    "address-invalid": (
        400,
        ("The address is not one of T-Road.", "這不是 T-Road 的位址。"),
        (
            "It must read /r1/instance/class/member/subsystem/service/path.",
            "格式應為 /r1/instance/class/member/subsystem/service/path。",
        ),
        CORRECT,
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
        ASK_PEER,
    ),
    "signer-unknown": (
        401,
        ("The signer is not registered.", "簽章者未登記。"),
        ("No registered gateway has this key.", "沒有已登記的閘道持有此金鑰。"),
        ASK_PEER,
    ),
    "signature-invalid": (
        401,
        ("The signature is wrong.", "簽章錯誤。"),
        ("Another key signed, or a signed part was changed on the way.", "由其他金鑰簽署，或已簽署的部分遭更動。"),
        ASK_PEER,
    ),
    "peer-unknown": (
        403,
        ("The connection comes from an unregistered gateway.", "連線來自未登記的閘道。"),
        ("Its TLS certificate is not in the configuration.", "其 TLS 憑證不在設定中。"),
        ASK_PEER,
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
        ASK_PEER,
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
        ASK_PEER,
    ),
    "receiver-mismatch": (
        421,
        ("The message is meant for another gateway.", "訊息的收件者是其他閘道。"),
        ("It names another member or gateway than this one.", "它指定的成員或閘道不是本閘道。"),
        ASK_PEER,
    ),
    "body-changed": (
        400,
        ("The body is not the one that was signed.", "內容與簽署時不同。"),
        ("Its commitment does not match: it was changed on the way.", "與承諾值不符：內容於途中遭更動。"),
        COMPARE,
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
        CORRECT,
    ),
    # -- answers
    "answer-signature-invalid": (
        502,
        ("The answer's signature is wrong.", "回應的簽章錯誤。"),
        (
            "Another key signed it, it was changed on the way, or the other gateway could not sign; it was held back.",
            "由其他金鑰簽署、途中遭更動，或對方閘道無法簽章；未予轉交。",
        ),
        COMPARE,
    ),
    "answer-mismatch": (
        502,
        ("The answer belongs to another question.", "回應屬於其他請求。"),
        ("It is bound to another request and was not passed on.", "它與其他請求綁定，未予轉交。"),
        COMPARE,
    ),
    "answer-body-changed": (
        502,
        ("The answer's body is not the one that was signed.", "回應內容與簽署時不同。"),
        (
            "Its commitment does not match: it was changed on the way, or at the other gateway. It was not passed on.",
            "與承諾值不符：內容於途中或對方閘道遭更動；未予轉交。",
        ),
        COMPARE,
    ),
    "answer-uncuttable": (
        502,
        ("The answer cannot be cut to the granted fields.", "無法將回應裁切至授權欄位。"),
        ("The service did not answer with a JSON object.", "服務未以 JSON 物件回應。"),
        ASK_PEER,
    ),
    # -- persons
    "subject-required": (
        400,
        ("The person concerned is missing.", "缺少當事人。"),
        ("This service answers about one person named in the header.", "此服務僅就標頭指定的當事人回應。"),
        CORRECT,
    ),
    "subject-mismatch": (
        400,
        ("The message speaks of another person.", "訊息涉及其他人。"),
        ("Every person in it must be the one named in the header.", "內容所指的人須與標頭指定的當事人相同。"),
        CORRECT,
    ),
    "reference-invalid": (
        400,
        ("A reference to a person cannot be used here.", "人員參照無法使用。"),
        ("It is for another gateway or message, has expired or was altered.", "屬於其他閘道或訊息、已逾期或遭更動。"),
        ASK_PEER,
    ),
    "person-in-clear": (
        400,
        ("A national id stands in clear.", "出現未加密的身分證字號。"),
        ("Between gateways a person is named only by an encrypted reference.", "閘道之間僅能以加密參照指稱個人。"),
        CORRECT,
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
}
