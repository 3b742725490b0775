"""P-256 keys that never leave a hardware module (PKCS#11), used like keys in files.

A key file then holds one line, a PKCS#11 URI of RFC 7512 with the module and where its PIN lies:
`pkcs11:token=gw;object=message?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/smartgov/pin`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl, unquote

import pkcs11
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

SCHEME = "pkcs11:"
_CURVE = "secp256r1"
_HALF = 32  # bytes of r and of s
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a key lies: the module's library, the token's label, the object's label, and the file with the PIN."""

    module: str
    token: str
    label: str
    pin_file: Path

    @classmethod
    def of(cls, uri: str) -> Location:
        """Read a URI; ValueError when it does not say all four. A PIN inside the URI is refused: files are guarded."""
        path, _, query = uri.strip().removeprefix(SCHEME).partition("?")
        named = {name: unquote(value) for name, _, value in (part.partition("=") for part in path.split(";"))}
        asked = dict(parse_qsl(query))
        if "pin-value" in asked:
            raise ValueError("a PIN does not belong into the URI; name its file as pin-source")
        try:
            pin = Path(asked["pin-source"].removeprefix("file:"))
            return cls(asked["module-path"], named["token"], named["object"], pin)
        except KeyError as error:
            raise ValueError(f"the URI does not say {error}") from None

    def pin(self) -> str:
        """The PIN, read each time so that it stays in no long-lived object."""
        return self.pin_file.read_text().strip()


class _Session:
    """The one session of this process with a token: a second log-in would be refused. Opened when it is needed."""

    def __init__(self, location: Location) -> None:
        self._location, self._lock = location, threading.Lock()
        self._session: Any = None

    def use(self, act: Callable[[Any], T]) -> T:
        """`act` with the session; after a failure the module is opened anew, once. Problem `key-away` after that."""
        with self._lock:
            try:
                return act(self._opened())
            except pkcs11.PKCS11Error:
                self._session = None
            try:
                pkcs11.lib(self._location.module).reinitialize()
                return act(self._opened())
            except (pkcs11.PKCS11Error, OSError) as error:
                raise _away(self._location, type(error).__name__) from error

    def _opened(self) -> Any:
        if self._session is None:
            token = pkcs11.lib(self._location.module).get_token(token_label=self._location.token)
            self._session = token.open(rw=True, user_pin=self._location.pin())
        return self._session


@lru_cache
def _session(location: Location) -> _Session:
    return _Session(location)


class TokenKey(ec.EllipticCurvePrivateKey):
    """The private half of a P-256 key in a module. Signs with SHA-256; can neither be read nor used for anything else.

    When the module was away, the next signature opens it anew: nothing needs to be restarted.
    """

    def __init__(self, location: Location) -> None:
        self._label = location.label
        self._token = _session(replace(location, label=""))
        self._public = self._token.use(self._read_public)

    @classmethod
    def generate(cls, location: Location) -> TokenKey:
        """Make the key inside the token; FileExistsError when one of this label is there."""

        def make(session: Any) -> None:
            if list(session.get_objects({pkcs11.Attribute.LABEL: location.label})):
                raise FileExistsError(location.label)
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVE)}
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            parameters.generate_keypair(store=True, label=location.label)

        _session(replace(location, label="")).use(make)
        return cls(location)

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """The ECDSA signature in DER; Problem `key-away` while the module does not answer."""
        digest = sha256(bytes(data)).digest()
        raw = self._token.use(lambda session: self._private(session).sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """256 bits."""
        return self.curve.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Not for key agreement: one purpose a key."""
        raise UnsupportedAlgorithm("this key only signs")

    def private_numbers(self) -> NoReturn:
        """The key does not leave the module."""
        raise UnsupportedAlgorithm("the key does not leave its module")

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:  # noqa: A002
        """The key does not leave the module."""
        raise UnsupportedAlgorithm("the key does not leave its module")

    def __copy__(self) -> TokenKey:
        """Itself: there is one key."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TokenKey:
        """Itself: there is one key."""
        return self

    def _private(self, session: Any) -> Any:
        return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label)

    def _read_public(self, session: Any) -> ec.EllipticCurvePublicKey:
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=self._label)
        key = load_der_public_key(encode_ec_public_key(public))
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("only P-256 keys are accepted")
        return key


def _away(location: Location, why: str) -> Problem:
    return Problem(
        "key-away",
        503,
        what=Text("The module that holds the key does not answer.", "存放金鑰的硬體模組沒有回應。"),
        why=Text(f"Token {location.token}: {why}.", f"符記 {location.token}：{why}。"),
        todo=Text("Plug it in or start it; signing goes on by itself.", "請接上或啟動模組，恢復後會自動繼續簽署。"),
    )
