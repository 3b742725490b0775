"""What must be kept of a release so that later ones can be checked against it: rows, labels and roles, no source.

A folder: the released table where the release put it, `dossier.json`, and one Parquet file of labels per generalised
quasi-identifier. The ledger holds the SHA-256 of all of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import file_digest, sha256
from pathlib import Path
from shutil import copyfile
from typing import Any

from smartgov.engines.deid.attacks.target import Changes, Target, Thresholds
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import model_from
from smartgov.engines.deid.transforms import Transform
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import pyarrow as pa
    import pyarrow.parquet as pq

NAME = "dossier.json"
TABLE = "release.parquet"


def save(target: Target, folder: Path) -> Target:
    """Write the dossier into `folder`, and the table too when it is in memory; returns the target as it now lies."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(target.release, pa.Table):
        pq.write_table(target.release, folder / TABLE)
        target = replace(target, release=folder / TABLE)
    for kind, tables in (("labels", target.labels), ("finer", target.finer)):
        for place, (_, table) in enumerate(sorted(tables.items())):
            pq.write_table(table, folder / f"{kind}-{place}.parquet")
    facts = {
        "version": 1, "name": target.name, "table": Path(str(target.release)).name, "quasi": target.quasi,
        "sensitive": target.sensitive, "identifying": target.identifying, "finer": sorted(target.finer),
        "labels": sorted(target.labels), "thresholds": asdict(target.thresholds), "changes": _changes(target, folder),
        "models": [one.as_dict() for one in target.models],
        "values": {name: tree.as_rows() for name, tree in target.values.items()},
    }  # fmt: skip
    (folder / NAME).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    return target


def load(folder: Path) -> Target:
    """The target of a saved dossier, without its source; Problem `dossier-missing` when it is not whole."""
    try:
        facts = json.loads((folder / NAME).read_text(encoding="utf-8"))
        labels, finer = (
            {name: pq.read_table(folder / f"{kind}-{place}.parquet") for place, name in enumerate(facts[kind])}
            for kind in ("labels", "finer")
        )
        table = folder / facts["table"]
        values = {name: Hierarchy.of(name, rows) for name, rows in facts.get("values", {}).items()}
        if not table.exists():
            raise FileNotFoundError(table.name)
        return Target(
            table, table, tuple(facts["quasi"]), tuple(facts["sensitive"]), tuple(facts["identifying"]), labels, finer,
            thresholds=Thresholds(**facts["thresholds"]), name=facts["name"],
            changes=_changed(facts.get("changes") or {}, folder), values=values,
            models=tuple(model_from(words, values) for words in facts.get("models", ())),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise missing(folder, str(error)) from error


def _changes(target: Target, folder: Path) -> dict[str, Any]:
    """How values were transformed; a list of places of the policy's own is kept too."""
    plan = {}
    for place, (name, one) in enumerate(sorted(target.changes.plan.items())):
        plan[name] = one.as_dict()
        if "places" in one.words:
            plan[name]["places"] = f"places-{place}.csv"
            kept = folder / f"places-{place}.csv"
            if Path(one.words["places"]) != kept:
                copyfile(one.words["places"], kept)
    return {"plan": plan, "project": target.changes.project, "key": target.changes.key}


def _changed(facts: dict[str, Any], folder: Path) -> Changes:
    plan = {}
    for name, words in facts.get("plan", {}).items():
        beside = {"places": str(folder / words["places"])} if "places" in words else {}
        plan[name] = Transform.parse(name, {**words, **beside})
    return Changes(plan, facts.get("project", ""), facts.get("key", ""))


def digest(folder: Path) -> str:
    """SHA-256 over the table, the labels and the dossier's facts, whatever else lies in the folder."""
    target = load(folder)
    maps = sorted(
        path for kind in ("labels-*.parquet", "finer-*.parquet", "places-*.csv") for path in folder.glob(kind)
    )
    files = [folder / NAME, *maps, *_parts(Path(str(target.release)))]
    whole = sha256()
    for path in files:
        with path.open("rb") as stream:
            whole.update(f"{path.relative_to(folder)}:{file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def missing(folder: Path, why: str) -> Problem:
    """The problem of a release whose files are gone or changed: its successors cannot be checked, so none goes out."""
    return Problem(
        "dossier-missing",
        409,
        what=Text(
            f"The kept files of the release in {folder.name} cannot be used.", f"釋出 {folder.name} 之保存檔無法使用。"
        ),
        why=Text(why, why),
        todo=Text(
            "Restore them from the backup; later releases are checked against them.",
            "請自備份還原；後續釋出須據以檢查。",
        ),
    )


def _parts(table: Path) -> list[Path]:
    return sorted(table.glob("*.parquet")) if table.is_dir() else [table]
