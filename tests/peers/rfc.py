"""Examples out of the RFC Editor's XML: the blocks of an appendix, unfolded, and the HTTP messages that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message as an example prints it: its first line, its fields (several of a name joined), its text."""

    first: str
    fields: dict[str, str]
    text: str


def blocks(xml: str, part: str) -> list[str]:
    """The code blocks and figures of the section numbered `part` (for example `appendix.b.2.4`), and those below."""
    for section in ET.fromstring(xml).iter("section"):
        if section.attrib.get("pn") == f"section-{part}":
            return [_unfolded(one.text or "") for one in section.iter() if one.tag in {"sourcecode", "artwork"}]
    raise AssertionError(f"no section {part}")


def key(xml: str, part: str) -> bytes:
    """The first public key (PEM) of a section."""
    found = re.search(
        r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n", "\n".join(blocks(xml, part)), re.DOTALL
    )
    assert found
    return found[0].encode()


def messages(found: list[str]) -> Iterator[Message]:
    """Those blocks that are whole messages."""
    for block in found:
        first, _, rest = block.partition("\n")
        if not re.fullmatch(r"HTTP/1\.1 \d{3} .*|[A-Z]+ \S+ HTTP/1\.1", first):
            continue
        head, _, text = rest.partition("\n\n")
        fields: dict[str, str] = {}
        for line in head.strip().split("\n"):
            name, _, value = line.partition(":")
            fields[name.lower()] = ", ".join(
                [*([fields[name.lower()]] if name.lower() in fields else []), value.strip()]
            )
        yield Message(first, fields, text)


def _unfolded(text: str) -> str:
    """The block as RFC 8792 section 7 undoes the folding of its lines."""
    return re.sub(r"\\\n[ \t]*", "", text.removeprefix("\n").removeprefix("NOTE: '\\' line wrapping per RFC 8792\n\n"))
