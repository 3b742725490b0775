"""The most important rules of PDF/A, by clause (ISO 19005-2:2011 and ISO 19005-3:2012 number them alike).

Not a validator: what these rules do not look at (content streams, colour operators, glyph widths) may still be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from lxml import etree
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

Rule = Callable[[bytes, PdfFileReader], bool]
_NAMES = {
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_NO_ACTIONS = {
    *("/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Hide", "/SetOCGState", "/Rendition", "/Trans"),
    *("/GoTo3DView", "/JavaScript"),
}
_NAMED_ACTIONS = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}
_NO_ANNOTATIONS = {"/3D", "/Sound", "/Screen", "/Movie"}
_INVISIBLE, _HIDDEN, _PRINT, _NO_VIEW, _TOGGLE_NO_VIEW = 1, 2, 4, 32, 256
_BLENDS = {
    *("/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten", "/ColorDodge"),
    *("/ColorBurn", "/HardLight", "/SoftLight", "/Difference", "/Exclusion", "/Hue", "/Saturation", "/Color"),
    "/Luminosity",
}


def broken(pdf: bytes) -> list[str]:
    """The rules that this file breaks, in the order of their clauses; none for a file that keeps them all."""
    reader = PdfFileReader(BytesIO(pdf))
    return [name for name, keeps in RULES.items() if not keeps(pdf, reader)]


def _dictionaries(reader: PdfFileReader) -> Iterator[Any]:
    """Every dictionary and stream that can be reached from the trailer."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer[name] for name in ("/Root", "/Info") if name in reader.trailer]
    while waiting:
        one = waiting.pop()
        if isinstance(one, generic.IndirectObject):
            if (one.idnum, one.generation) in seen:
                continue
            seen.add((one.idnum, one.generation))
            one = one.get_object()
        if isinstance(one, generic.DictionaryObject):
            yield one
            waiting += [one.raw_get(name) for name in one]
        elif isinstance(one, generic.ArrayObject):
            waiting += [one.raw_get(place) for place in range(len(one))]


def _of(one: Any, name: str, default: Any = None) -> Any:
    """A member, followed to where it lies; of an array, all its members so."""
    found = one[name] if name in one else default  # noqa: SIM401 - `get` follows no reference
    if isinstance(found, generic.ArrayObject):
        return [found[place] for place in range(len(found))]
    return found


def _pages(reader: PdfFileReader) -> Iterator[Any]:
    return (one for one in _dictionaries(reader) if _of(one, "/Type") == "/Page")


def _annotations(reader: PdfFileReader) -> Iterator[Any]:
    return (one for page in _pages(reader) for one in _of(page, "/Annots", ()))


def _form(reader: PdfFileReader) -> Any:
    return _of(reader.root, "/AcroForm", {})


def _header(pdf: bytes, _: PdfFileReader) -> bool:
    return re.match(rb"%PDF-1\.[0-7](\r\n|\r|\n)%[\x80-\xff]{4}", pdf) is not None


def _ends_at_its_end(pdf: bytes, _: PdfFileReader) -> bool:
    return re.search(rb"%%EOF(\r\n|\r|\n)?\Z", pdf) is not None


def _unencrypted(_: bytes, reader: PdfFileReader) -> bool:
    return not reader.encrypted and "/Encrypt" not in reader.trailer


def _has_id(_: bytes, reader: PdfFileReader) -> bool:
    return "/ID" in reader.trailer and len(reader.trailer["/ID"]) == 2 and all(map(len, reader.trailer["/ID"]))


def _streams_are_inside(_: bytes, reader: PdfFileReader) -> bool:
    streams = (one for one in _dictionaries(reader) if isinstance(one, generic.StreamObject))
    return not any({"/F", "/FFilter", "/FDecodeParms"} & set(one) for one in streams)


def _known_filters(_: bytes, reader: PdfFileReader) -> bool:
    found = [_of(one, "/Filter", ()) for one in _dictionaries(reader) if isinstance(one, generic.StreamObject)]
    names = {str(name) for one in found for name in ([one] if isinstance(one, str) else one)}
    return not names & {"/LZWDecode", "/Crypt"}


def _output_intent(_: bytes, reader: PdfFileReader) -> bool:
    """An sRGB-like profile: `RGB ` at byte 16 of an ICC profile of at most version 4, `acsp` at byte 36."""
    intents = [one for one in _of(reader.root, "/OutputIntents", ()) if one["/S"] == "/GTS_PDFA1"]
    profiles = [one["/DestOutputProfile"].data for one in intents if "/DestOutputProfile" in one]
    return len(profiles) == 1 and all(
        (one[8] <= 4, one[16:20], one[36:40]) == (True, b"RGB ", b"acsp") for one in profiles
    )


def _plain_images(_: bytes, reader: PdfFileReader) -> bool:
    images = [one for one in _dictionaries(reader) if _of(one, "/Subtype") in {"/Image", "/Form"}]
    return not any({"/Alternates", "/OPI", "/PS", "/Ref"} & set(one) or _of(one, "/Interpolate") for one in images)


def _transparency(pdf: bytes, reader: PdfFileReader) -> bool:
    groups = [page["/Group"] for page in _pages(reader) if "/Group" in page]
    return all("/CS" in one for one in groups) or _output_intent(pdf, reader)


def _blend_modes(_: bytes, reader: PdfFileReader) -> bool:
    return {str(one["/BM"]) for one in _dictionaries(reader) if "/BM" in one} <= _BLENDS


def _fonts_embedded(_: bytes, reader: PdfFileReader) -> bool:
    """Type 0 fonts are embedded by their descendant, Type 3 fonts are drawn by the file itself."""
    fonts = [one for one in _dictionaries(reader) if _of(one, "/Type") == "/Font"]
    simple = [one for one in fonts if one["/Subtype"] not in {"/Type0", "/Type3"}]
    files = ("/FontFile", "/FontFile2", "/FontFile3")
    return bool(fonts) and all(any(name in _of(one, "/FontDescriptor", {}) for name in files) for one in simple)


def _annotation_types(_: bytes, reader: PdfFileReader) -> bool:
    return not {str(one["/Subtype"]) for one in _annotations(reader)} & _NO_ANNOTATIONS


def _annotation_flags(_: bytes, reader: PdfFileReader) -> bool:
    never = _INVISIBLE | _HIDDEN | _NO_VIEW | _TOGGLE_NO_VIEW
    flags = [int(_of(one, "/F", 0)) for one in _annotations(reader) if one["/Subtype"] != "/Popup"]
    return all(one & _PRINT and not one & never for one in flags)


def _annotations_drawn(_: bytes, reader: PdfFileReader) -> bool:
    """All but links and those without extent have a normal appearance, and no other."""
    shown = [one for one in _annotations(reader) if one["/Subtype"] not in {"/Popup", "/Link"}]
    for one in shown:
        left, low, right, high = one["/Rect"]
        if (left, low) != (right, high) and set(_of(one, "/AP", ())) != {"/N"}:
            return False
    return True


def _form_as_drawn(_: bytes, reader: PdfFileReader) -> bool:
    widgets = [one for one in _annotations(reader) if one["/Subtype"] == "/Widget"]
    return not _of(_form(reader), "/NeedAppearances") and not any({"/A", "/AA"} & set(one) for one in widgets)


def _no_xfa(_: bytes, reader: PdfFileReader) -> bool:
    return "/XFA" not in _form(reader) and not _of(reader.root, "/NeedsRendering")


def _actions(_: bytes, reader: PdfFileReader) -> bool:
    kinds = [one for one in _dictionaries(reader) if "/S" in one and isinstance(one["/S"], str)]
    named = {str(one["/N"]) for one in kinds if one["/S"] == "/Named"}
    return not {str(one["/S"]) for one in kinds} & _NO_ACTIONS and named <= _NAMED_ACTIONS


def _nothing_triggers(_: bytes, reader: PdfFileReader) -> bool:
    scripts = "/JavaScript" in _of(reader.root, "/Names", {})
    return not scripts and not any("/AA" in one for one in (reader.root, *_pages(reader)))


def _xmp(reader: PdfFileReader) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(reader.root["/Metadata"].data, parser)


def said(tree: Any, name: str) -> str:
    """A property of XMP, as an element or an attribute; of alternatives in several languages the first."""
    prefix, local = name.split(":")
    key = f"{{{_NAMES[prefix]}}}{local}"
    for one in tree.iter(key):
        return "".join(one.itertext()).strip()
    return next((one.get(key) for one in tree.iter(f"{{{_NAMES['rdf']}}}Description") if one.get(key)), "")


def _says_what_it_is(_: bytes, reader: PdfFileReader) -> bool:
    if "/Metadata" not in reader.root:
        return False
    tree = _xmp(reader)
    return (said(tree, "pdfaid:part"), said(tree, "pdfaid:conformance")) in {("2", "B"), ("3", "B")}


def _agrees_with_info(_: bytes, reader: PdfFileReader) -> bool:
    """What the information dictionary says, XMP says too; of times the instant to the second."""
    tree, info = _xmp(reader), _of(reader.trailer, "/Info", {})
    texts = {"/Title": "dc:title", "/Producer": "pdf:Producer", "/Creator": "xmp:CreatorTool"}
    times = {"/CreationDate": "xmp:CreateDate", "/ModDate": "xmp:ModifyDate"}
    same = [str(info[own]) == said(tree, name) for own, name in texts.items() if own in info]
    for own, name in times.items():
        if own in info:
            digits = [re.sub(r"\D", "", one)[:14] for one in (str(info[own]), said(tree, name))]
            same.append(digits[0] == digits[1])
    return all(same)


def _attachments(_: bytes, reader: PdfFileReader) -> bool:
    """PDF/A-3: each embedded file says its names, its kind and what it is to the document, which names it."""
    specs = [one for one in _dictionaries(reader) if "/EF" in one]
    named = len(_of(reader.root, "/AF", ()))
    whole = all({"/F", "/UF", "/AFRelationship"} <= set(one) and "/Subtype" in one["/EF"]["/F"] for one in specs)
    return whole and (not specs or named >= 1)


RULES: dict[str, Rule] = {
    "6.1.2 header": _header,
    "6.1.3 end of file": _ends_at_its_end,
    "6.1.3 no encryption": _unencrypted,
    "6.1.3 file identifier": _has_id,
    "6.1.7.1 streams inside": _streams_are_inside,
    "6.1.7.2 filters": _known_filters,
    "6.2.3 output intent": _output_intent,
    "6.2.8 images": _plain_images,
    "6.2.10 transparency": _transparency,
    "6.2.10 blend modes": _blend_modes,
    "6.2.11.4 fonts embedded": _fonts_embedded,
    "6.3.1 kinds of annotation": _annotation_types,
    "6.3.2 flags of annotations": _annotation_flags,
    "6.3.3 appearances": _annotations_drawn,
    "6.4.1 forms": _form_as_drawn,
    "6.4.2 no XFA": _no_xfa,
    "6.5.1 actions": _actions,
    "6.5.2 nothing triggers": _nothing_triggers,
    "6.6.2 agrees with its information dictionary": _agrees_with_info,
    "6.6.4 says its part and conformance": _says_what_it_is,
    "6.8 embedded files": _attachments,
}
