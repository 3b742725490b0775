"""What an agency seals can be checked for years, and what cannot be vouched for is not sealed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typst

from smartgov.blocks.exchange import api, transport, vouching
from smartgov.blocks.exchange.tests.seals import SealHouse
from smartgov.engines.pki import signing
from smartgov.engines.pki.tests.test_signing import altered
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]
PDF = bytes(typst.compile(b"= Decision\nSynthetic.", format="pdf"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SealHouse]:
    made = SealHouse(tmp_path)
    with transport.replaced(made), vouching.replaced(made):  # type: ignore[arg-type]
        yield made


def report(pdf: bytes, house: SealHouse, **more: timedelta) -> signing.Report:
    with clock.travelling(**more) if more else clock.travelling(delta=timedelta(0)):
        return signing.check_pdf(pdf, api.seal_trust((house.seals.certificate,)), at=clock.now())


def test_a_seal_carries_its_time_and_what_its_authority_said(house: SealHouse) -> None:
    sealed = api.seal_document(agency="ris", content=PDF, reason="核准")
    (one,) = report(sealed, house).signatures
    assert (one.valid, one.level, one.coverage, one.stamped_by) == (True, "B-LT", "evidence", "Synthetic time stamps")
    assert one.revocation.status == "good"
    house.authority_down = True
    (later,) = report(sealed, house, delta=timedelta(days=6 * 365)).signatures
    assert later.valid, "its own evidence is enough after the certificate's end, with nobody to ask"
    assert report(altered(sealed), house).problems == ("altered-later",)


def test_a_later_revocation_spares_it_and_an_earlier_one_stops_the_next(house: SealHouse) -> None:
    before = api.seal_document(agency="ris", content=PDF)
    with clock.travelling(delta=timedelta(minutes=10)):
        house.seals.revoke(house.record.id, "keyCompromise", by="officer:1")
        assert report(before, house).valid
        with pytest.raises(Problem, match="seal-revoked"):
            api.seal_document(agency="ris", content=PDF)


@pytest.mark.parametrize(
    ("away", "slug"),
    [
        ("down", "gateway-unreachable"),
        ("stamps_down", "stamp-missing"),
        ("authority_down", "seal-authority-unreachable"),
    ],
)
def test_whoever_is_away_nothing_weaker_is_sealed(house: SealHouse, away: str, slug: str) -> None:
    setattr(house, away, True)
    for content in (PDF, b"1,2"):
        with pytest.raises(Problem, match=slug):
            api.seal_document(agency="ris", content=content)


def test_without_evidence_a_silent_authority_is_not_taken_for_a_good_word(house: SealHouse) -> None:
    certificate, chain = api.seal_chain("ris")
    bare = signing.sign(
        PDF, reason="x", signer=lambda data: house.seal("ris", data), certificate=certificate, chain=chain
    )
    assert report(bare, house).valid
    house.authority_down = True
    assert report(bare, house).problems == ("revocation-unknown",)


def test_other_files_get_a_signature_beside_them(house: SealHouse) -> None:
    beside = api.seal_document(agency="ris", content=b"1,2")
    trust = api.seal_trust((house.seals.certificate,))
    found = signing.check_data(beside, b"1,2", trust, at=clock.now())
    assert (found.valid, found.signatures[0].level) == (True, "B-T")
    assert not signing.check_data(beside, b"1,3", trust, at=clock.now()).valid
