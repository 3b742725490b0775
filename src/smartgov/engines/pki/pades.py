"""What signatures on PDF documents (`signing`) share: the library's pieces, and the words for what is wrong."""

from __future__ import annotations

import logging
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from pyhanko.sign import signers

from smartgov.engines.pki import certificates
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

# The library logs refused certificates with their subjects, and an uploaded file may name a person there.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
PLACEHOLDER = bytes(72)  # the longest DER form of a P-256 signature
PROBLEMS = {
    "not-a-pdf": Text("The file is not a readable PDF.", "檔案不是可讀取的 PDF。"),
    "no-seal": Text("The document carries no seal.", "文件沒有電子印章。"),
    "altered-inside": Text("The sealed content was altered.", "蓋章後的內容遭更動。"),
    "altered-later": Text("Something was added after the seal.", "蓋章後另有附加內容。"),
    "signer-not-trusted": Text("The seal is not by a trusted authority.", "電子印章並非由受信任機關核發。"),
    "certificate-revoked": Text("The seal's certificate was revoked.", "電子印章的憑證已廢止。"),
}


class Sealer(signers.PdfSigner):
    """Writes the platform's time, which tests can move, instead of the machine's."""

    def init_signing_session(self, *args: Any, **more: Any) -> Any:
        session = super().init_signing_session(*args, **more)
        session.system_time = clock.now()
        return session


def asn1_of(certificate: x509.Certificate) -> asn1.Certificate:
    """The certificate in the form that the signing library takes."""
    return asn1.Certificate.load(certificates.der(certificate))


def require_seal_usage(certificate: x509.Certificate) -> None:
    """Problem `seal-failed` unless the certificate is for signatures that bind."""
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.content_commitment:
        raise cannot_seal("The certificate is not one for seals.")


def unreadable() -> Problem:
    """The file is no PDF that can be signed."""
    return Problem(
        "pdf-unreadable",
        400,
        what=Text("The PDF cannot be sealed.", "無法在此 PDF 加蓋電子印章。"),
        why=Text("It is damaged, encrypted or sealed already.", "檔案毀損、已加密或已蓋章。"),
        todo=Text("Make the document anew.", "請重新產生文件。"),
    )


def cannot_seal(why: str) -> Problem:
    """The signature came out wrong, or may not be made."""
    return Problem(
        "seal-failed",
        502,
        what=Text("The document could not be sealed.", "無法完成電子印章。"),
        why=Text(why.rstrip(".") + ".", "簽章與憑證不符或文件不接受簽章。"),
        todo=Text("Check the agency's seal key and certificate.", "請檢查機關的印章金鑰與憑證。"),
    )
