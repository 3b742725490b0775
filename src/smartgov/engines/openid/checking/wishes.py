"""What a registration asks for: scopes, grants, levels, answers, signed requests, mandates, the plain profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from smartgov.engines.openid import levels
from smartgov.engines.openid.checking.complaints import Complaint, must, should
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.provider import SCOPE_CLAIMS
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared import clock
from smartgov.shared.text import Text

GRANTS = ("authorization_code", "refresh_token", CIBA, EXCHANGE)
LONGEST_SUNSET = timedelta(days=730)
SHORTEST_REASON = 10


def complaints(given: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is wrong with what it asks for."""
    yield from _scopes(given)
    yield from _grants(given)
    yield from _answers(given)
    yield from _mandates(given)
    yield from _profile(given)


def _scopes(given: Mapping[str, Any]) -> Iterator[Complaint]:
    scopes = given.get("scopes", ["openid"])
    if "openid" not in scopes or set(scopes) - set(SCOPE_CLAIMS):
        yield must(
            "scopes",
            Text("The scopes lack openid, or one does not exist.", "scope 缺少 openid，或含不存在的項目。"),
            Text("Use some of: {known}.", "可用項目：{known}。").format(known=", ".join(SCOPE_CLAIMS)),
            " ".join(sorted(set(scopes) - set(SCOPE_CLAIMS)))[:80],
        )
    if "national_id" in scopes:
        yield should(
            "scopes",
            Text("National ids are given only with a legal basis.", "身分證統一編號須有法律依據始得提供。"),
            Text("Say which in the purpose; the approver looks for it.", "請於用途載明法規；審核時會查核。"),
            "national_id",
        )


def _grants(given: Mapping[str, Any]) -> Iterator[Complaint]:
    if strange := set(given.get("grants", [])) - set(GRANTS):
        yield must(
            "grants",
            Text(
                "A grant type does not exist here; implicit and password never did.",
                "不支援其中的 grant type，例如 implicit 或 password。",
            ),
            Text("Use authorization_code.", "請使用 authorization_code。"),
            " ".join(sorted(strange))[:80],
        )
    if strange := set(given.get("default_acr", [])) - set(levels.SUPPORTED):
        yield must(
            "default_acr",
            Text("A level does not exist here.", "不支援其中的保證等級。"),
            Text("Use some of: {known}.", "可用項目：{known}。").format(known=", ".join(levels.SUPPORTED)),
            " ".join(sorted(strange))[:80],
        )


def _answers(given: Mapping[str, Any]) -> Iterator[Complaint]:
    """Response types, and demands for signatures that are made or read otherwise here."""
    if strange := set(given.get("response_types", ["code"])) - {"code"}:
        yield must(
            "response_types",
            Text(
                "A response type puts tokens into the browser's address.", "此 response type 會將權杖放進瀏覽器網址。"
            ),
            Text("Use code; tokens come from the token endpoint only.", "請使用 code；權杖只由權杖端點核發。"),
            ", ".join(sorted(strange))[:80],
        )
    demand = given.get("require_signed_request_object") or given.get("request_object_signing_alg")
    if demand:
        yield must(
            "require_signed_request_object",
            Text("Signed request objects are not read here.", "此處不讀取已簽章的 request object。"),
            Text(
                "Leave the demand out and push your requests (PAR): you are authenticated there, "
                "and nobody can change what you pushed.",
                "請刪除此要求並改用推送請求（PAR）：推送時已驗證您的身分，內容無人能更改。",
            ),
        )
    signed = given.get("id_token_signed_response_alg", "ES256")
    if signed != "ES256":
        yield must(
            "id_token_signed_response_alg",
            Text("ID tokens are not signed by this algorithm.", "ID 權杖不以此演算法簽章。"),
            Text("Ask for ES256.", "請改為 ES256。"),
            str(signed)[:20],
        )


def _mandates(given: Mapping[str, Any]) -> Iterator[Complaint]:
    reason = str(given.get("mandates_reason", "")).strip()
    if given.get("mandates") and len(reason) < SHORTEST_REASON:
        yield must(
            "mandates_reason",
            Text("It is not said why people act for others here.", "未說明民眾為何在此代理他人。"),
            Text(
                "Say in one sentence which matters they do for whom; the approver decides by it.",
                "請以一句話說明代理何人、辦理何事；審核時據以決定。",
            ),
        )
    elif reason and not given.get("mandates"):
        yield should(
            "mandates",
            Text("There is a reason for mandates, but they are not asked for.", "填寫了代理理由，但未勾選代理。"),
            Text("Tick mandates, or leave the reason out.", "請勾選代理，或刪除理由。"),
        )


def _profile(given: Mapping[str, Any]) -> Iterator[Complaint]:
    profile = given.get("profile", "fapi2")
    if profile not in {"fapi2", "plain"}:
        yield must(
            "profile", Text("There is no such profile.", "沒有這個設定檔。"), Text("Use fapi2.", "請使用 fapi2。")
        )
    if profile != "plain":
        if given.get("sunset"):
            yield should(
                "sunset",
                Text("Only the plain profile has a last day.", "只有相容設定檔才有截止日。"),
                Text("Leave it out.", "請刪除。"),
            )
        return
    yield from _sunset(str(given.get("sunset", "")))
    yield should(
        "profile",
        Text(
            "The plain profile ends at its last day; stolen tokens can be used by anybody until then.",
            "相容設定檔屆期即停用；在此之前，遭竊的權杖任何人都能使用。",
        ),
        Text("Plan the move to FAPI 2.0.", "請規劃改用 FAPI 2.0。"),
    )


def _sunset(text: str) -> Iterator[Complaint]:
    today, latest = clock.today(), clock.today() + LONGEST_SUNSET
    try:
        last = date.fromisoformat(text)
    except ValueError:
        yield must(
            "sunset",
            Text("The plain profile needs a last day.", "相容設定檔必須有截止日。"),
            Text("Say until when you need it (YYYY-MM-DD).", "請填寫使用期限（YYYY-MM-DD）。"),
            text[:20],
        )
        return
    if not today < last <= latest:
        yield must(
            "sunset",
            Text("The last day of the plain profile is over, or too far away.", "相容設定檔的截止日已過，或過於遙遠。"),
            Text("Choose a day after today, not later than {latest}.", "請選擇今日之後、{latest} 以前的日期。").format(
                latest=latest.isoformat()
            ),
            last.isoformat(),
        )
