"""From data to PDF/A-2b, with typst and the jurisdiction's template. Nothing leaves the process."""

from __future__ import annotations

import json
import shutil
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


def render(
    template: str,
    *,
    data: Mapping[str, Any],
    number: str,
    issuer: Text,
    issued_on: date,
    mark: str,
    address: str,
) -> bytes:
    """The PDF/A-2b of `content/tw/certificates/<template>.typ`.

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
        shutil.copyfile(source, folder / source.name)
        (folder / "data.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        segno.make(address, error="m", micro=False).save(str(folder / "qr.svg"), border=2, xmldecl=False)
        made: bytes = typst.compile(str(folder / source.name), root=str(folder), pdf_standards="a-2b")
        return made
