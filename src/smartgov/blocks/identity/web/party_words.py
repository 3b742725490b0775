"""The registration form's choices in words; the code beside each is what a program says."""

from __future__ import annotations

from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.levels import AAL2, AAL3, PHR, PHRH
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared.text import Text

Choices = list[tuple[str, Text, str]]

SCOPES: Choices = [
    ("profile", Text("The name", "姓名"), "profile"),
    ("email", Text("The e-mail address", "電子郵件地址"), "email"),
    (
        "national_id",
        Text("The national id number, with a legal basis", "身分證統一編號（須依法）"),
        "national_id",
    ),
    ("offline_access", Text("Access also when the person is away", "民眾離線時亦可存取"), "offline_access"),
]
DETAILS: Choices = [
    (
        "mydata_access",
        Text("Read certain data of the person (MyData)", "讀取特定資料（MyData）"),
        "mydata_access",
    ),
    ("document_signature", Text("Have a document signed", "請民眾簽署文件"), "document_signature"),
    ("openid_credential", Text("Issue credentials to a wallet", "向數位錢包發證"), "openid_credential"),
]
GRANTS: Choices = [
    ("refresh_token", Text("Renew tokens without the person", "不經民眾即可更新權杖"), "refresh_token"),
    (CIBA, Text("Ask on the person's phone, at a counter or by telephone", "在臨櫃或電話中於民眾手機詢問"), CIBA),
    (EXCHANGE, Text("Pass a token on to another service", "將權杖轉交另一服務"), EXCHANGE),
]
METHODS: Choices = [
    ("private_key_jwt", Text("By a signed statement (recommended)", "以簽章聲明（建議）"), "private_key_jwt"),
    ("tls_client_auth", Text("By a TLS certificate of an authority", "以憑證機構核發的 TLS 憑證"), "tls_client_auth"),
    (
        "self_signed_tls_client_auth",
        Text("By a TLS certificate of your own", "以自簽 TLS 憑證"),
        "self_signed_tls_client_auth",
    ),
]
SENDERS: Choices = [
    ("dpop", Text("A key of the program (recommended)", "程式的金鑰（建議）"), "dpop"),
    ("mtls", Text("The TLS certificate", "TLS 憑證"), "mtls"),
]
LEVELS: Choices = [
    (PHR, Text("A passkey", "通行密鑰"), PHR),
    (PHRH, Text("A passkey or card whose key never leaves its hardware", "金鑰不離開硬體的通行密鑰或卡片"), PHRH),
    (AAL3, Text("The highest level", "最高等級"), AAL3),
    (AAL2, Text("Mobile identity or a passkey", "行動身分或通行密鑰"), AAL2),
]
PROFILES: Choices = [
    ("fapi2", Text("FAPI 2.0 (the rule)", "FAPI 2.0（原則）"), "fapi2"),
    ("plain", Text("Plain code with PKCE, until a last day", "一般 code + PKCE，至截止日止"), "plain"),
]
# What each field of a registration is called on the page.
FIELDS: dict[str, Text] = {
    "redirect_uris": Text("Addresses to come back to", "回傳網址"),
    "post_logout_redirect_uris": Text("Addresses after signing out", "登出後的回傳網址"),
    "backchannel_logout_uri": Text("Address that takes logout tokens", "接收登出權杖的網址"),
    "jwks": Text("Public keys", "公鑰"),
    "jwks_uri": Text("Address of the public keys", "公鑰網址"),
    "scopes": Text("What you ask for", "要求的資料"),
    "grants": Text("Ways to get tokens", "取得權杖的方式"),
    "auth_method": Text("How your program proves itself", "程式如何證明自己"),
    "sender": Text("What tokens are bound to", "權杖綁定的對象"),
    "certificates": Text("Certificates", "憑證"),
    "tls_san_dns": Text("DNS name in the certificate", "憑證中的 DNS 名稱"),
    "default_acr": Text("Levels", "保證等級"),
    "sector": Text("Sector", "共用代號的 sector"),
    "mandates": Text("Mandates", "代理"),
    "mandates_reason": Text("Why people act for others", "代理的理由"),
    "profile": Text("Profile", "設定檔"),
    "sunset": Text("Last day of the plain profile", "相容設定檔的截止日"),
    "response_types": Text("Response types", "response type"),
    "require_signed_request_object": Text("Signed requests", "已簽章的請求"),
    "id_token_signed_response_alg": Text("Algorithm of ID tokens", "ID 權杖的演算法"),
    "request": Text("The request", "請求"),
}
