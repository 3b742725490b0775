"""Our e-certificates as they are handed out, sealed and with evidence, keep the rules of PDF/A."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name as name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from smartgov.blocks.credentials import api
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.exchange.tests.seals import SealHouse
from smartgov.engines.pki.tests import pdfa

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]
Breaking = Callable[[IncrementalPdfFileWriter], None]


@pytest.fixture
def pdf(tmp_path: Path) -> Iterator[bytes]:
    house = SealHouse(tmp_path, "內政部戶政司", "內政部戶政司")
    with transport.replaced(house), vouching.replaced(house):  # type: ignore[arg-type]
        yield api.document(agency="ris", credential_id=make.issued().id, national_id=make.HOLDER)


def test_a_certificate_as_it_is_handed_out_keeps_the_rules_of_pdf_a(pdf: bytes) -> None:
    assert b"/DSS" in pdf, "the seal's evidence is in it"
    assert pdfa.broken(pdf) == []


def _page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    page = writer.find_page_for_modification(0)[0].get_object()
    writer.update_container(page)
    return page


def _script(writer: IncrementalPdfFileWriter) -> None:
    action = {name("/S"): name("/JavaScript"), name("/JS"): generic.pdf_string("app.alert(1)")}
    writer.root[name("/OpenAction")] = generic.DictionaryObject(action)


def _trigger(writer: IncrementalPdfFileWriter) -> None:
    writer.root[name("/AA")] = generic.DictionaryObject()


def _foreign_font(writer: IncrementalPdfFileWriter) -> None:
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    made = generic.DictionaryObject({name(key): name(value) for key, value in font.items()})
    _page(writer)[name("/Other")] = writer.add_object(made)


def _no_intent(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/OutputIntents"]
    _page(writer)[name("/Group")] = generic.DictionaryObject({name("/S"): name("/Transparency")})


def _movie(writer: IncrementalPdfFileWriter) -> None:
    rect = generic.ArrayObject([generic.NumberObject(one) for one in (0, 0, 10, 10)])
    made = generic.DictionaryObject({name("/Subtype"): name("/Movie"), name("/Rect"): rect})
    _page(writer)[name("/Annots")] = generic.ArrayObject([writer.add_object(made)])


def _form(writer: IncrementalPdfFileWriter) -> None:
    made = {name("/NeedAppearances"): generic.BooleanObject(True), name("/XFA"): generic.ArrayObject()}
    writer.root[name("/AcroForm")] = generic.DictionaryObject(made)


def _other_level(writer: IncrementalPdfFileWriter) -> None:
    text = writer.root["/Metadata"].data.replace(b"conformance>B<", b"conformance>Z<")
    writer.root[name("/Metadata")] = writer.add_object(generic.StreamObject(stream_data=text))


def _other_title(writer: IncrementalPdfFileWriter) -> None:
    info = generic.DictionaryObject({name("/Title"): generic.pdf_string("Something else")})
    writer.set_info(writer.add_object(info))


BREAKINGS: dict[str, tuple[Breaking, set[str]]] = {
    "a script": (_script, {"6.5.1 actions"}),
    "a trigger": (_trigger, {"6.5.2 nothing triggers"}),
    "a font from elsewhere": (_foreign_font, {"6.2.11.4 fonts embedded"}),
    "no output intent": (_no_intent, {"6.2.3 output intent", "6.2.10 transparency"}),
    "a movie": (_movie, {"6.3.1 kinds of annotation", "6.3.2 flags of annotations", "6.3.3 appearances"}),
    "a form that is drawn anew": (_form, {"6.4.1 forms", "6.4.2 no XFA"}),
    # The writer notes the time of the change in both places, but not in metadata that were put in by hand.
    "another level": (
        _other_level,
        {"6.6.2 agrees with its information dictionary", "6.6.4 says its part and conformance"},
    ),
    "another title": (_other_title, {"6.6.2 agrees with its information dictionary"}),
}


@pytest.mark.parametrize("what", BREAKINGS)
def test_the_rules_notice_what_breaks_them(what: str, pdf: bytes) -> None:
    breaks, expected = BREAKINGS[what]
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    breaks(writer)
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    assert set(pdfa.broken(out.getvalue())) == expected


def test_bytes_around_a_file_are_noticed(pdf: bytes) -> None:
    assert pdfa.broken(pdf + b"\n% more") == ["6.1.3 end of file"]
    assert "6.1.2 header" in pdfa.broken(pdf.replace(b"%PDF-1.7\n%", b"%PDF-1.7\n#", 1))
