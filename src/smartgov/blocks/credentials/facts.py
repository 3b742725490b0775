"""The facts of a certificate as signed data: made with the agency's seal, carried in the PDF, read from it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from io import BytesIO
from typing import Any

from cryptography import x509
from django.conf import settings
from django.http import Http404
from pyhanko.pdf_utils.reader import PdfFileReader

from smartgov.blocks.credentials.rendering import FACTS
from smartgov.blocks.exchange import api as exchange
from smartgov.engines.credential import sdjwt, tokens
from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock, content
from smartgov.shared.text import Text
from smartgov.shared.tw import roc

_REGISTERED = {"iss", "vct", "iat", "cnf", "exp", "status", "code"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LARGEST = 256 * 1024


def type_of(template: str) -> str:
    """The type (`vct`) of the credential that says what certificates of `template` say."""
    return f"urn:smartgov:credential:{template}"


def titles(template: str) -> dict[str, Text]:
    """The facts of a kind of certificate, in words; Http404 for a kind that has none."""
    known = content.read("credentials.yaml")["claims"].get(template)
    if known is None:
        raise Http404
    return {name: Text.of(title) for name, title in known.items()}


def in_words(template: str, said: Mapping[str, Any]) -> list[tuple[Text, Text]]:
    """What a certificate says, as people read it: titles, codes in words, days in the calendar of the language."""
    coded = content.read("credentials.yaml")["values"].get(template, {})
    return [
        (title, _written(said[name], coded.get(name, {})))
        for name, title in titles(template).items()
        if said.get(name) is not None
    ]


def _written(value: Any, words: Mapping[str, Any]) -> Text:
    text = str(value)
    if text in words:
        return Text.of(words[text])
    try:
        return roc.written(date.fromisoformat(text)) if _DAY.fullmatch(text) else Text.of(text)
    except ValueError:
        return Text.of(text)


def issuer_of(agency: str) -> str:
    """The address of an agency as an issuer of credentials."""
    return f"{settings.ORIGIN}/credentials/issuers/{agency}"


def sealing(agency: str) -> tuple[tokens.Sign, list[str]]:
    """How the agency's gateway signs tokens, and the certificate that goes with them."""
    own, _ = exchange.seal_certificate(agency=agency)
    certificate = x509.load_pem_x509_certificate(own.encode())

    def sign(data: bytes) -> bytes:
        return tokens.raw(exchange.seal(agency=agency, data=data))

    return sign, tokens.chain_header(certificate)


def attached(agency: str, template: str, code: str, data: Mapping[str, Any]) -> str:
    """The associated file: every fact that the paper shows, bound to its code."""
    sign, x5c = sealing(agency)
    second = int(clock.now().timestamp())
    return sdjwt.attach(data, sign=sign, x5c=x5c, iss=issuer_of(agency), vct=type_of(template), iat=second, code=code)


def read(pdf: bytes, roots: Iterable[x509.Certificate], at: datetime) -> dict[str, Any] | None:
    """The facts inside a PDF, if they are there and signed under one of `roots`; else None."""
    trusted = list(roots)

    def find_key(header: Mapping[str, Any], payload: Mapping[str, Any]) -> keys.PublicKey:
        return certificates.public_key(tokens.trusted_certificate(header, trusted, at))

    try:
        reader = PdfFileReader(BytesIO(pdf))
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
        carried = bytes(names[names.index(FACTS) + 1]["/EF"]["/F"].data)
        if len(carried) > _LARGEST:
            return None
        found = sdjwt.verify(carried.decode("ascii"), find_key, now=at)
    except Exception:  # a hostile file may fail anywhere; without readable facts it is a certificate without them
        return None
    return {name: value for name, value in found.claims.items() if name not in _REGISTERED}
