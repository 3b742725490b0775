"""The doors for programs as an OpenAPI 3.1 document: what each takes and answers, for tools and for readers.

The specifications fix the forms; the document says which of them are in use here. Summaries are English, descriptions
Chinese, as in the platform's other documents.
"""

from __future__ import annotations

from typing import Any

from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.exchanging import ACCESS_TOKEN
from smartgov.engines.openid.params import MAX_VALUE
from smartgov.engines.openid.provider import PATHS, Provider
from smartgov.engines.openid.tokens import EXCHANGE
from smartgov.shared import openapi
from smartgov.shared.openapi import FORM, JSON, TEXT, Json, form, ref

PATH = "/openid/openapi.json"


def document(provider: Provider) -> Json:
    """The document of the provider at its own address."""
    return openapi.document(
        title="smartgov: doors of the OpenID provider for programs",
        summary="OpenID 身分提供者之程式介面（FAPI 2.0）",
        terms="限已核准之信賴方使用 For approved relying parties",
        server=provider.issuer,
        paths={**_READING, **_ASKING},
        components={"schemas": _SCHEMAS, "responses": _RESPONSES, "securitySchemes": _SCHEMES},
    )


_SECRET: Json = {"type": "string", "maxLength": MAX_VALUE}
_LIST: Json = {"type": "array", "items": TEXT}
_SECONDS: Json = {"type": "integer", "minimum": 0}
_ADDRESS: Json = {"type": "string", "format": "uri"}
_NUMBERTEXT: Json = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,9})$"}
_SHA256: Json = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
_PERSON: Json = {"type": "string", "description": "The pseudonym by which the client knows the person"}
_CLIENT: Json = {
    "client_id": TEXT,
    "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    "client_assertion": {**_SECRET, "description": "A JWT by the client's key, for the issuer alone (RFC 7523)"},
}
_WISHES: Json = {
    "scope": TEXT,
    "acr_values": TEXT,
    "authorization_details": {**_SECRET, "contentMediaType": JSON, "description": "RFC 9396"},
    "id_token_hint": _SECRET,
    "login_hint": _PERSON,
}
_TOKEN: Json = {"token": _SECRET, "token_type_hint": TEXT}
_SCHEMAS: Json = {
    "Refusal": form("error", error=TEXT, error_description=TEXT),
    "Pushed": form("request_uri expires_in", request_uri=TEXT, expires_in=_SECONDS),
    "Tokens": form(
        "access_token token_type expires_in",
        access_token=TEXT,
        token_type={"enum": ["DPoP", "Bearer"]},
        expires_in=_SECONDS,
        scope=TEXT,
        id_token=TEXT,
        refresh_token=TEXT,
        issued_token_type={"const": ACCESS_TOKEN},
        authorization_details={"type": "array", "items": {"type": "object"}},
    ),
    "Introspection": form("active", active={"type": "boolean"}, sub=TEXT, client_id=TEXT, scope=TEXT),
    "Userinfo": form("sub", sub=_PERSON, name=TEXT, email=TEXT),
    "Asked": form(
        "auth_req_id expires_in interval binding_number",
        auth_req_id=TEXT,
        expires_in=_SECONDS,
        interval=_SECONDS,
        binding_number={"type": "string", "pattern": "^[0-9]{2}$"},
    ),
    "Metadata": form("issuer token_endpoint jwks_uri", issuer=_ADDRESS, token_endpoint=_ADDRESS, jwks_uri=_ADDRESS),
    "Resource": form("resource authorization_servers", resource=_ADDRESS, authorization_servers=_LIST),
    "Keys": form("keys", keys={"type": "array", "items": form("kty kid", kty=TEXT, kid=TEXT)}),
    "Document": {"type": "object"},
}
_RESPONSES: Json = {
    "Refusal": {
        "description": "The request is refused, in the codes of the OAuth and OpenID specifications",
        "headers": {"DPoP-Nonce": {"description": "For the next proof (RFC 9449)", "schema": TEXT}},
        "content": {JSON: {"schema": ref("schemas", "Refusal")}},
    }
}
_SCHEMES: Json = {
    "client": {"type": "mutualTLS", "description": "A client certificate, or client_assertion in the form"},
    "token": {"type": "http", "scheme": "DPoP", "description": "An access token with a proof of its key (RFC 9449)"},
}
_PROOF: Json = {
    "name": "DPoP",
    "in": "header",
    "required": False,
    "description": "A proof of possession (RFC 9449), with the nonce of an earlier answer",
    "schema": TEXT,
}


def _operation(name: str, words: tuple[str, str], answer: Json, **more: Any) -> Json:
    summary, description = words
    return {
        "operationId": f"openid_{name}",
        "summary": summary,
        "description": description,
        **more,
        "responses": {**answer, "default": ref("responses", "Refusal")},
    }


def _answer(schema: str, status: int = 200) -> Json:
    content = {JSON: {"schema": ref("schemas", schema)}}
    return {str(status): {"description": "The answer", "content": content}}


def _public(name: str, schema: str, *words: str) -> Json:
    return {"get": _operation(name, (words[0], words[1]), _answer(schema), security=[])}


def _posted(name: str, fields: Json, answer: Json, *words: str, required: str = "") -> Json:
    # Whatever else is sent is left aside, but nothing may come twice (RFC 6749 section 3.2).
    body = {"required": True, "content": {FORM: {"schema": {**form(required, **fields), "additionalProperties": TEXT}}}}
    more = {"security": [{"client": []}, {}], "parameters": [_PROOF], "requestBody": body}
    return {"post": _operation(name, (words[0], words[1]), answer, **more)}


def _userinfo(method: str) -> Json:
    words = ("The person's facts, for whoever holds the token and its key", "取得當事人同意提供之資料")
    more = {"security": [{"token": []}], "parameters": [_PROOF]}
    return _operation(f"userinfo_{method}", words, _answer("Userinfo"), **more)


_READING: Json = {
    "/.well-known/openid-configuration": _public(
        "configuration",
        "Metadata",
        "What the provider says of itself (OpenID Discovery)",
        "提供者之設定（OpenID 探索）",
    ),
    "/.well-known/oauth-authorization-server": _public(
        "server", "Metadata", "The same by RFC 8414", "提供者之設定（RFC 8414）"
    ),
    "/.well-known/oauth-protected-resource/openid/userinfo": _public(
        "resource", "Resource", "The userinfo endpoint as a protected resource (RFC 9728)", "受保護資源之設定"
    ),
    PATHS["jwks_uri"]: _public("keys", "Keys", "Keys that sign now, soon, or lately", "簽章公鑰"),
    PATH: _public("document", "Document", "This document", "本文件"),
}
_ASKING: Json = {
    PATHS["pushed_authorization_request_endpoint"]: _posted(
        "push",
        {
            **_CLIENT,
            **_WISHES,
            "response_type": {"const": "code"},
            "redirect_uri": _ADDRESS,
            "state": {"type": "string", "maxLength": 1000},
            "nonce": {"type": "string", "maxLength": 500},
            "code_challenge": _SHA256,
            "code_challenge_method": {"const": "S256"},
            "dpop_jkt": _SHA256,
            "prompt": TEXT,
            "max_age": _NUMBERTEXT,
            "claims": {**_SECRET, "contentMediaType": JSON},
            "ui_locales": TEXT,
        },
        _answer("Pushed", 201),
        "Leave an authorization request (RFC 9126)",
        "預先送出授權請求",
        required="response_type redirect_uri scope code_challenge code_challenge_method",
    ),
    PATHS["token_endpoint"]: _posted(
        "token",
        {
            **_CLIENT,
            "grant_type": {"enum": ["authorization_code", "refresh_token", CIBA, EXCHANGE]},
            "code": _SECRET,
            "redirect_uri": _ADDRESS,
            "code_verifier": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
            "refresh_token": _SECRET,
            "scope": TEXT,
            "auth_req_id": _SECRET,
            "subject_token": _SECRET,
            "subject_token_type": {"const": ACCESS_TOKEN},
            "audience": TEXT,
        },
        _answer("Tokens"),
        "Give a code, refresh token, back-channel request or token for tokens (RFC 6749, RFC 8693)",
        "換取權杖",
        required="grant_type",
    ),
    PATHS["userinfo_endpoint"]: {method: _userinfo(method) for method in ("get", "post")},
    PATHS["introspection_endpoint"]: _posted(
        "introspect",
        {**_CLIENT, **_TOKEN},
        _answer("Introspection"),
        "What a token of the client, or one meant for it, is worth (RFC 7662)",
        "查詢權杖狀態",
        required="token",
    ),
    PATHS["revocation_endpoint"]: _posted(
        "revoke",
        {**_CLIENT, **_TOKEN},
        {"200": {"description": "It has ended, or was not the client's"}},
        "End a token of the client (RFC 7009)",
        "廢止權杖",
        required="token",
    ),
    PATHS["backchannel_authentication_endpoint"]: _posted(
        "backchannel",
        {
            **_CLIENT,
            **_WISHES,
            "binding_message": {"type": "string", "maxLength": 60},
            "requested_expiry": _NUMBERTEXT,
        },
        _answer("Asked"),
        "Ask a person on their phone (CIBA, poll mode)",
        "向當事人手機請求確認",
        required="scope",
    ),
}
