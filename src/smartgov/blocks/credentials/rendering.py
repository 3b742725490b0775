"""From data to PDF/A-3b, with typst and the jurisdiction's template. Nothing leaves the process."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import segno
import typst

from smartgov.shared import content
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import roc_date

_FOLDER = "certificates"
FACTS = "facts.sd-jwt"
_ATTACH = f"""#pdf.attach("{FACTS}", relationship: "data", mime-type: "application/dc+sd-jwt",
  description: "The facts of this certificate, signed")
"""


def render(
    template: str,
    *,
    data: Mapping[str, Any],
    number: str,
    issuer: Text,
    issued_on: date,
    mark: str,
    address: str,
    facts: str,
) -> bytes:
    """The PDF/A-3b of `content/tw/certificates/<template>.typ`, with `facts` (an SD-JWT) as its associated file.

    The template reads `data.json` (the data, with number, issuer, issued_on, mark and verify_url) and `qr.svg`
    beside it. It compiles in a folder of its own, so that a template can read nothing else.
    """
    whole = {
        **data,
        "number": number,
        "issuer": issuer.as_dict(),
        "issued_on": {"en": issued_on.isoformat(), "zh": roc_date(issued_on)},
        "mark": mark,
        "verify_url": address,
    }
    with tempfile.TemporaryDirectory(prefix="certificate-") as name:
        folder = Path(name)
        source = content.ROOT / _FOLDER / f"{template}.typ"
        main = folder / source.name
        main.write_text(f"{source.read_text(encoding='utf-8')}\n{_ATTACH}", encoding="utf-8")
        (folder / FACTS).write_text(facts, encoding="ascii")
        (folder / "data.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        segno.make(address, error="m", micro=False).save(str(folder / "qr.svg"), border=2, xmldecl=False)
        made: bytes = typst.compile(str(main), root=str(folder), pdf_standards="a-3b")
        return made
