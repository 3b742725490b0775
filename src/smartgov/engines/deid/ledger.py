"""The release ledger: what went out of each source, and the gate in front of it.

`publish` attacks a release, alone and together with all earlier releases of its source, and writes it into the chained
file only when every attack failed. A refusal is written too: how often somebody tried is part of the evidence. Whoever
prepared a release may not approve it. A withdrawn release still counts as out: copies do not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartgov.engines.deid import attacks, dossier
from smartgov.engines.deid.attacks import Finding, Target
from smartgov.engines.deid.chain import Chain, Entry
from smartgov.engines.deid.keyring import KeyRing
from smartgov.engines.deid.relations import Source
from smartgov.shared import canonical, clock, ids
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KIND = "smartgov/deid/releases/1"


@dataclass(frozen=True, slots=True)
class Case:
    """Who wants to release what for which purpose. `source` names the source: all its releases are checked together."""

    source: str
    purpose: str
    prepared_by: str
    approved_by: str
    review_on: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A release that went out: its id, the ledger's head with it, and what the attacks found."""

    id: str
    head: str
    findings: list[Finding]


class Ledger:
    """The ledger file. Folders of releases are kept relative to it, so that both may be moved together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.chain = Chain(path, KIND, broken)

    def create(self) -> None:
        """A new, empty ledger."""
        self.chain.create()

    def releases(self, source: str) -> list[Entry]:
        """What went out of a source, oldest first, withdrawn releases included."""
        return [entry for entry in self.chain.entries() if _is_release(entry, source)]

    def earlier(self, source: str) -> list[Target]:
        """Those releases as targets; Problem `dossier-missing` when the files of one are gone or changed."""
        return [self._loaded(entry) for entry in self.releases(source)]

    def check(
        self,
        target: Target,
        case: Case,
        *,
        outside: Source | None = None,
        pseudonyms: Collection[str] = (),
        keys: Sequence[KeyRing] = (),
        progress: Callable[[str], None] | None = None,
    ) -> list[Finding]:
        """Every attack on the release, alone and together with the earlier ones; writes nothing."""
        earlier = self.earlier(case.source)
        return attacks.run_all(
            target, outside=outside, earlier=earlier, pseudonyms=pseudonyms, keys=keys, progress=progress
        )

    def publish(
        self,
        target: Target,
        case: Case,
        folder: Path,
        *,
        outside: Source | None = None,
        pseudonyms: Collection[str] = (),
        keys: Sequence[KeyRing] = (),
        progress: Callable[[str], None] | None = None,
    ) -> Published:
        """Let the release out, kept in `folder`; Problem `release-refused` names the attacks that succeeded.

        Runs every attack itself: findings from elsewhere are not believed. `keys` are those of all projects whose
        pseudonyms or date shifts are in this release and the earlier ones. Should another release of the source go
        out meanwhile, Problem `ledger-moved` asks to start again.
        """
        _two_people(case)
        seen = len(self.releases(case.source))
        findings = self.check(target, case, outside=outside, pseudonyms=pseudonyms, keys=keys, progress=progress)
        broken = [finding for finding in findings if not finding.passed]
        if broken:
            with self.chain.writing() as (_, append):
                append({"kind": "refused", **_of(case), "findings": _counted(findings)})
            raise _refused(broken)
        dossier.save(target, folder)
        body = {
            "kind": "release", "id": ids.uuid7(), **_of(case), "name": target.name or folder.name,
            "folder": _relative(folder, self.path.parent), "digest": dossier.digest(folder),
            "findings": _counted(findings), "findings_digest": digest_of(findings),
        }  # fmt: skip
        with self.chain.writing() as (entries, append):
            if len([entry for entry in entries if _is_release(entry, case.source)]) != seen:
                raise _moved()
            entry = append(body)
        return Published(str(body["id"]), entry.hash, findings)

    def review(self, release: str, *, by: str, outcome: str, next_on: str) -> Entry:
        """Note a periodic review of a release that is out: who, with what outcome, and when the next is due."""
        return self._note("review", release, {"by": by, "outcome": outcome, "next_on": next_on})

    def withdraw(self, release: str, *, by: str, reason: str) -> Entry:
        """Note that a release is no longer offered. It stays in every later check."""
        return self._note("withdrawal", release, {"by": by, "reason": reason})

    def due(self) -> list[Entry]:
        """Releases whose review is due by today, by the last review or, without one, by the date they went out with."""
        today, entries = clock.today().isoformat(), self.chain.entries()
        gone = {entry.body["release"] for entry in entries if entry.body["kind"] == "withdrawal"}
        dates = {entry.body["release"]: entry.body["next_on"] for entry in entries if entry.body["kind"] == "review"}
        out = [entry for entry in entries if entry.body["kind"] == "release" and entry.body["id"] not in gone]
        when = [(dates.get(entry.body["id"], entry.body["review_on"]), entry) for entry in out]
        return [entry for day, entry in when if day and day <= today]

    def verify(self, *heads: str) -> list[Entry]:
        """The chain holds, has every head given, and the files of every release are as they went out."""
        entries = self.chain.verify(*heads)
        for entry in entries:
            if entry.body["kind"] == "release":
                self._loaded(entry)
        return entries

    def _loaded(self, entry: Entry) -> Target:
        folder = self.path.parent / entry.body["folder"]
        if dossier.digest(folder) != entry.body["digest"]:
            raise dossier.missing(folder, "A file was changed since it went out / 檔案於釋出後遭更改")
        return dossier.load(folder)

    def _note(self, kind: str, release: str, facts: dict[str, Any]) -> Entry:
        with self.chain.writing() as (entries, append):
            if not any(entry.body.get("id") == release for entry in entries):
                raise broken(404, f"It has no release {release}.", f"帳冊中無釋出 {release}。")
            return append({"kind": kind, "release": release, **facts})


def broken(status: int, why_en: str, why_zh: str) -> Problem:
    """The problem of a ledger that cannot be used: nothing is released without it."""
    return Problem(
        "release-ledger-broken",
        status,
        what=Text("The release ledger cannot be used.", "釋出帳冊無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text(
            "Nothing is released without it. Restore the file, or ask who keeps it.",
            "無帳冊即不得釋出。請還原該檔或洽保管人。",
        ),
    )


def digest_of(findings: Sequence[Finding]) -> str:
    """SHA-256 over everything the attacks reported; a report shows it and the ledger keeps it."""
    return sha256(canonical.dumps(_texts([finding.as_dict() for finding in findings]))).hexdigest()


def _is_release(entry: Entry, source: str) -> bool:
    return (entry.body["kind"], entry.body.get("source")) == ("release", source)


def _of(case: Case) -> dict[str, str]:
    return {
        "source": case.source, "purpose": case.purpose, "prepared_by": case.prepared_by,
        "approved_by": case.approved_by, "review_on": case.review_on,
    }  # fmt: skip


def _counted(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """What the ledger keeps of each finding: attack, whether it ran and passed, what was measured (as text)."""
    return [
        {"attack": one.attack, "ran": one.ran, "passed": one.passed, "measured": f"{one.measured:.6g}"}
        for one in findings
    ]


def _texts(value: Any) -> Any:
    """Floats as their shortest text, because canonical JSON has none."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _texts(part) for key, part in value.items()}
    return [_texts(part) for part in value] if isinstance(value, list | tuple) else value


def _relative(folder: Path, base: Path) -> str:
    try:
        return str(folder.resolve().relative_to(base.resolve()))
    except ValueError:
        raise Problem(
            "release-elsewhere",
            422,
            what=Text("The release does not lie beside its ledger.", "釋出檔不在帳冊旁。"),
            why=Text("Later releases are checked against its files.", "後續釋出須據其檔案檢查。"),
            todo=Text(f"Keep it in a folder below {base}.", f"請置於 {base} 之下。"),
        ) from None


def _two_people(case: Case) -> None:
    facts = (case.source, case.purpose, case.prepared_by, case.approved_by)
    if all(fact.strip() for fact in facts) and case.prepared_by.strip() != case.approved_by.strip():
        return
    raise Problem(
        "release-unapproved",
        422,
        what=Text("Nobody has approved this release.", "此釋出未經核准。"),
        why=Text(
            "A release names its source, its purpose, who prepared it and another person who approves it.",
            "釋出須載明來源、目的、製作人及另一名核准人。",
        ),
        todo=Text("Have somebody else look at it and approve.", "請由他人審閱並核准。"),
    )


def _refused(broken: Sequence[Finding]) -> Problem:
    names = list(dict.fromkeys(finding.attack for finding in broken))
    return Problem(
        "release-refused",
        409,
        what=Text(f"The release is refused: {', '.join(names)}.", f"拒絕釋出：{'、'.join(names)}。"),
        why=Text(" ".join(one.sentence.en for one in broken), "".join(one.sentence.zh for one in broken)),
        todo=Text("Change the policy or the data and try again.", "請修改政策或資料後再試。"),
        attacks=names,
    )


def _moved() -> Problem:
    return Problem(
        "ledger-moved",
        409,
        what=Text("Another release of this source went out meanwhile.", "此來源期間另有釋出。"),
        why=Text("The two were not checked together.", "兩者未合併檢查。"),
        todo=Text("Publish again: the check will include it.", "請重新釋出，檢查將納入該次。"),
    )
