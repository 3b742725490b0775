"""What X-Road's clients expect of a gateway: whose fault an error is, its short form, and the fields of an answer.

An information system that sends no `X-TRoad-*` field and does not ask for problem+json is taken for one of X-Road
(protocol for REST, 4.3 and 4.6): errors come as `{type, message, detail}` with status 400 or 500.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartgov.engines.httpd import Response
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

CLIENT_FIELDS = ("x-road-client", "x-govstack-client", "information-mediator-client")
"""Under which a system names itself: X-Road's word, and the two of GovStack's information mediator."""

_CLIENT = frozenset({
    "address-invalid", "message-id-invalid", "body-changed", "purpose-required", "subject-required", "person-in-clear",
    "subject-mismatch", "reference-invalid", "persons-too-many", "request-invalid", "body-too-large",
    "idempotency-key-invalid", "idempotency-mismatch", "idempotency-running", "outcome-unknown", "answer-erased",
    "once-elsewhere", "json-invalid",
})  # fmt: skip
_KINDS = {
    "configuration-expired": "OutdatedGlobalConf",
    "configuration-missing": "OutdatedGlobalConf",
    "credentials-invalid": "SslAuthenticationFailed",
    "client-unknown": "UnknownMember",
    "service-unknown": "UnknownService",
    "operation-unknown": "UnknownService",
    "contract-missing": "UnknownService",
    "gateway-unreachable": "NetworkError",
    "gateway-silent": "NetworkError",
    "gateway-untrusted": "SslAuthenticationFailed",
    "service-unreachable": "NetworkError",
    "service-silent": "ServiceFailed",
    "answer-invalid": "ServiceFailed",
    "answer-uncuttable": "ServiceFailed",
    "log-unavailable": "LoggingFailed",
    "answer-signature-invalid": "InvalidSignature",
    "signature-invalid": "InvalidSignature",
    "signature-missing": "InvalidSignature",
    "signer-unknown": "InvalidSignature",
    "gateway-failed": "InternalError",
    "contract-unavailable": "InternalError",
}
_AT_PROVIDER = frozenset({"service-unreachable", "service-silent", "answer-invalid", "contract-unavailable"})


def speaks(headers: Mapping[str, str]) -> bool:
    """Whether the caller is to be answered as X-Road's clients are."""
    asks_for_ours = "application/problem+json" in headers.get("accept", "")
    return not asks_for_ours and not any(name.startswith("x-troad-") for name in headers)


def client_of(headers: Mapping[str, str]) -> str:
    """The subsystem that the caller says it is, or nothing."""
    return next((headers[name] for name in CLIENT_FIELDS if headers.get(name)), "")


def error_type(problem: Problem) -> str:
    """`Client.*`, `Server.ClientProxy.*` or `Server.ServerProxy.*`: what broke, and at which gateway."""
    if problem.slug in _CLIENT:
        return "Client.BadRequest"
    far = "refused_by" in problem.extra or problem.slug in _AT_PROVIDER
    return f"Server.{'ServerProxy' if far else 'ClientProxy'}.{_KINDS.get(problem.slug, 'AccessDenied')}"


def error(problem: Problem) -> Response:
    """The refusal in X-Road's form; `detail` is the exchange's id, under which the operator finds its record."""
    kind = error_type(problem)
    detail = str(problem.extra.get("exchange") or uuid7())
    message = f"{problem.what.en} {problem.why.en}".strip()
    answer = Response.json(
        {"type": kind, "message": message, "detail": detail, "problem": problem.type},
        400 if kind.startswith("Client.") else 500,
    )
    answer.headers |= {"content-type": "application/json;charset=utf-8", "x-road-error": kind}
    if "retry_after" in problem.extra:
        answer.headers["retry-after"] = str(problem.extra["retry_after"])
    return answer
