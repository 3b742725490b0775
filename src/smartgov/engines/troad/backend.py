"""The step from the provider's gateway to the information system behind it, over loopback."""

from __future__ import annotations

from smartgov.engines.httpd import Response
from smartgov.engines.httpd.failures import NotSentError
from smartgov.engines.troad import components
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask, Grant
from smartgov.shared.tw import national_id

_PASSED_BACK = tuple(name for name in components.ANSWER_OPTIONAL if not name.startswith("troad-"))


async def ask_service(core: Core, ask: Ask, grant: Grant) -> Response:
    """The service's whole answer. Problem `service-unreachable`: it was not asked; `service-silent`: nobody knows."""
    subsystem = core.home.subsystems.get(ask.target.subsystem)
    base = subsystem.services.get(ask.target.service) if subsystem else None
    if subsystem is None or base is None:
        raise refuse("service-unknown")
    query = f"?{ask.query}" if ask.query else ""
    try:
        answer = await core.services.request(
            ask.method,
            base.rstrip("/") + ask.target.path + query,
            headers=_headers(ask, grant, subsystem.secret),
            body=ask.body,
            timeout=grant.service.terms.seconds,
        )
    except NotSentError:
        raise refuse("service-unreachable") from None
    except (OSError, TimeoutError):
        raise refuse("service-silent") from None
    names = (*_PASSED_BACK, *components.user_fields(answer.headers))
    kept = {name: answer.headers[name] for name in names if name in answer.headers}
    return Response(answer.status, kept, answer.body)


def _headers(ask: Ask, grant: Grant, secret: str) -> dict[str, str]:
    told = {
        "x-road-client": ask.client,
        "x-road-id": ask.id,
        "x-road-issue": ask.issue,
        "x-road-userid": ask.user,
        "x-troad-subject": national_id.urn(ask.subject) if ask.subject else "",
        "x-troad-purpose": ask.purpose,
        "x-troad-basis": grant.right.basis_code or ("subject" if grant.right.basis == "subject" else ""),
        "x-troad-basis-kind": grant.right.basis,
        "x-troad-consent-id": grant.consent.jti if grant.consent else "",
        "x-troad-fields": ",".join(grant.fields) if grant.fields is not None else "",
    }
    # What the gateway says comes last, so that no forwarded field can stand in its place.
    return {
        **ask.headers,
        **{name: value for name, value in told.items() if value},
        "authorization": f"Bearer {secret}",
    }
