"""One gateway speaking to another by hand, with its real keys, so that the very same bytes can be sent twice."""

from __future__ import annotations

import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from smartgov.engines.troad import bodies, reference, snapshot, wire
from smartgov.engines.troad import home as gateways
from smartgov.engines.trust import Follower
from smartgov.shared import clock
from smartgov.shared.ids import uuid7

BIRTHS = "TW/GOV/hpa/births/births.v1"


@dataclass(frozen=True, slots=True)
class Message:
    """A signed request as it goes over the wire."""

    head: wire.Head
    body: bytes


class Wire:
    """The line from the gateway of `sender` to the gateway of `receiver`."""

    def __init__(self, home: Path, *, sender: str, receiver: str) -> None:
        self.sender, self.here = sender, gateways.load(home / "gateways" / sender)
        with TemporaryDirectory() as folder:
            view = Follower(Path(folder), self.here.anchor()).take(self.here.bundle.read_bytes(), clock.now())
        self.to = snapshot.parse(view.merged(clock.now())).gateways[f"TW/GOV/{receiver}/gw1"]

    def births_of(self, mother: str) -> Message:
        """A sound request for a mother's births, under the right that registration has."""
        now, rid = int(clock.now().timestamp()), uuid7()
        fields = {
            "content-type": "application/json",
            "x-road-client": f"TW/GOV/{self.sender}/cases",
            "x-road-id": rid,
            "troad-receiver": self.to.id,
            "troad-purpose": "birth.registration",
            "troad-basis": "child-welfare-act-14",
            "troad-subject": reference.make(mother, self.to.recipient, rid=rid, exp=now + 100),
        }
        body = b'{"where":{}}'
        head = wire.Head("POST", self.to.authority, f"/r1/{BIRTHS}/births/query", "", fields)
        _, commitment = bodies.commit(body)
        fields.update(commitment)
        wire.sign_request(head, self.here.p256("message"), created=now, nonce=wire.new_nonce())
        return Message(head, body)

    def send(self, message: Message) -> tuple[int, Any]:
        """Send these bytes over TLS with the sender's certificate: status and parsed answer; OSError when it is cut."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the anchors are the certificates themselves
        context.load_cert_chain(self.here.path / "certs/tls.pem", self.here.path / "keys/tls.key")
        context.load_verify_locations(cadata=self.to.tls_certificate)
        with closing(HTTPSConnection(message.head.authority, context=context, timeout=20)) as connection:
            try:
                connection.request("POST", message.head.path, message.body, message.head.fields)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except HTTPException as error:
                raise ConnectionError("the answer was cut") from error
