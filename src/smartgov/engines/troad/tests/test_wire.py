"""The wire format against the published examples of RFC 9421 and RFC 9530, and against a reader of its own."""

from __future__ import annotations

import base64
import hmac
import re
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.pki import keys
from smartgov.engines.troad import bodies, components, wire
from smartgov.engines.troad.problems import refuse
from smartgov.shared.problems import Problem

KEY = keys.generate_p256()
NONCE = "AAAAAAAAAAAAAAAAAAAAAA"


def test_the_published_p256_example_verifies() -> None:
    """RFC 9421 appendix B.2.4 with the key of B.1.3."""
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
        "-----END PUBLIC KEY-----\n"
    )
    digest = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
    told = {"@status": 200, "content-type": "application/json", "content-digest": digest, "content-length": "23"}
    form = components.form(tuple(told), ("@status",))
    params = '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
    signature = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="
    public = load_pem_public_key(pem.encode())
    assert keys.verify(public, base64.b64decode(signature), (form.text % (200, *form.take(told), params)).encode())  # type: ignore[arg-type]


def test_the_published_digest_example() -> None:
    """RFC 9530 appendix D: SHA-256 of `{"hello": "world"}` followed by a line feed is RK/0...; without it X48E..."""
    assert bodies._digest(b'{"hello": "world"}') == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def head(**fields: str) -> wire.Head:
    given = {
        "content-type": "application/json",
        "troad-body": "hmac-sha-256=:AAAA:",
        "x-road-client": "TW/GOV/ris/cases",
        "x-road-id": "01234567",
        "troad-receiver": "TW/GOV/hpa/gw1",
    }
    return wire.Head("POST", "Host:1", "/r1/a", "x=1", {**given, **fields})


def test_the_signature_base_is_the_documented_one() -> None:
    message = head()
    base = wire.sign_request(message, KEY, created=1, nonce=NONCE)
    kid = keys.thumbprint(KEY.public_key())
    parts = (
        '("@method" "@authority" "@path" "@query" "troad-body" "x-road-client" "x-road-id" "troad-receiver"'
        f' "content-type");created=1;nonce="{NONCE}";keyid="{kid}";tag="troad-v2"'
    )
    assert base.decode() == (
        '"@method": POST\n"@authority": host:1\n"@path": /r1/a\n"@query": ?x=1\n'
        '"troad-body": hmac-sha-256=:AAAA:\n"x-road-client": TW/GOV/ris/cases\n"x-road-id": 01234567\n'
        f'"troad-receiver": TW/GOV/hpa/gw1\n"content-type": application/json\n"@signature-params": {parts}'
    )
    assert message.fields["signature-input"] == f"troad={parts}"


def generic_base(input_value: str, message: wire.Head) -> bytes:
    """A second, naive reading of RFC 9421 section 2.5, written without looking at the first."""
    _, _, params = input_value.partition("=")
    lines = []
    for name in re.findall(r'"([^"]+)"', params[: params.index(")")]):
        derived = {"@method": message.method, "@authority": message.authority.lower(), "@path": message.path}
        value = "?" + message.query if name == "@query" else derived.get(name) or message.fields[name]
        lines.append(f'"{name}": {value}\n')
    return ("".join(lines) + f'"@signature-params": {params}').encode("latin-1")


@given(
    st.dictionaries(st.sampled_from(components.OPTIONAL), st.text("abc /;=\"'\\", min_size=1), max_size=6),
    st.text("ab=&"),
)
def test_any_message_is_read_as_it_was_signed(fields: dict[str, str], query: str) -> None:
    message = head(**{name: value.strip() or "x" for name, value in fields.items()})
    message.query = query
    wire.sign_request(message, KEY, created=7, nonce=NONCE)
    signed = wire.read_request(message)
    assert signed.holds(KEY.public_key())
    assert signed.base == generic_base(message.fields["signature-input"], message)
    unsigned = {"signature", "signature-input"}
    assert dict(signed.fields) == {name: value for name, value in message.fields.items() if name not in unsigned}


@given(st.permutations([*components.REQUIRED, "content-type", "x-road-issue"]))
def test_another_gateway_may_list_the_components_in_any_order(names: list[str]) -> None:
    message = head(**{"x-road-issue": "case-1"})
    listed = " ".join(f'"{name}"' for name in names)
    kid = keys.thumbprint(KEY.public_key())
    message.fields["signature-input"] = f'troad=({listed});created=7;nonce="{NONCE}";keyid="{kid}";tag="troad-v2"'
    base = generic_base(message.fields["signature-input"], message)
    wire.attach(message.fields, keys.sign(KEY, base))
    signed = wire.read_request(message)
    assert signed.base == base
    assert signed.holds(KEY.public_key())
    assert dict(signed.fields) == {name: message.fields[name] for name in names if name[0] != "@"}


def test_an_answer_may_have_its_commitment_alone_and_its_status_last() -> None:
    request = head()
    wire.sign_request(request, KEY, created=7, nonce=NONCE)
    fields = {"troad-body": "hmac-sha-256=:BBBB:"}
    base = wire.sign_answer(request, 204, fields, KEY, created=8, nonce=NONCE)
    assert base.startswith(b'"@status": 204\n"troad-body": hmac-sha-256=:BBBB:\n"@method";req: POST\n')
    fields["signature-input"] = fields["signature-input"].replace('"@status" "troad-body"', '"troad-body" "@status"')
    signed = wire.read_answer(request, 204, fields)
    assert signed.base.startswith(b'"troad-body": hmac-sha-256=:BBBB:\n"@status": 204\n"@method";req: POST\n')
    assert dict(signed.fields) == {"troad-body": "hmac-sha-256=:BBBB:"}


def test_what_is_kept_of_names_has_a_bound() -> None:
    components._orders.clear()
    for number in range(2 * components._ORDERS_KEPT):
        assert components.forwarded({f"x-{number}": "", "accept": ""}) == ("accept", f"x-{number}")
        assert len(components._orders) <= components._ORDERS_KEPT
    components._orders.clear()
    components.forwarded({"x-" + "a" * components._LONGEST_KEPT: ""})
    assert not components._orders


@pytest.mark.parametrize("name", ["method", "authority", "path", "query"])
def test_every_part_of_the_address_is_covered(name: str) -> None:
    message = head()
    wire.sign_request(message, KEY, created=7, nonce=NONCE)
    setattr(message, name, "other")
    assert not wire.read_request(message).holds(KEY.public_key())


def test_a_commitment_is_an_hmac_that_a_guess_cannot_open() -> None:
    salt, fields = bodies.commit(b"yes")
    value = base64.b64encode(hmac.new(salt, b"yes", sha256).digest()).decode()
    assert fields["troad-body"] == f"hmac-sha-256=:{value}:"
    assert bodies.open_commitment(fields, b"yes", "body-changed") == salt
    assert bodies.commit(b"yes")[1]["troad-body"] != fields["troad-body"]
    changed = [{"troad-salt": ":AAAA:"}, {"troad-salt": "%"}, {"troad-salt": "\u00e9"}, {"troad-body": "\u00e9"}]
    for changes, body in [({}, b"no"), *((one, b"yes") for one in changed)]:
        with pytest.raises(Problem) as problem:
            bodies.open_commitment({**fields, **changes}, body, "body-changed")
        assert problem.value.slug == "body-changed"


def test_an_answer_is_bound_to_each_part_of_its_request() -> None:
    request = head()
    wire.sign_request(request, KEY, created=7, nonce=NONCE)
    fields = {"content-type": "application/json", "troad-body": "hmac-sha-256=:BBBB:"}
    base = wire.sign_answer(request, 200, fields, KEY, created=8, nonce=NONCE)
    assert b'"signature-input";req: troad=(' in base
    assert wire.read_answer(request, 200, fields).holds(KEY.public_key())
    for name in ("method", "authority", "path", "query"):
        other = head()
        other.fields = dict(request.fields)
        setattr(other, name, "other")
        assert not wire.read_answer(other, 200, fields).holds(KEY.public_key())
    for name in ("troad-body", "x-road-id", "signature-input"):
        other = head()
        other.fields = {**request.fields, name: "other"}
        assert not wire.read_answer(other, 200, fields).holds(KEY.public_key())
    assert not wire.read_answer(request, 201, fields).holds(KEY.public_key())


def test_an_answer_that_covers_less_is_not_of_the_profile() -> None:
    request = head()
    wire.sign_request(request, KEY, created=7, nonce=NONCE)
    fields = {"troad-body": "hmac-sha-256=:BBBB:"}
    wire.sign_answer(request, 200, fields, KEY, created=8, nonce=NONCE)
    fields["signature-input"] = fields["signature-input"].replace(' "@path";req', "")
    with pytest.raises(Problem) as problem:
        wire.read_answer(request, 200, fields)
    assert problem.value.slug == refuse("answer-signature-invalid").slug
