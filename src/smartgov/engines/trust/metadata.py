"""Names, lifetimes and the few steps that every signer of TUF metadata takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, T, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from smartgov.engines.pki import keys

COUNTRY = "country.json"
ROLES = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
ROOT_LIFE = timedelta(days=365)
OFFER_LIFE = timedelta(days=30)
ONLINE_LIFE = timedelta(hours=24)
Key = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey
UNREADABLE = (DeserializationError, RepositoryError, ValueError, KeyError, TypeError)
_SERIALIZER = JSONSerializer(compact=True)


def role_of(member: str) -> str:
    """The TUF role of a member: `member~TW~GOV~ris`; names of members hold no `~`."""
    return "member~" + member.replace("/", "~")


def path_of(member: str) -> str:
    """The target that holds a member's offer."""
    return f"offers/{member}.json"


def listed(key: Key) -> SSlibKey:
    """A public key as metadata lists it; its id is our thumbprint, so that people can compare one name everywhere."""
    return SSlibKey.from_crypto(key, keyid=keys.thumbprint(key))


def signed(content: Metadata[T], *private: PrivateKey) -> bytes:
    """The JSON of `content` with a signature of each of these keys added to those it bears."""
    for key in private:
        content.sign(CryptoSigner(key, listed(key.public_key())), append=True)
    return content.to_bytes(_SERIALIZER)


def file_of(target: TargetFile) -> str:
    """The file name under which TUF's consistent snapshots keep a target: the hash stands before the last part."""
    folder, slash, name = target.path.rpartition("/")
    return f"{folder}{slash}{target.hashes['sha256']}.{name}"


def compact(data: Any) -> bytes:
    """JSON as it is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def whole_seconds(moment: datetime) -> datetime:
    """TUF writes times without fractions."""
    return moment.replace(microsecond=0)


def key_ids(metadata: Targets, member: str) -> list[str]:
    """The ids of the keys that may sign the member's offer; empty when the member is not listed."""
    roles = (metadata.delegations.roles if metadata.delegations else None) or {}
    role = roles.get(role_of(member))
    return list(role.keyids) if role else []


def members_of(metadata: Targets) -> Iterable[str]:
    """The members that have a role."""
    roles = (metadata.delegations.roles if metadata.delegations else None) or {}
    return [name.removeprefix("member~").replace("~", "/") for name in roles]
