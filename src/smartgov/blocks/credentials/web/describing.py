"""The doors for programs as an OpenAPI 3.1 document: wallets, verifiers, and whoever checks a certificate.

OpenID4VCI 1.0, OpenID4VP 1.0 and Token Status List fix the forms; the document says which of them are in use here.
"""

from __future__ import annotations

from smartgov.blocks.ops.api import served_document
from smartgov.engines.credential.issuing import LARGEST_BATCH, PRE_AUTHORISED, SMALLEST_BATCH, TX_CODE_LENGTH
from smartgov.shared import openapi
from smartgov.shared.openapi import FORM, INSTANT, JSON, PROBLEM_TYPE, TEXT, UPLOAD, Json, answer, body, form, ref


def document(origin: str) -> Json:
    """The document of the doors at this origin."""
    return openapi.document(
        title="smartgov: doors of the credentials for wallets and programs",
        summary="數位憑證之程式介面（OpenID4VCI、OpenID4VP、憑證狀態清單）",
        terms="供錢包及查驗者使用 For wallets and verifiers",
        server=origin,
        paths={**_ISSUING, **_CHECKING, **_PRESENTING},
        components={
            "schemas": _SCHEMAS,
            "responses": _REFUSALS,
            "parameters": _PARAMETERS,
            "securitySchemes": _SCHEMES,
        },
    )


view = served_document(document)
_ADDRESS: Json = {"type": "string", "format": "uri"}
_TEXTS: Json = {"type": "array", "items": TEXT}
_SECRET: Json = {"type": "string", "minLength": 1}
_JWT: Json = {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"}
_DISPLAY: Json = {"type": "array", "items": form("name locale", name=TEXT, locale=TEXT)}
_SCHEMAS: Json = {
    "Refusal": form("error", error=TEXT, error_description=TEXT, type=TEXT),
    "Problem": openapi.PROBLEM,
    "Issuer": form(
        "credential_issuer credential_endpoint nonce_endpoint credential_configurations_supported",
        credential_issuer=_ADDRESS,
        credential_endpoint=_ADDRESS,
        nonce_endpoint=_ADDRESS,
        authorization_servers=_TEXTS,
        batch_credential_issuance=form("batch_size", batch_size={"type": "integer", "minimum": 2}),
        display=_DISPLAY,
        credential_configurations_supported={
            "type": "object",
            "additionalProperties": form("format vct", format={"const": "dc+sd-jwt"}, vct=TEXT, scope=TEXT),
        },
    ),
    "Server": form(
        "issuer token_endpoint grant_types_supported",
        issuer=_ADDRESS,
        token_endpoint=_ADDRESS,
        grant_types_supported=_TEXTS,
    ),
    "Token": form(
        "access_token token_type expires_in",
        more=False,
        access_token=_SECRET,
        token_type={"const": "Bearer"},
        expires_in={"type": "integer", "minimum": 0},
    ),
    "Nonce": form("c_nonce", more=False, c_nonce=_SECRET),
    "Wanted": form(
        "proofs",
        credential_configuration_id={**TEXT, "description": "With a token of this issuer"},
        credential_identifier={**TEXT, "description": "With a token of the provider, as it names the credential"},
        proofs=form(
            "jwt",
            more=False,
            jwt={"type": "array", "items": TEXT, "minItems": SMALLEST_BATCH, "maxItems": LARGEST_BATCH},
        ),
    ),
    "Batch": form(
        "credentials",
        more=False,
        credentials={"type": "array", "minItems": 1, "items": form("credential", more=False, credential=_SECRET)},
    ),
    "Verdict": form(
        "genuine problems altered_later issued_sha256 signer signed_at record",
        more=False,
        genuine={"type": "boolean"},
        problems=_TEXTS,
        altered_later={"type": "boolean"},
        issued_sha256={"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
        signer={"type": ["string", "null"]},
        signed_at=INSTANT,
        record={
            "oneOf": [
                {"type": "null"},
                form(
                    "code number status issued_at revoked_at",
                    more=False,
                    code=TEXT,
                    number=TEXT,
                    status=TEXT,
                    issued_at=INSTANT,
                    revoked_at=INSTANT,
                ),
            ]
        },
    ),
    "Taken": form(more=False),
}


def _refusal(description: str, **headers: str) -> Json:
    told: Json = answer(description, ref("schemas", "Refusal"))
    return {**told, "headers": {name: {"description": why, "schema": TEXT} for name, why in headers.items()}}


_NONCE = {"DPoP-Nonce": "For the next proof (RFC 9449), where the token is the provider's"}
_REFUSALS: Json = {
    "Wrong": _refusal("The request is refused, in the codes of OpenID4VCI, OpenID4VP and OAuth", **_NONCE),
    "Stranger": _refusal("The token is missing or does not hold", **{"WWW-Authenticate": "RFC 6750", **_NONCE}),
    "Unknown": _refusal("There is no such issuer, list or request, or it is over"),
    "Away": _refusal("The agency's gateway, which seals for it, does not answer now"),
    "Problem": answer("What went wrong, why, and what to do", ref("schemas", "Problem"), PROBLEM_TYPE),
}
_STATUS = {"Wrong": "400", "Stranger": "401", "Unknown": "404", "Away": "503"}
_SCHEMES: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of this issuer, for one batch"},
    "provider": {"type": "http", "scheme": "DPoP", "description": "A token of the provider with a proof (RFC 9449)"},
}


def _in_path(name: str, description: str, example: str, **schema: object) -> Json:
    shape = {"type": "string", **schema}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": shape,
        "example": example,
    }


_PARAMETERS: Json = {
    "Agency": _in_path("agency", "The agency that issues", "ris", pattern="^[a-z0-9-]+$", maxLength=40),
    "Number": _in_path("number", "Which of its lists", "1", pattern="^[1-9][0-9]{0,5}$"),
    "Asked": _in_path(
        "asked", "The request behind a code", "01a22626-3c04-73bd-ab48-8c5499dc349b", format="uuid", maxLength=36
    ),
}


def _door(name: str, words: tuple[str, str], good: Json, refusals: str, *parameters: str, **more: object) -> Json:
    answers = {"200": good, **{_STATUS[one]: ref("responses", one) for one in refusals.split()}}
    given = {"parameters": [ref("parameters", one) for one in parameters]} if parameters else {}
    return openapi.operation(f"credentials_{name}", words[0], words[1], answers, **given, **more)


_PRE_AUTHORISED: Json = {
    "type": "object",
    "required": ["grant_type", "pre-authorized_code", "tx_code"],
    "properties": {
        "grant_type": {"const": PRE_AUTHORISED},
        "pre-authorized_code": _SECRET,
        "tx_code": {"type": "string", "pattern": f"^[0-9]{{{TX_CODE_LENGTH}}}$"},
    },
}
_OF_AGENCY = "credentials/issuers/{agency}"
_ISSUING: Json = {
    f"/.well-known/openid-credential-issuer/{_OF_AGENCY}": {
        "get": _door(
            "issuer_metadata",
            ("What an agency issues to wallets (OpenID4VCI section 12.2)", "核發機關之設定"),
            answer("The metadata", ref("schemas", "Issuer")),
            "Unknown",
            "Agency",
        )
    },
    f"/.well-known/oauth-authorization-server/{_OF_AGENCY}": {
        "get": _door(
            "server_metadata",
            ("The agency's own token endpoint (RFC 8414)", "核發機關權杖端點之設定"),
            answer("The metadata", ref("schemas", "Server")),
            "Unknown",
            "Agency",
        )
    },
    f"/{_OF_AGENCY}/token": {
        "post": _door(
            "token",
            ("Give an offer's code and the number told with it for a token", "以預先授權碼換取權杖"),
            answer("The token, for one batch", ref("schemas", "Token")),
            "Wrong Unknown",
            "Agency",
            requestBody=body(
                FORM,
                _PRE_AUTHORISED,
            ),
        )
    },
    f"/{_OF_AGENCY}/nonce": {
        "post": _door(
            "nonce",
            ("A nonce for the proofs of one batch", "取得一次性隨機值"),
            answer("The nonce", ref("schemas", "Nonce")),
            "Unknown",
            "Agency",
        )
    },
    f"/{_OF_AGENCY}/credential": {
        "post": _door(
            "credential",
            ("A batch of credentials, one for each key that is proved", "取得憑證"),
            answer("The batch", ref("schemas", "Batch")),
            "Wrong Stranger Unknown Away",
            "Agency",
            security=[{"token": []}, {"provider": []}],
            requestBody=body(JSON, ref("schemas", "Wanted")),
        )
    },
}
_CHECKING: Json = {
    "/credentials/lists/{agency}/{number}": {
        "get": _door(
            "status_list",
            ("A signed list of the state of all credentials (Token Status List)", "憑證狀態清單"),
            answer("The list, for `ttl` seconds", _JWT, "application/statuslist+jwt"),
            "Unknown Away",
            "Agency",
            "Number",
        )
    },
    "/credentials/verifiers.jwt": {
        "get": _door(
            "verifiers",
            ("The signed register of who may ask for which claims", "查驗者名冊"),
            answer("The register", _JWT, "application/jwt"),
            "Away",
        )
    },
    "/credentials/check.json": {
        "post": openapi.operation(
            "credentials_check",
            "Check an e-certificate that one was handed; the file is not kept",
            "查驗電子證明書",
            {
                "200": answer("What was found", ref("schemas", "Verdict")),
                **{status: ref("responses", "Problem") for status in ("400", "422", "429", "503")},
            },
            requestBody=body(UPLOAD, form("file", file={"type": "string", "format": "binary"})),
        )
    },
    "/credentials/openapi.json": openapi.of_itself("credentials"),
}
_SIGNED_REQUEST = answer("The request", _JWT, "application/oauth-authz-req+jwt")
_PRESENTING: Json = {
    "/credentials/presentations/{asked}/request": {
        method: _door(
            f"request_object_{method}",
            ("The signed request behind a code that was scanned (OpenID4VP section 5)", "取得出示要求"),
            _SIGNED_REQUEST,
            "Wrong Unknown Away",
            "Asked",
        )
        for method in ("get", "post")
    },
    "/credentials/presentations/{asked}/answer": {
        "post": _door(
            "answer",
            ("A wallet's encrypted answer (direct_post.jwt)", "送出加密之出示內容"),
            answer("It holds, and the officer sees it", ref("schemas", "Taken")),
            "Wrong Unknown Away",
            "Asked",
            requestBody=body(FORM, form("response", response={**TEXT, "description": "A JWE to the request's key"})),
        )
    },
}
