"""Certificate templates compile to one page of PDF/A-2b that says everything it was given."""

import json
import shutil
import subprocess
from io import BytesIO

import pytest
import segno
import typst
from pyhanko.pdf_utils.reader import PdfFileReader

from smartgov.shared import content

ADDRESS = "https://portal.example/credentials/verify/ABCDEFGH23456789#ABCD2345EFGH6723"
DATA = {
    "number": "戶登字第1150000123號",
    "child_name": "林小明",
    "child_id": "A180000014",
    "sex": "male",
    "birth_date": "2026-11-08",
    "birth_place": "花蓮慈濟醫院",
    "mother_name": "陳怡君",
    "father_name": "林志明",
    "township": "花蓮縣玉里鎮",
    "residence": "中山路二段100號",
    "registered_on": "2026-11-22",
    "issuer": {"en": "Department of Household Registration", "zh": "內政部戶政司"},
    "issued_on": {"en": "2026-11-22", "zh": "民國115年11月22日"},
    "mark": "ABCD2345EFGH6723",
    "verify_url": ADDRESS,
}
OPTIONAL = ("child_id", "sex", "birth_place", "mother_name", "father_name", "township", "residence", "verify_url")


@pytest.fixture
def render(tmp_path):
    def render(data):
        source = content.ROOT / "certificates" / "birth_certificate.typ"
        shutil.copyfile(source, tmp_path / source.name)
        (tmp_path / "data.json").write_text(json.dumps(data), encoding="utf-8")
        segno.make(ADDRESS, error="m", micro=False).save(str(tmp_path / "qr.svg"), border=2, xmldecl=False)
        return typst.compile(str(tmp_path / source.name), root=str(tmp_path), pdf_standards=["a-2b"])

    return render


def pages(pdf):
    return PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Count"]


def words(pdf):
    found = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return "".join(found.stdout.decode().split())


def test_it_is_pdf_a_of_one_page_and_says_what_it_was_given(render):
    pdf = render(DATA)
    assert pages(pdf) == 1
    text = words(pdf)
    for said in (
        "出生登記證明書",
        "林小明",
        "A180000014",
        "民國115年11月8日",
        "8November2026",
        "花蓮縣玉里鎮中山路二段100號",
    ):
        assert said in text
    assert "ABCD2345EFGH6723" in text
    metadata = PdfFileReader(BytesIO(pdf)).root["/Metadata"].data.decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata


def test_what_is_not_known_is_a_dash(render):
    pdf = render({key: value for key, value in DATA.items() if key not in OPTIONAL})
    assert pages(pdf) == 1
    assert "父親姓名—" in words(pdf).replace("Father", "")


def test_long_values_stay_on_one_page(render):
    long = {
        "child_name": "林" * 20,
        "birth_place": "財團法人佛教慈濟醫療財團法人花蓮慈濟醫院" * 2,
        "residence": "中山路二段一百號之三" * 4,
    }
    assert pages(render({**DATA, **long})) == 1


def test_a_character_that_no_font_has_is_refused_and_not_left_blank(render):
    with pytest.raises(typst.TypstError):
        render({**DATA, "child_name": "林\U000f0000"})
