"""What a right or a person's consent does not allow."""

from __future__ import annotations

from smartgov.engines.troad.problems.advice import APPLY, CONSENT, CORRECT, Row

TABLE: dict[str, Row] = {
    # -- rights
    "right-missing": (
        403,
        ("There is no right to make this call.", "沒有呼叫此服務的權限。"),
        (
            "No right is granted to this system for this service, method and path.",
            "未授予此系統使用該服務、方法與路徑的權限。",
        ),
        APPLY,
    ),
    "purpose-required": (
        400,
        ("The purpose is missing.", "缺少使用目的。"),
        ("Personal data is asked for with a purpose.", "查詢個人資料須載明目的。"),
        CORRECT,
    ),
    "purpose-not-granted": (
        403,
        ("The purpose is not the granted one.", "使用目的與授權不符。"),
        ("A right holds for its own purpose.", "權限僅限其目的。"),
        APPLY,
    ),
    "basis-required": (
        403,
        ("Neither legal basis nor consent is named.", "未載明法律依據或同意。"),
        ("The right rests on a law or on the person's consent.", "此權限以法律或當事人同意為依據。"),
        CORRECT,
    ),
    "basis-not-granted": (
        403,
        ("The legal basis is not the granted one.", "法律依據與授權不符。"),
        ("A right holds for its own legal basis.", "權限僅限其法律依據。"),
        APPLY,
    ),
    "fields-not-granted": (
        403,
        ("More fields are asked for than granted.", "要求的欄位超出授權。"),
        ("Only granted fields may be asked for.", "僅能要求已授權的欄位。"),
        CORRECT,
    ),
    # -- consent
    "consent-required": (
        403,
        ("The person's consent is missing.", "缺少當事人同意。"),
        ("This right rests on consent.", "此權限以同意為依據。"),
        CONSENT,
    ),
    "consent-invalid": (
        403,
        ("The consent is not valid.", "同意無效。"),
        ("It was altered, has expired or comes from an untrusted issuer.", "遭更動、已逾期或核發者不受信任。"),
        CONSENT,
    ),
    "consent-foreign": (
        403,
        ("The consent is for something else.", "同意的對象不符。"),
        ("It names another provider, requester, person or purpose.", "它指定了其他提供者、請求者、當事人或目的。"),
        CONSENT,
    ),
    "consent-used": (
        403,
        ("The consent was used before.", "同意已使用過。"),
        ("It was given for one use.", "此同意僅限使用一次。"),
        CONSENT,
    ),
    "consent-revoked": (
        403,
        ("The consent was withdrawn.", "同意已撤回。"),
        ("The person has taken it back.", "當事人已撤回同意。"),
        CONSENT,
    ),
}
