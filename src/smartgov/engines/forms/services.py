"""Services as data: which agencies decide, which facts each may ask for, on which basis, and what each writes.

The file format is described at the head of `content/tw/services/birth.yaml`. Everything here is pure: it reads one
file, refuses what is not coherent (Problem `service-invalid`), and answers questions about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.facts import TakeSpec, fill, take
from smartgov.shared import content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

CONSENT = "consent"
PREPARE, DECIDE = "prepare", "decide"
FACT_KINDS = frozenset({"text", "date", "number", "money", "yesno", "sex", "address", "person", "bank_account"})
_SERVICE_ID = re.compile(r"TW/GOV/[a-z]+/[a-z]+/[a-z_]+\.v\d+")
_PATH = re.compile(r"(GET|POST|PATCH) /[a-z_/]+")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule of a service is published."""

    title: Text
    article: Text
    url: str


@dataclass(frozen=True, slots=True)
class FactSource:
    """One fact of a part: the query that fetches it and the `take` that reduces the rows to a value.

    `basis` is `consent` or the code of a legal basis in the directory. `when` is prepare, decide or both. `kind` says
    how pages show the value; `shown` is false for facts that only the rule needs;
    `labels` are words for a register's codes.
    """

    id: str
    title: Text
    service: str
    path: str
    body: Mapping[str, Any]
    fields: tuple[str, ...]
    take: Mapping[str, Any]
    kind: str
    basis: str
    needed: bool
    when: str
    shown: bool = True
    labels: Mapping[str, Text] = field(default_factory=dict)

    @property
    def agency(self) -> str:
        """The code of the agency whose register answers."""
        return self.service.split("/")[2]

    def serves(self, when: str) -> bool:
        """Whether the fact is asked for at `when` (prepare or decide)."""
        return self.when in (when, "both")


@dataclass(frozen=True, slots=True)
class Query:
    """One exchange that fetches several facts: same service, path, body and basis; fields are their union."""

    service: str
    path: str
    body: Mapping[str, Any]
    basis: str
    fields: tuple[str, ...]
    facts: tuple[FactSource, ...]

    def request(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the query; `context` as for `engines.rules.facts.take`."""
        filled: dict[str, Any] = fill(self.body, context)
        return filled

    def values(self, items: Sequence[Mapping[str, Any]], context: dict[str, Any]) -> dict[str, Any]:
        """The query's facts by id from the rows that came back; they join `context["fact"]` for later queries."""
        known = context.setdefault("fact", {})
        for fact in self.facts:
            known[fact.id] = take(items, fact.take, context)
        return {fact.id: known[fact.id] for fact in self.facts}


@dataclass(frozen=True, slots=True)
class Write:
    """One row that the agency writes after its decision; `body` maps columns to expressions.

    The expressions see: applicant, child, facts, answers, values (of the decision), case, on.
    `subject` names which of applicant and child the exchange is about.
    """

    service: str
    path: str
    subject: str
    basis: str
    body: Mapping[str, Any]

    def row(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The row to write; Problem `write-incomplete` (409) when something that it needs is not known."""
        row = {column: expr.evaluate(node, data) for column, node in self.body.items()}
        missing = sorted({name for value in row.values() if isinstance(value, expr.Unknown) for name in value.missing})
        if missing:
            raise Problem(
                "write-incomplete",
                409,
                what=Text("The register's entry cannot be written yet.", "登記資料尚不完整，無法寫入。"),
                why=Text(f"Not known: {', '.join(missing)}.", f"缺少：{'、'.join(missing)}。"),
                todo=Text("Fetch the missing facts or ask for a supplement.", "請重新取得資料或通知補正。"),
                missing=missing,
            )
        return {column: expr.as_json(value) for column, value in row.items()}


@dataclass(frozen=True, slots=True)
class Pays:
    """What is paid when the part is granted: a value of the decision, to an account from the answers."""

    value: str
    account: str
    purpose: Text


@dataclass(frozen=True, slots=True)
class Part:
    """What one agency decides within the service."""

    id: str
    agency: str
    rule: str
    title: Text
    gives: Text
    purpose: Text
    legal_basis: str
    decided_by: str
    target_days: int
    after: tuple[str, ...]
    answers: tuple[str, ...]
    proofs_replaced: tuple[Text, ...]
    facts: tuple[FactSource, ...]
    writes: tuple[Write, ...] = ()
    pays: Pays | None = None
    assigns: str | None = None

    @property
    def proof_replaced(self) -> Text:
        """All papers that the applicant need not bring, as one sentence."""
        return Text("; ".join(p.en for p in self.proofs_replaced), "、".join(p.zh for p in self.proofs_replaced))

    def facts_at(self, when: str) -> tuple[FactSource, ...]:
        """The facts asked for at `when`, in the order of the file (later ones may lean on earlier ones)."""
        return tuple(fact for fact in self.facts if fact.serves(when))

    def queries(self, when: str) -> tuple[Query, ...]:
        """The exchanges needed at `when`, each serving as many facts as share it."""
        return _queries(self.facts_at(when))

    def consents(self) -> tuple[Query, ...]:
        """What the applicant must agree to for this part, one entry for each service asked (all phases)."""
        by_service: dict[str, list[FactSource]] = {}
        for fact in self.facts:
            if fact.basis == CONSENT:
                by_service.setdefault(fact.service, []).append(fact)
        return tuple(_query(facts) for facts in by_service.values())


@dataclass(frozen=True, slots=True)
class Certificate:
    """The e-certificate issued when `part` is granted."""

    id: str
    agency: str
    part: str
    title: Text


@dataclass(frozen=True, slots=True)
class Grant:
    """A right that the service needs on T-Road: who may call what, on which basis, and see which fields."""

    client: str
    service: str
    endpoint: str
    basis: str
    fields: tuple[str, ...] | None
    purpose: str


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service of the catalogue: one life event, one form, several agencies' parts."""

    id: str
    title: Text
    summary: Text
    life_event: str
    form: str
    deadline_days: int
    deadline_from: str
    deadline_source: Source
    parts: tuple[Part, ...]
    certificate: Certificate | None = None
    proofs: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "proofs", sum(len(part.proofs_replaced) for part in self.parts))

    def part(self, part_id: str) -> Part:
        """The part with this id; Problem `service-part-unknown` (404) otherwise."""
        for part in self.parts:
            if part.id == part_id:
                return part
        raise Problem(
            "service-part-unknown",
            404,
            what=Text("There is no such part of this service.", "此服務沒有這個項目。"),
            todo=Text("Start again from the list of services.", "請由服務清單重新開始。"),
        )

    def followers(self, part_id: str) -> tuple[Part, ...]:
        """The parts that wait for `part_id`."""
        return tuple(part for part in self.parts if part_id in part.after)

    def grants(self) -> tuple[Grant, ...]:
        """Every right on T-Road that the agencies' case systems need for facts and writes."""
        found: dict[tuple[str, str, str, str, str], set[str] | None] = {}
        for part in self.parts:
            client, purpose = f"TW/GOV/{part.agency}/cases", f"{self.id}.{part.id}"
            for fact in part.facts:
                key = (client, fact.service, fact.path, fact.basis, purpose)
                found[key] = (found.get(key) or set()) | set(fact.fields)
            for write in part.writes:
                found.setdefault((client, write.service, write.path, write.basis, purpose), None)
        return tuple(
            Grant(client, service, endpoint, basis, tuple(sorted(fields)) if fields is not None else None, purpose)
            for (client, service, endpoint, basis, purpose), fields in sorted(found.items(), key=lambda item: item[0])
        )


def load_service(path: str | Path) -> ServiceDefinition:
    """The service that a YAML file defines; Problem `service-invalid` naming the place when it is not coherent."""
    raw = content.parse(Path(path).read_text(encoding="utf-8"))
    try:
        service = _service(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(Path(path).name, f"{type(error).__name__}: {error}") from error
    try:
        _check(service, Path(path).name)
    except Problem as problem:
        raise problem if problem.slug == "service-invalid" else _invalid(Path(path).name, problem.why.en) from problem
    return service


def load_services(folder: str | Path) -> dict[str, ServiceDefinition]:
    """All services of a folder by id."""
    services = [load_service(path) for path in sorted(Path(folder).glob("*.yaml"))]
    return {service.id: service for service in services}


def _service(raw: Mapping[str, Any]) -> ServiceDefinition:
    deadline, certificate = raw["deadline"], raw.get("certificate")
    source = deadline["source"]
    return ServiceDefinition(
        id=raw["id"],
        title=Text.of(raw["title"]),
        summary=Text.of(raw["summary"]),
        life_event=raw["life_event"],
        form=raw["form"],
        deadline_days=int(deadline["days"]),
        deadline_from=deadline["from"],
        deadline_source=Source(Text.of(source["title"]), Text.of(source["article"]), source["url"]),
        parts=tuple(_part(part) for part in raw["parts"]),
        certificate=Certificate(**{**certificate, "title": Text.of(certificate["title"])}) if certificate else None,
    )


def _part(raw: Mapping[str, Any]) -> Part:
    pays = raw.get("pays")
    return Part(
        id=raw["id"],
        agency=raw["agency"],
        rule=raw["rule"],
        title=Text.of(raw["title"]),
        gives=Text.of(raw["gives"]),
        purpose=Text.of(raw["purpose"]),
        legal_basis=raw["legal_basis"],
        decided_by=raw["decided_by"],
        target_days=int(raw["target_days"]),
        after=tuple(raw["after"]),
        answers=tuple(raw["answers"]),
        proofs_replaced=tuple(Text.of(proof) for proof in raw["proofs_replaced"]),
        facts=tuple(_fact(fact) for fact in raw["facts"]),
        writes=tuple(Write(**write) for write in raw.get("writes", ())),
        pays=Pays(pays["value"], pays["account"], Text.of(pays["purpose"])) if pays else None,
        assigns=raw.get("assigns"),
    )


def _fact(raw: Mapping[str, Any]) -> FactSource:
    labels = {str(code): Text.of(words) for code, words in raw.get("labels", {}).items()}
    return FactSource(**{**raw, "title": Text.of(raw["title"]), "fields": tuple(raw["fields"]), "labels": labels})


def _queries(facts: Iterable[FactSource]) -> tuple[Query, ...]:
    groups: dict[tuple[str, str, str, str], list[FactSource]] = {}
    for fact in facts:
        groups.setdefault((fact.service, fact.path, repr(fact.body), fact.basis), []).append(fact)
    return tuple(_query(group) for group in groups.values())


def _query(facts: list[FactSource]) -> Query:
    first = facts[0]
    fields = tuple(sorted({name for fact in facts for name in fact.fields}))
    return Query(first.service, first.path, first.body, first.basis, fields, tuple(facts))


def _check(service: ServiceDefinition, name: str) -> None:
    part_ids = [part.id for part in service.parts]
    if len(set(part_ids)) != len(part_ids):
        raise _invalid(name, "two parts share an id")
    for index, part in enumerate(service.parts):
        unknown = set(part.after) - set(part_ids[:index])
        if unknown:
            raise _invalid(name, f"{part.id} waits for {sorted(unknown)}, which does not come before it")
        _check_part(part, name)
    if service.certificate and service.certificate.part not in part_ids:
        raise _invalid(name, "the certificate belongs to no part")


def _check_part(part: Part, name: str) -> None:
    if part.decided_by not in ("officer", "rule"):
        raise _invalid(name, f"{part.id}: decided_by is officer or rule")
    if not part.proofs_replaced:
        raise _invalid(name, f"{part.id}: says no paper that it replaces")
    for fact in part.facts:
        _check_fact(fact, f"{name} {part.id}.{fact.id}")
    for when in (PREPARE, DECIDE):
        ids = [fact.id for fact in part.facts_at(when)]
        if len(set(ids)) != len(ids):
            raise _invalid(name, f"{part.id}: a fact has two sources at {when}")
        _check_order(part, when, name)
    for write in part.writes:
        if write.subject not in ("applicant", "child"):
            raise _invalid(name, f"{part.id}: a write is about the applicant or the child")
        for node in write.body.values():
            expr.check(node)


def _check_order(part: Part, when: str, name: str) -> None:
    """A fact may lean only on facts that are taken before it, query by query."""
    taken: set[str] = set()
    for query in part.queries(when):
        for fact in query.facts:
            leans = TakeSpec.of(fact.take).leans_on()
            if not leans <= taken:
                raise _invalid(name, f"{part.id}.{fact.id} leans on {sorted(leans - taken)}, not taken before it")
            taken.add(fact.id)


def _check_fact(fact: FactSource, place: str) -> None:
    if not _SERVICE_ID.fullmatch(fact.service) or not _PATH.fullmatch(fact.path):
        raise _invalid(place, "service or path is malformed")
    if fact.when not in (PREPARE, DECIDE, "both") or fact.kind not in FACT_KINDS:
        raise _invalid(place, "unknown when or kind")
    if not fact.fields:
        raise _invalid(place, "asks for no field by name")
    try:
        TakeSpec.of(fact.take, fact.fields)
    except Problem as problem:
        raise _invalid(place, problem.why.en) from problem


def _invalid(place: str, why: str) -> Problem:
    return Problem(
        "service-invalid",
        500,
        what=Text("A service definition cannot be used.", "服務定義無法使用。"),
        why=f"{place}: {why}",
        todo=Text("Mend the file and load it again.", "請修正檔案後重新載入。"),
    )
