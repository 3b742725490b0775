"""What the authority refuses, each with what happened and what to do."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def unusable(why_en: str, why_zh: str) -> Problem:
    """The request cannot be used, for the reason given."""
    return Problem(
        "request-unusable",
        422,
        what=Text("The request for a certificate cannot be used.", "憑證申請檔無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text("Make a new key and a new request.", "請重新產生金鑰與申請檔。"),
    )


def unknown() -> Problem:
    """There is no such record."""
    return Problem(
        "certificate-unknown",
        404,
        what=Text("There is no such certificate.", "查無此憑證。"),
        todo=Text("Check its number.", "請檢查編號。"),
    )


def too_weak() -> Problem:
    """The identity is not proved well enough for the profile."""
    return Problem(
        "proof-too-weak",
        403,
        what=Text("The identity is not proved well enough for this certificate.", "身分查驗的強度不足以核發此憑證。"),
        todo=Text("Prove it at a counter, or sign in at a higher level.", "請臨櫃查驗，或以較高保證等級登入。"),
    )


def four_eyes() -> Problem:
    """Who proved the identity may not issue."""
    return Problem(
        "four-eyes",
        403,
        what=Text("Another person has to issue this certificate.", "須由另一位承辦人簽發此憑證。"),
        why=Text("You proved the holder's identity yourself.", "身分是由您本人查驗的。"),
        todo=Text("Ask a colleague.", "請同仁協助簽發。"),
    )


def not_the_key() -> Problem:
    """The activation was not signed by the certified key."""
    return Problem(
        "not-the-key",
        403,
        what=Text("The certificate was not activated.", "憑證未啟用。"),
        why=Text("The answer was not signed by the certified key.", "回應並非由憑證所載金鑰簽署。"),
        todo=Text("Activate it with the device that asked for it.", "請以提出申請的裝置啟用。"),
    )


def reason_unknown() -> Problem:
    """The reason is none of the listed ones."""
    return Problem(
        "reason-unknown",
        422,
        what=Text("A revocation needs one of the listed reasons.", "廢止須選擇所列原因之一。"),
        todo=Text("Choose a reason.", "請選擇原因。"),
    )


def no_extension() -> Problem:
    """It cannot be extended, or not now."""
    return Problem(
        "no-extension",
        409,
        what=Text("This certificate cannot be extended now.", "此憑證目前不能展期。"),
        why=Text(
            "It is possible once, for one in force, in its last sixty days.", "僅有效憑證於到期前六十日內得展期一次。"
        ),
        todo=Text("Ask for a new certificate with a new key.", "請以新金鑰申請新憑證。"),
    )
