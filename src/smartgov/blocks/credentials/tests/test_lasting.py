"""An e-certificate that lasts: its time and its seal's state lie in it; what is added later is told and not shown."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.credentials import api
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.exchange.tests.seals import SealHouse
from smartgov.engines.pki import signing
from smartgov.engines.pki.tests.test_signing import altered
from smartgov.shared import clock
from smartgov.shared.text import Text

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SealHouse]:
    made = SealHouse(tmp_path, "內政部戶政司", "內政部戶政司")
    with transport.replaced(made), vouching.replaced(made):  # type: ignore[arg-type]
        yield made


def a_document() -> bytes:
    return api.document(agency="ris", credential_id=make.issued().id, national_id=make.HOLDER)


def problems(verdict: api.Verdict) -> set[str]:
    return {Text.of(one).en for one in verdict.problems}


def test_it_is_stamped_carries_its_evidence_and_stays_a_pdf_a(house: SealHouse) -> None:
    pdf = a_document()
    (seal,) = signing.check_pdf(pdf, exchange.seal_trust((house.seals.certificate,)), at=clock.now()).signatures
    assert (seal.valid, seal.level, seal.coverage) == (True, "B-LT", "evidence")
    assert re.search(rb"pdfaid:part[^0-9]*3", pdf)
    assert b"/DSS" in pdf
    assert b"/Encrypt" not in pdf
    verdict = api.verify_upload(pdf)
    assert verdict.genuine, verdict.problems
    assert verdict.signed_at == seal.stamped_at
    assert ("子女姓名", "林安安") in {(title.zh, value.zh) for title, value in verdict.facts}


def test_a_real_incremental_update_is_called_altered_and_nothing_of_it_is_shown(house: SealHouse) -> None:
    changed = altered(a_document())
    verdict = api.verify_upload(changed)
    assert not verdict.genuine
    assert "Something was added after the seal." in problems(verdict)
    assert verdict.facts == ()
    browser = Client(headers={"accept-language": "en"})
    page = browser.post("/credentials/check", {"file": SimpleUploadedFile("a.pdf", changed)}).content.decode()
    assert "Do not rely on this file" in page
    assert "林安安" not in page


def test_a_seal_that_is_revoked_later_spares_it_and_a_silent_authority_too(house: SealHouse) -> None:
    pdf = a_document()
    with clock.travelling(delta=timedelta(hours=1)):
        house.seals.revoke(house.record.id, "keyCompromise", by="officer:1")
        assert api.verify_upload(pdf).genuine
        house.authority_down = True
        assert api.verify_upload(pdf).genuine
