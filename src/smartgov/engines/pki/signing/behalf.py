"""On whose behalf somebody signs: a signed attribute of the signature (CAdES signer-attributes-v2, a claimed role).

It is what the signer claims, protected by the signature. Whether a mandate stood behind it is checked by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from asn1crypto import cms
from asn1crypto import x509 as asn1
from pyhanko.sign.ades.api import CAdESSignedAttrSpec, SignerAttrSpec

_PREFIX = "urn:smartgov:on-behalf-of:"
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Behalf:
    """The represented one's name, as shown to the signer, and the number of the mandate."""

    name: str
    mandate: str = ""


def attribute(behalf: Behalf | None) -> CAdESSignedAttrSpec | None:
    """The signed attribute that says it; None when somebody signs in their own name."""
    if behalf is None:
        return None
    text = f"{_PREFIX}{quote(behalf.name, safe='')}:{quote(behalf.mandate, safe='')}"
    if len(text) > _LONGEST:
        raise ValueError("the name or the mandate's number is too long")
    role = {"role_name": asn1.GeneralName("uniform_resource_identifier", text)}
    claimed = cms.AttCertAttribute({"type": "role", "values": [role]})
    return CAdESSignedAttrSpec(signer_attributes=SignerAttrSpec(claimed_attrs=(claimed,), certified_attrs=()))


def claimed(signer_info: Any) -> Behalf | None:
    """What a signature's signed attributes claim; anything in another form is no claim."""
    for found in signer_info["signed_attrs"]:
        if found["type"].native != "signer_attributes_v2":
            continue
        for one in found["values"][0]["claimed_attributes"]:
            if one["type"].native != "role":
                continue
            text = str(one["values"][0]["role_name"].native)
            if text.startswith(_PREFIX) and text.count(":") == _PREFIX.count(":") + 1:
                name, mandate = text.removeprefix(_PREFIX).split(":")
                return Behalf(unquote(name), unquote(mandate))
    return None
