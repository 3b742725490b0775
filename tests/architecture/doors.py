"""One real object for every operation that names one: the message its owner may send, and others'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.test import Client

from smartgov.blocks.cases import api as cases
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as case_files
from smartgov.blocks.credentials.tests import factories as certificates
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.services.tests import factories as applications
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.canonical import dumps
from smartgov.shared.tw import national_id
from tests.architecture.conftest import gateway_secret
from tests.architecture.objects import Stage
from tests.architecture.objects.rights import OFFERED, asked_right, exchange_offices

PORTAL = "TW/GOV/portal/portal"
STRANGER = national_id.make(640_001, 2)


@dataclass(frozen=True)
class Message:
    """One request as an agency's gateway hands it over."""

    agency: str
    path: str
    client: str
    subject: str
    method: str = "POST"
    body: Mapping[str, Any] = field(default_factory=dict)

    def send(self) -> Any:
        """Knock at the door as the agency's gateway does."""
        subsystem = "portal" if self.agency == "portal" else "cases"
        headers = {
            "Authorization": f"Bearer {gateway_secret(self.agency, subsystem)}",
            "X-Road-Client": self.client,
            "X-Road-Id": "x-1",
            "X-TRoad-Subject": national_id.urn(self.subject),
        }
        return Client().generic(
            self.method,
            f"/troad/{self.agency}/{self.path}",
            dumps(dict(self.body)) if self.method != "GET" else "",
            content_type="application/json",
            headers=headers,
        )

    def about(self, subject: str) -> Message:
        """The same message about somebody else."""
        return replace(self, subject=subject)

    def at(self, agency: str) -> Message:
        """The same message at another agency's door."""
        return replace(self, agency=agency)

    def sent_by(self, client: str) -> Message:
        """The same message of another information system."""
        return replace(self, client=client)


@dataclass(frozen=True)
class Visit:
    """One request of a signed-in officer to our API."""

    browser: Client
    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)

    def send(self) -> Any:
        """Ask it."""
        content = dumps(dict(self.body)) if self.method != "GET" else ""
        return self.browser.generic(self.method, f"/api/{self.path}", content, content_type="application/json")


@dataclass(frozen=True)
class Exchange:
    """A message that finds its object, and messages that must not."""

    own: Message | Visit
    foreign: tuple[Message | Visit, ...]


def _reviewed(stage: Stage) -> str:
    stage.contexts.enter_context(case_files.road())
    case = case_files.opened()
    cases.work_on_due()
    return case


def case(stage: Stage) -> Exchange:
    """How a case stands."""
    own = Message("ris", f"cases.v1/cases/{_reviewed(stage)}", PORTAL, case_files.MOTHER, "GET")
    return Exchange(own, (own.about(STRANGER), own.at("nhi")))


def supplement(stage: Stage) -> Exchange:
    """An answer to a question."""
    opened = _reviewed(stage)
    officer = case_files.officer()
    version = Case.objects.get(id=opened).version
    asked = cases.ask_supplement(actor=officer, case=opened, version=version, question="?")
    body = {"supplement": asked, "answers": {"answer": "從父姓"}}
    own = Message("ris", f"cases.v1/cases/{opened}/supplements", PORTAL, case_files.MOTHER, body=body)
    return Exchange(own, (own.about(STRANGER), own.about(case_files.FATHER), own.at("nhi")))


def continuation(stage: Stage) -> Exchange:
    """The part before was decided."""
    stage.contexts.enter_context(case_files.road())
    opened = case_files.opened("nhi", "nhi", waits=True)
    body = {"decided": "registration", "outcome": "granted", "child": national_id.urn(national_id.make(2_400_500, 2))}
    own = Message("nhi", f"cases.v1/cases/{opened}/continuations", "TW/GOV/ris/cases", case_files.MOTHER, body=body)
    return Exchange(own, (own.about(STRANGER), own.at("sfaa"), own.sent_by("TW/GOV/mof/cases")))


def step(stage: Stage) -> Exchange:
    """An agency's step on the timeline."""
    stage.road()
    mother = applications.a_mother()
    application = applications.handed_in(mother)
    part = applications.part_of(application, "registration")
    body = applications.a_step(part, "working")
    path = f"services.v1/applications/{application}/steps"
    own = Message("portal", path, "TW/GOV/ris/cases", mother.person, body=body)
    return Exchange(own, (own.about(STRANGER), own.sent_by("TW/GOV/sfaa/cases")))


def document(stage: Stage) -> Exchange:
    """A holder's certificate (named in the body)."""
    stage.contexts.enter_context(certificates.gateway(stage.folder))
    body = {"credential": certificates.issued().id}
    own = Message("ris", "credentials.v1/documents", PORTAL, certificates.HOLDER, body=body)
    return Exchange(own, (own.about(STRANGER), own.at("nhi")))


def offer(stage: Stage) -> Exchange:
    """An offer of a holder's certificate to her wallet (named in the body)."""
    found = document(stage)
    return Exchange(
        replace(found.own, path="credentials.v1/offers"),
        tuple(replace(one, path="credentials.v1/offers") for one in found.foreign),
    )


# -- the register of T-Road: the same operations for officers and, over T-Road, for members' systems -------------------

SYSTEMS = {"ris": "TW/GOV/ris/household", "nhi": "TW/GOV/nhi/cases", "bli": "TW/GOV/bli/cases"}
Told = tuple[str, Mapping[str, Any]]


def _of_register(
    owner: str, others: tuple[str, ...], method: str, told: Callable[[], tuple[str, Mapping[str, Any]]]
) -> Any:
    """Two scenes of one operation: by session, and over T-Road. `told` makes the object: its path, and a body."""

    def by_session(stage: Stage) -> Exchange:
        provider, consumer, (third,) = exchange_offices(stage)
        browsers = {"ris": provider, "nhi": consumer, "bli": third}
        path, body = told()
        visits = [Visit(browsers[one], method, f"exchange/v1{path}", body) for one in (owner, *others)]
        return Exchange(visits[0], tuple(visits[1:]))

    def over_t_road(stage: Stage) -> Exchange:
        exchange_offices(stage)
        path, body = told()
        sent = [
            Message("portal", f"exchange.v1{path}", SYSTEMS[one], STRANGER, method, body) for one in (owner, *others)
        ]
        return Exchange(sent[0], (*sent[1:], sent[0].sent_by("TW/COM/ris/household")))

    return by_session, over_t_road


def _service() -> Told:
    return f"/services/{OFFERED}", {}


def _right() -> Told:
    ris = Actor("officer", seat="seat-ris", agency="ris")
    right = exchange.grant_request(actor=ris, request=asked_right(), until=clock.today())
    return f"/rights/{right}/end", {"reason": "a test"}


def _renewal() -> Told:
    return _right()[0].replace("/end", "/renewal"), {"until": clock.today().isoformat()}


def _renewal_asked() -> Told:
    body = {"wanted_until": clock.today().isoformat(), "explanation": "the project goes on"}
    return _right()[0].replace("/end", "/renewal-requests"), body


def _decision() -> Told:
    return f"/requests/{asked_right()}/decision", {"outcome": "refused", "reason": "a test"}


SERVICE = "/services/{instance}/{group}/{member}/{subsystem}/{service}"
REGISTER: Mapping[str, Any] = {
    f"PUT %s{SERVICE}": _of_register("ris", ("nhi", "bli"), "PUT", _service),
    f"DELETE %s{SERVICE}": _of_register("ris", ("nhi", "bli"), "DELETE", _service),
    "POST %s/rights/{right_id}/end": _of_register("ris", ("nhi", "bli"), "POST", _right),
    "POST %s/rights/{right_id}/renewal": _of_register("ris", ("nhi", "bli"), "POST", _renewal),
    "POST %s/rights/{right_id}/renewal-requests": _of_register("nhi", ("ris", "bli"), "POST", _renewal_asked),
    "GET %s/requests/{request_id}": _of_register("nhi", ("bli",), "GET", lambda: (f"/requests/{asked_right()}", {})),
    "POST %s/requests/{request_id}/decision": _of_register("ris", ("nhi", "bli"), "POST", _decision),
    "POST %s/requests/{request_id}/withdrawal": _of_register(
        "nhi", ("ris", "bli"), "POST", lambda: (f"/requests/{asked_right()}/withdrawal", {})
    ),
}
# What every member may read of every other; who may add to it is tested above.
OWNED_BY_NOBODY = {
    label % mount
    for label in ("GET %s/members/{code}", f"GET %s{SERVICE}", f"GET %s{SERVICE}/document")
    for mount in ("/exchange/v1", "/exchange.v1")
}


OPERATIONS: Mapping[str, Callable[[Stage], Exchange]] = {
    "GET /cases.v1/cases/{case_id}": case,
    "POST /cases.v1/cases/{case_id}/supplements": supplement,
    "POST /cases.v1/cases/{case_id}/continuations": continuation,
    "POST /services.v1/applications/{application}/steps": step,
    "POST /credentials.v1/documents": document,
    "POST /credentials.v1/offers": offer,
    **{label % "/exchange/v1": scenes[0] for label, scenes in REGISTER.items()},
    **{label % "/exchange.v1": scenes[1] for label, scenes in REGISTER.items()},
}
