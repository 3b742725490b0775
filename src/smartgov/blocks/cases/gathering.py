"""Asking other agencies' registers, as this agency itself, for the facts that a part's content lists.

Each query goes out under its own ground: a legal basis, or the applicant's signed consent for that register.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartgov.blocks.cases.domain import MENDED_LATER, Fact, Gathered, Missing
from smartgov.blocks.exchange import api as exchange
from smartgov.engines.forms.services import CONSENT, FactSource, Part, Query
from smartgov.engines.rules import facts as taking
from smartgov.engines.troad.problems import UNBELIEVABLE
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

NO_CONSENT = Text("You have not agreed that this is asked.", "您未同意查詢這項資料。")
UNTRUSTED_ANSWER = Text("The answer could not be verified, so it is not used.", "回覆內容無法通過驗證，因此不予採用。")
DOWN = Text(
    "The register does not answer at the moment; it is asked again.", "該機關系統暫時沒有回應，將自動再次查詢。"
)
UNKNOWN = Text("The register has no such entry.", "該機關的登記中查無這項資料。")


@dataclass(frozen=True, slots=True)
class Question:
    """For whom and on which grounds facts are asked; `consents` maps a provider's service id to the artefact."""

    service: str
    part: Part
    when: str
    applicant: str
    child: str = ""
    notification: str = ""
    consents: Mapping[str, str] = field(default_factory=dict)
    case: str = ""

    @property
    def purpose(self) -> str:
        """The purpose code that the rights on T-Road name."""
        return f"{self.service}.{self.part.id}"

    def names(self) -> dict[str, Any]:
        """What `$applicant` and its like stand for in the content."""
        known = {"applicant": national_id.urn(self.applicant), "on": clock.today().isoformat()}
        if self.child:
            known["child"] = national_id.urn(self.child)
        if self.notification:
            known["notification"] = self.notification
        return known


def ask(*, actor: Actor, question: Question) -> Gathered:
    """Ask every register that the part needs at this time; an outage of one does not keep the others' facts away."""
    facts: dict[str, Fact] = {}
    missing: list[Missing] = []
    for query in question.part.queries(question.when):
        try:
            answer = _call(actor, question, query)
        except Problem as problem:
            missing += [_missing(fact, problem) for fact in query.facts]
            continue
        for source in query.facts:
            _take(question, source, answer, facts, missing)
    return Gathered(tuple(facts.values()), tuple(missing))


def _call(actor: Actor, question: Question, query: Query) -> exchange.Answer:
    by_consent = query.basis == CONSENT
    artefact = question.consents.get(query.service) if by_consent else None
    if by_consent and not artefact:
        raise Problem("consent-not-given", 403, what=NO_CONSENT)
    method, path = query.path.split(" ", 1)
    return exchange.call(
        actor=actor,
        agency=question.part.agency,
        service=query.service,
        method=method,
        path=path,
        json=taking.fill(query.body, question.names()),
        subject=question.applicant,
        purpose=question.purpose,
        basis=None if by_consent else query.basis,
        consent=artefact,
        case=question.case or None,
        fields=query.fields,
    )


def _take(
    question: Question,
    source: FactSource,
    answer: exchange.Answer,
    facts: dict[str, Fact],
    missing: list[Missing],
) -> None:
    context = {**question.names(), "fact": {fact.id: fact.value for fact in facts.values()}}
    try:
        value = taking.take(answer.body.get("items", []), source.take, context)
    except Problem as problem:
        missing.append(_missing(source, problem))
        return
    if value is None:
        again = any(lack.again for lack in missing if f"fact.{lack.id}" in str(source.take))
        missing.append(Missing(source.id, source.title, "fact-unknown", UNKNOWN, source.service, source.needed, again))
        return
    facts[source.id] = Fact(
        id=source.id,
        title=source.title,
        value=value,
        service=source.service,
        answered_at=answer.answered_at.isoformat(),
        exchange=answer.exchange_id,
        basis=source.basis,
    )


def _missing(source: FactSource, problem: Problem) -> Missing:
    # Asking again would not help, and using the answer would be wrong: the case stops until an officer starts it again.
    trusted = problem.slug not in UNBELIEVABLE
    outage = problem.status >= 500 or problem.status in (408, 409, 425, 429) or problem.slug in MENDED_LATER
    again = trusted and outage
    text = DOWN if again else problem.what if trusted else UNTRUSTED_ANSWER
    return Missing(source.id, source.title, problem.slug, text, source.service, source.needed, again, trusted)
