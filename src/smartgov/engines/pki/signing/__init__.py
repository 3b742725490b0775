"""Signatures on documents and data by keys that are elsewhere: prepared here, signed there, finished here; PAdES B-B,
B-T and B-LT, CMS over any bytes; and a report of what each signature of a file is worth.
"""

from smartgov.engines.pki.signing.documents import Evidence, Prepared, Signer, finish, prepare, sign
from smartgov.engines.pki.signing.plain import sign_data
from smartgov.engines.pki.signing.report import PROBLEMS, Report, SignatureReport, Trust, check_data, check_pdf

__all__ = [
    "PROBLEMS",
    "Evidence",
    "Prepared",
    "Report",
    "SignatureReport",
    "Signer",
    "Trust",
    "check_data",
    "check_pdf",
    "finish",
    "prepare",
    "sign",
    "sign_data",
]
