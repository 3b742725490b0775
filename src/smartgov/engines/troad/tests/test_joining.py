"""Letters and requests to join: what proves a key, and what is refused."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from pathlib import Path

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import letters, request
from smartgov.engines.troad.joining.request import Contact
from smartgov.engines.troad.own_keys import ED25519, P256
from smartgov.engines.trust import Rotation
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

CENTRE = "https://centre.example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "xyz"
    homes.create(path, member="TW/GOV/xyz", port=8443, local_port=8480, subsystems={"cases": {}})
    return path


def written(home: Path, **changes: object) -> dict[str, object]:
    given = {"name": Text("Office", "機關"), "contact": Contact("IT", "it@example.tw", "02"), "to": CENTRE}
    return request.write(home, **{**given, "now": clock.now(), **changes})  # type: ignore[arg-type]


def opened(letter: object, **changes: object) -> letters.Letter:
    given = {"kind": request.KIND, "to": CENTRE, "now": clock.now()}
    return letters.read(letter, **{**given, **changes})  # type: ignore[arg-type]


def refused(slug: str, act: object) -> None:
    with pytest.raises(Problem) as caught:
        act()  # type: ignore[operator]
    assert caught.value.slug == slug


def test_a_request_shows_that_every_key_is_held(home):
    asked = request.read(opened(written(home)))
    assert (asked.gateway, asked.subsystems) == ("TW/GOV/xyz/gw1", ("cases",))
    own = homes.describe(home)["gateway"]
    assert all(asked.described[name] == own[name] for name in ("message_key", "log_key", "configuration_key"))
    assert keys.thumbprint(asked.tls_key) == keys.thumbprint(homes.load(home).p256("tls").public_key())


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("in_charge", ["gw1", "gw2", ""], ids=["same", "other", "unknown"])
def test_new_keys_take_nothing_over_from_another_gateway_before_its_time(home, in_charge, lost):
    """Which is later where the keys were lost: others believe the new ones three days after they have seen them."""
    now = clock.now()
    configuration = homes.load(home).p256("configuration")
    before, root = keys.generate_p256(), keys.generate_p256()
    proof = Rotation.make(
        member="TW/GOV/xyz",
        old=before.public_key(),
        new=configuration.public_key(),
        at=now,
        by=[root if lost else before],
    )
    asked = request.read(opened(written(home, now=now, rotation=proof, in_charge=in_charge)))
    began = math.ceil(now.timestamp())
    waits = 0 if in_charge == "gw1" else (49 + 72 * lost) * 3600
    assert asked.offer.body["once"] == {"gateway": "gw1", "since": began + waits}
    assert asked.offer.version == began, "later offers have a later number"


@pytest.mark.parametrize("name", [*P256, *ED25519])
def test_a_key_that_did_not_sign_refuses_the_letter(home, name):
    letter = written(home)
    other = homes.load(home).p256("seal" if name != "seal" else "tls")
    letter["signatures"][name] = keys.b64url(keys.sign(other, letter["text"].encode()))  # type: ignore[index]
    refused("letter-invalid", lambda: opened(letter))


def test_a_letter_is_for_one_centre_one_kind_and_ten_minutes(home):
    letter = written(home)
    refused("letter-foreign", lambda: opened(letter, to="https://other.example"))
    refused("letter-invalid", lambda: opened(letter, kind="certificate"))
    refused("letter-stale", lambda: opened(letter, now=clock.now() + timedelta(minutes=11)))
    refused("letter-stale", lambda: opened(letter, now=clock.now() - timedelta(minutes=11)))


@pytest.mark.parametrize("letter", [None, [], {}, {"text": 3}, {"text": "{}", "signatures": {}}, {"text": "[" * 9999}])
def test_what_is_no_letter_is_refused_with_words(letter):
    refused("letter-invalid", lambda: opened(letter))


def test_a_changed_text_is_refused(home):
    letter = written(home)
    letter["text"] = letter["text"].replace("8443", "8444")  # type: ignore[attr-defined]
    refused("letter-invalid", lambda: opened(letter))


@pytest.mark.parametrize(
    "change",
    [
        {"member": "xyz"},
        {"member": "TW/GOV/other"},
        {"host": "bad host"},
        {"port": 0},
        {"subsystems": ["a/b"]},
        {"name": {"en": "", "zh": ""}},
        {"contact": {"office": "IT", "email": "none", "phone": ""}},
        {"code": "gw2"},
    ],
)
def test_a_request_that_nobody_could_use_is_refused(home, change):
    at = homes.load(home)
    signers = {one: at.p256(one) for one in P256} | {"log": at.log_key(), "witness": at.witness_key()}
    content = {**json.loads(str(written(home)["text"]))["content"], **change}
    letter = letters.write(request.KIND, content, signers, to=CENTRE, now=clock.now())
    refused("join-invalid", lambda: request.read(opened(letter)))


def test_one_key_for_two_purposes_is_refused(home):
    at = homes.load(home)
    signers = {one: at.p256(one) for one in P256} | {"log": at.log_key(), "witness": at.witness_key()}
    signers["message"] = signers["tls"]
    content = json.loads(str(written(home)["text"]))["content"]
    refused(
        "join-invalid",
        lambda: request.read(opened(letters.write(request.KIND, content, signers, to=CENTRE, now=clock.now()))),
    )
