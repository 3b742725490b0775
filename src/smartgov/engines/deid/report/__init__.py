"""The evidence pack of a release in CNS 29100-2's terms: one HTML and one PDF file in each language, and its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smartgov.engines.deid.report import document, page
from smartgov.engines.deid.report.pack import About, Pack, measured

__all__ = ["About", "Pack", "facts", "measured", "write"]

LANGUAGES = ("zh", "en")


def write(pack: Pack, folder: Path) -> list[Path]:
    """Write evidence.{zh,en}.{html,pdf} and evidence.json into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for language in LANGUAGES:
        html, pdf = folder / f"evidence.{language}.html", folder / f"evidence.{language}.pdf"
        html.write_text(page.render(pack, language), encoding="utf-8")
        pdf.write_bytes(document.render(pack, language))
        made += [html, pdf]
    plain = folder / "evidence.json"
    plain.write_text(json.dumps(facts(pack), ensure_ascii=False, indent=1), encoding="utf-8")
    return [*made, plain]


def facts(pack: Pack) -> dict[str, Any]:
    """The figures for programs, with the findings as the ledger digests them."""
    found, unique = pack.risk, pack.uniqueness
    return {
        "passed": pack.passed,
        "made_at": pack.made_at,
        "rows": found.rows,
        "classes": found.classes,
        "k": found.k,
        "suppressed": pack.suppressed,
        "threshold": found.threshold,
        "prosecutor": {
            "highest": found.prosecutor.highest,
            "average": found.prosecutor.average,
            "at_risk": found.prosecutor.at_risk,
        },
        "journalist": {
            "highest": found.journalist.highest,
            "average": found.journalist.average,
            "at_risk": found.journalist.at_risk,
        },
        "marketer": found.marketer,
        "population": pack.population,
        "population_uniques": {"share": unique.share, "model": unique.model},
        "query_error": {
            "median": pack.query_error.median,
            "ninth": pack.query_error.ninth,
            "mean": pack.query_error.mean,
        },
        "findings": [finding.as_dict() for finding in pack.findings],
        "findings_digest": pack.findings_digest,
        "release_digest": pack.digest,
        "ledger_head": pack.head,
    }
