"""Make the test vectors of T-Road's evidence: `PYTHONPATH=src python scripts/evidence_vectors.py`.

Into docs/protocols/vectors/evidence: bundles, sets of anchors, and what a verifier must answer about each pair. Their
keys are for this purpose only; keys, signatures and the time differ in each run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from smartgov.engines.pki import keys
from smartgov.engines.troad.tests.made import HPA, MEMBERS, Keys, Land, both

FOLDER = Path(__file__).parents[1] / "docs" / "protocols" / "vectors" / "evidence"


def main() -> None:
    """Write all of them, with what both of our verifiers say."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        land = Land(Path(folder))
        bundles, pins = _made(land)
        verdicts: dict[str, dict[str, Any]] = {}
        for name, content in bundles.items():
            (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        for known, given in pins.items():
            anchors = land.anchors(FOLDER / "anchors" / known, **given)
            for name, content in bundles.items():
                word, reasons = both(content, anchors)
                verdicts.setdefault(name, {})[known] = [word, *reasons]
    (FOLDER / "verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n")


def _made(land: Land) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    since, honest = land.now - timedelta(days=30), land.members[HPA]
    first = {member: [(land.thumbprint(member), since)] for member in MEMBERS}
    made = {"sound": land.bundle(), "sound-version-1": land.bundle(land.configuration(offers=MEMBERS[:2]))}
    land.rotate(HPA)
    made["rotated"] = land.bundle()
    land.rotate(HPA)
    made["rotated-twice"] = land.bundle()
    newest = {**first, HPA: [*first[HPA], (land.thumbprint(HPA), land.now - timedelta(days=1))]}
    land.rotate(HPA, by=land.roots[:2])
    made["changed-by-root"] = land.bundle()
    asked = {**newest, HPA: [*newest[HPA], (land.thumbprint(HPA), land.now - timedelta(hours=2))]}
    land.rotations.pop()
    land.rotate(HPA, by=[keys.generate_p256()])
    made["changed-by-nobody"] = land.bundle()
    land.rotations.clear()
    land.members[HPA] = Keys()
    made["false-key"] = land.bundle()
    land.members[HPA] = Keys(honest.own, message=keys.generate_p256())
    listed = [{"id": name, "gateways": [one.listed()]} for name, one in land.members.items()]
    forged = land.members[HPA]
    land.members[HPA] = Keys(honest.own)
    day = land.configuration(members=listed)
    land.members[HPA] = forged
    made["gateway-not-vouched-for"] = land.bundle(day)
    pins = {"none": {}, "first": {"members": first}, "newest": {"members": newest}, "asked": {"members": asked}}
    return made, {**pins, "named": {"members": first, "only": True}}


if __name__ == "__main__":
    main()
