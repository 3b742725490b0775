"""The facts of an evidence pack, measured once; pages and documents only tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from smartgov.engines.deid import quasi, relations, risk, uniqueness, utility
from smartgov.engines.deid.attacks import Finding, Target, picture
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.ledger import digest_of
from smartgov.engines.deid.relations import Source
from smartgov.engines.deid.risk import Risk, Sizes
from smartgov.engines.deid.uniqueness import Uniqueness
from smartgov.engines.deid.utility import Accuracy, QueryError
from smartgov.shared import clock, content
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

NONE = Text("not stated", "未填")


@dataclass(frozen=True, slots=True)
class About:
    """What people decided: scope, roles and dates that no program can measure. Read from a YAML file."""

    title: Text = NONE
    scope: Text = NONE
    purpose: Text = NONE
    legal_basis: Text = NONE
    source: Text = NONE
    controller: Text = NONE
    processor: Text = NONE
    recipients: Text = NONE
    method: Text = NONE
    prepared_by: Text = NONE
    reviewed_by: Text = NONE
    approved_by: Text = NONE
    approved_on: Text = NONE
    review_on: Text = NONE
    review_triggers: Text = NONE
    contact: Text = NONE
    population: int = 0
    """How many people the source was drawn from; 0 when the source is the whole population."""

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> About:
        """From the YAML form; every text is a string or {en, zh}. Problem `about-invalid` names an unknown word."""
        known = {one.name for one in fields(cls)}
        try:
            if unknown := sorted(set(value) - known):
                raise ValueError(f"unknown: {', '.join(map(str, unknown))}")
            people = int(value.get("population", 0))
            texts = {name: Text.of(_plain(given)) for name, given in value.items() if name != "population"}
            return cls(**texts, population=people)
        except (ValueError, TypeError) as error:
            raise Problem(
                "about-invalid",
                422,
                what=Text("What was said about the release cannot be read.", "釋出說明檔無法讀取。"),
                why=Text(str(error), str(error)),
                todo=Text(f"Use these words: {', '.join(sorted(known))}.", f"可用欄位：{'、'.join(sorted(known))}。"),
            ) from error

    @classmethod
    def read(cls, path: Path) -> About:
        """From a YAML file."""
        found = content.parse(path.read_text(encoding="utf-8"))
        return cls.parse(found if isinstance(found, Mapping) else {"": found})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the source: its role, how many values it had and has (None: not released)."""

    name: str
    role: str
    before: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Pack:
    """All that an evidence pack tells."""

    about: About
    target: Target
    rows: int
    columns: list[Column]
    sizes: Sizes
    risk: Risk
    uniqueness: Uniqueness
    query_error: QueryError
    accuracies: list[Accuracy]
    keys: list[quasi.Candidate]
    findings: list[Finding]
    findings_digest: str
    made_at: str
    head: str = ""
    digest: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every attack failed."""
        return all(finding.passed for finding in self.findings)

    @property
    def suppressed(self) -> int:
        """Rows of the source that are not in the release, or only as `*`."""
        return self.rows - self.risk.rows

    @property
    def population(self) -> int:
        """People of the population; at least those of the source."""
        return max(self.about.population, self.rows)


def measured(
    target: Target,
    about: About,
    findings: Sequence[Finding],
    *,
    threshold: float = 0.2,
    frame: Source | None = None,
    keys: Sequence[KeyRing] = (),
    head: str = "",
    digest: str = "",
) -> Pack:
    """Measure a release and its source for the pack. `head` and `digest` come from the ledger once it is published.

    `keys` are needed as the attacks need them. Query errors are against the values as they were transformed.
    """
    with relations.opened(r=target.release, s=target.source) as db:
        rows = relations.count(db, "s")
        columns = _columns(db, target)
    sizes = risk.sizes(target.release, target.quasi)
    found = risk.measure(target.release, target.quasi, threshold=threshold, frame=frame)
    with picture.seen(target.source, target, keys) as source:
        error = utility.query_error(target.release, source.file, target.quasi, target.labels)
    return Pack(
        about,
        target,
        rows,
        columns,
        sizes,
        found,
        uniqueness.estimate(sizes, max(about.population, rows)),
        error,
        [utility.accuracy(target.release, target.source, target.quasi, name) for name in target.sensitive],
        quasi.find(target.source, names=target.quasi, most=3).candidates[:5],
        list(findings),
        digest_of(findings),
        clock.now().isoformat(timespec="seconds"),
        head,
        digest,
    )


def _columns(db: Any, target: Target) -> list[Column]:
    roles = {
        **dict.fromkeys(target.identifying, "identifying"),
        **dict.fromkeys(target.quasi, "quasi"),
        **dict.fromkeys(target.sensitive, "sensitive"),
    }
    ours, theirs = relations.columns(db, "r"), relations.columns(db, "s")
    return [
        Column(
            name,
            roles.get(name, "insensitive"),
            _values(db, "s", name),
            _values(db, "r", name) if name in ours else None,
        )
        for name in theirs
    ]


def _values(db: Any, view: str, name: str) -> int:
    return int(relations.one(db, f"SELECT count(DISTINCT {relations.quoted(name)}) FROM {view}"))  # noqa: S608


def _plain(value: Any) -> Any:
    """YAML dates and numbers as text."""
    return value if isinstance(value, str | Mapping) else str(value)
