"""The doors for programs as an OpenAPI 3.1 document: checking what was signed."""

from __future__ import annotations

from smartgov.blocks.ops.api import served_document
from smartgov.engines.pki import signing
from smartgov.shared import openapi
from smartgov.shared.openapi import INSTANT, PROBLEM_TYPE, TEXT, UPLOAD, Json, answer, body, form, ref


def document(origin: str) -> Json:
    """The document of the doors at this origin."""
    return openapi.document(
        title="smartgov: doors of the signatures for programs",
        summary="電子簽章查驗之程式介面",
        terms="供任何人查驗使用 For whoever checks a signed file",
        server=origin,
        paths=_PATHS,
        components={
            "schemas": _SCHEMAS,
            "responses": {
                "Problem": answer("What went wrong, why, and what to do", ref("schemas", "Problem"), PROBLEM_TYPE)
            },
        },
    )


view = served_document(document)
_YES_OR_NO: Json = {"type": "boolean"}
_SHA256: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_REASONS: Json = {
    "type": "array",
    "items": {"enum": sorted(signing.PROBLEMS)},
    "description": "Why it does not count; the keys are stable",
}
_FILE: Json = {"type": "string", "format": "binary"}
_SCHEMAS: Json = {
    "Problem": openapi.PROBLEM,
    "Report": form(
        "valid problems file_sha256 altered_later signed_sha256 signatures checked_at",
        more=False,
        valid=_YES_OR_NO,
        problems=_REASONS,
        file_sha256=_SHA256,
        altered_later=_YES_OR_NO,
        signed_sha256={**_SHA256, "type": ["string", "null"], "description": "The document as the last one covers it"},
        signatures={"type": "array", "items": ref("schemas", "Signature")},
        checked_at={"type": "string", "format": "date-time"},
    ),
    "Signature": form(
        "name valid problems level chain claimed_at stamped_at revocation coverage",
        more=False,
        **dict.fromkeys(("name", "organisation", "algorithm", "stamped_by", "reason", "on_behalf_of", "mandate"), TEXT),
        valid=_YES_OR_NO,
        problems=_REASONS,
        level={"enum": ["B-B", "B-T", "B-LT"], "description": "ETSI EN 319 142-1"},
        chain={"type": "array", "items": TEXT},
        claimed_at=INSTANT,
        stamped_at=INSTANT,
        revocation=ref("schemas", "Revocation"),
        coverage={"enum": ["whole", "evidence", "signatures", "altered"]},
        revision={"type": "integer"},
        mandate_word={"enum": ["", "held", "not-held", "unknown"]},
    ),
    "Revocation": form(
        "status made_at age_s",
        status={"enum": ["good", "suspended", "revoked", "unknown"]},
        made_at=INSTANT,
        since=INSTANT,
        age_s={"type": ["integer", "null"], "minimum": 0, "description": "How old the news was"},
    ),
}
_PATHS: Json = {
    "/signing/check.json": {
        "post": openapi.operation(
            "signing_check",
            "Report on every signature of a file; the file is not kept",
            "查驗檔案之電子簽章",
            {
                "200": answer("The report", ref("schemas", "Report")),
                **{status: ref("responses", "Problem") for status in ("400", "413", "422", "429", "503")},
            },
            requestBody=body(
                UPLOAD,
                form("file", file=_FILE, signature={**_FILE, "description": "A detached CMS signature over `file`"}),
            ),
        )
    },
    "/signing/openapi.json": openapi.of_itself("signing"),
}
