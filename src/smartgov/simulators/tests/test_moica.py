import base64
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.pki import certificates, citizen, revocation
from smartgov.engines.pki.authority import ocsp
from smartgov.shared import clock
from smartgov.shared.tw import national_id
from smartgov.simulators.moica import home as ministry
from smartgov.simulators.moica.app import MinistryApp
from smartgov.simulators.moica.tickets import checksum, is_checked

from .driving import ask, hidden, post_form

MOTHER = national_id.make(77, 2)
DATA = base64.b64encode(b"what we ask").decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("moica")
    ministry.create(folder)
    ministry.enrol_phone(folder, persona="mother", name="林淑芬", national_id=MOTHER)
    return folder


@pytest.fixture
def app(home):
    return MinistryApp(home, "http://localhost:8021")


def call(app, name, fields, **changed):
    """A call as a service provider makes it; `changed` members are altered after the checksum was made."""
    account = ministry.customer(app.home)
    joined = {
        "getSpTicket": ("id_num", "op_code", "op_mode", "hint", "sign_data"),
        "requestAthOrSignPush": ("id_num", "device_user_def_desc", "op_code", "hint", "sign_data"),
        "getAthOrSignResult": ("sp_ticket_id",),
    }[name]
    flat = {**fields, **fields.get("sign_info", {})}
    parts = [fields["transaction_id"], account["service_id"], *(str(flat.get(part, "")) for part in joined)]
    body = {
        **fields,
        "sp_service_id": account["service_id"],
        "sp_checksum": checksum(base64.b64decode(account["aes_key"]), *parts),
        **changed,
    }
    answer = json.loads(ask(app, "POST", f"/moise/sp/{name}", body).body)
    return answer["error_code"].rpartition("-")[2], answer.get("result", {})


def wanted(transaction, **more):
    info = {"sign_type": "PKCS#1", "sign_data": DATA, "tbs_encoding": "base64", "hash_algorithm": "SHA256"}
    asked = {"transaction_id": transaction, "id_num": MOTHER, "op_code": "SIGN", "hint": "登入", "sign_info": info}
    return asked | {"time_limit": 60, **more}


def ticket_id(result):
    payload = result["sp_ticket"].partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sp_ticket_id"]


def test_the_checksum_is_the_published_one():
    key = bytes(range(32))
    made = checksum(key, "t", "s", "x")
    assert made.startswith("00" * 12)
    opened = AESGCM(key).decrypt(bytes(12), bytes.fromhex(made)[12:], None)
    assert opened.decode() == sha256(b"tsx").hexdigest()
    assert is_checked(key, made, "ts", "x")  # fields are joined without separators: a weakness of the scheme's own
    assert not is_checked(key, made, "t", "s", "y")
    assert not is_checked(bytes(32), made, "t", "s", "x")


def test_a_push_is_signed_on_the_phone(app):
    code, result = call(app, "requestAthOrSignPush", wanted("p-1"))
    assert code == "0"
    asked = {"transaction_id": "p-1", "sp_ticket_id": ticket_id(result)}
    assert call(app, "getAthOrSignResult", asked)[0] == "SPTKTID_TXNLOG_NF"
    path = f"/phones/mother/requests/{ticket_id(result)}"
    assert post_form(app, path, hidden(ask(app, "GET", path))).status == 303
    code, signed = call(app, "getAthOrSignResult", asked)
    assert code == "0"
    certificate = certificates.from_der(base64.b64decode(signed["cert"]))
    citizen.require_signed(certificate, base64.b64decode(signed["signed_response"]), b"what we ask")
    key = base64.b64decode(ministry.customer(app.home)["aes_key"])
    parts = ("p-1", "0", signed["hashed_id_num"], signed["signed_response"])
    assert is_checked(key, signed["idp_checksum"], *parts)
    assert MOTHER not in json.dumps(signed)


def test_a_mere_authentication_gives_no_signature(app):
    _, result = call(app, "requestAthOrSignPush", {**wanted("a-1"), "op_code": "ATH", "sign_info": {}})
    path = f"/phones/mother/requests/{ticket_id(result)}"
    post_form(app, path, hidden(ask(app, "GET", path)))
    code, said = call(app, "getAthOrSignResult", {"transaction_id": "a-1", "sp_ticket_id": ticket_id(result)})
    assert (code, set(said)) == ("0", {"hashed_id_num", "idp_checksum"})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"hint": "別的"}, "INV_SP_CHECKSUM"),
        ({"sp_checksum": "00"}, "INV_SP_CHECKSUM"),
        ({"sp_service_id": "SP0"}, "SPSVCID_NF"),
    ],
)
def test_what_was_altered_on_its_way_is_refused(app, changed, code):
    assert call(app, "getSpTicket", wanted("x-1", op_mode="I-SCAN"), **changed)[0] == code


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"op_mode": "PUSH"}, "TGT_INV"),
        ({"op_mode": "I-SCAN", "id_num": "A123"}, "PM_IDN_FT_ERR"),
        ({"op_mode": "I-SCAN", "id_num": national_id.make(78, 1)}, "IDNUM_USERPROF_NF"),
        ({"op_mode": "I-SCAN", "time_limit": 29}, "SPTKT_TIME_ORV"),
        ({"op_mode": "I-SCAN", "time_limit": 601}, "SPTKT_TIME_ORV"),
        ({"op_mode": "I-SCAN", "time_limit": "x"}, "SPTKT_TIME_FT_ERR"),
        ({"op_mode": "I-SCAN", "sign_info": {"sign_data": "x" * 1025}}, "SIGNDATA_LEN_LIMIT"),
        ({"op_mode": "I-SCAN", "sign_info": {}}, "PM_SIGNDATA_NULL"),
        ({"op_mode": "I-SCAN", "sign_info": {"sign_data": "x", "sign_type": "RAW"}}, "PM_INV_NF"),
    ],
)
def test_codes_are_the_published_ones(app, asked, code):
    assert call(app, "getSpTicket", wanted("c-1", **asked))[0] == code


def test_a_transaction_is_used_once_and_ends(app):
    code, result = call(app, "getSpTicket", wanted("u-1", op_mode="APP2APP"))
    assert code == "0"
    assert call(app, "getSpTicket", wanted("u-1", op_mode="APP2APP"))[0] == "TXNLOG_INS_ERR"
    asked = {"transaction_id": "u-1", "sp_ticket_id": ticket_id(result)}
    assert call(app, "getAthOrSignResult", {**asked, "transaction_id": "u-2"})[0] == "SPTKTID_SPTKT_NF"
    with clock.travelling(delta=timedelta(seconds=61)):
        assert call(app, "getAthOrSignResult", asked)[0] == "SPTKT_OVD"
        page = ask(app, "GET", f"/phones/mother/requests/{ticket_id(result)}").body.decode()
        assert "逾時" in page


def test_an_altered_ticket_is_not_opened(app):
    _, result = call(app, "getSpTicket", wanted("t-1", op_mode="I-SCAN"))
    payload, _, digest = result["sp_ticket"].rpartition(".")
    assert ask(app, "GET", f"/scan?sp_ticket={payload}A.{digest}").status == 409
    assert "mother" in ask(app, "GET", f"/scan?sp_ticket={result['sp_ticket']}").body.decode()


def test_forms_of_other_pages_do_nothing(app):
    _, result = call(app, "requestAthOrSignPush", wanted("f-1"))
    path = f"/phones/mother/requests/{ticket_id(result)}"
    assert post_form(app, path, {"token": "x"}).status == 403
    token = hidden(ask(app, "GET", path))
    assert post_form(app, path, token, sec_fetch_site="cross-site").status == 403


def test_a_lost_certificate_is_on_the_list_and_in_the_answers(home):
    ministry.enrol_phone(home, persona="father", name="陳志明", national_id=national_id.make(79, 1))
    app = MinistryApp(home, "http://localhost:8021")
    lost = ministry.of_kind(home, "father", "mobile")[0]
    certificate, issuer = certificates.from_pem(lost.certificate.encode()), ministry.authority(home)

    def status():
        answer = ask(app, "POST", "/ocsp", ocsp.request_for(certificate, issuer, b"n" * 16)).body
        by_answer = ocsp.check(answer, certificate, issuer, now=clock.now(), nonce=b"n" * 16)
        listed = revocation.read(ask(app, "GET", "/crl").body, issuer)
        by_list = revocation.check(certificate, issuer, [listed], now=clock.now())
        return by_answer.status, by_list.status

    assert status() == ("good", "good")
    ministry.revoke(home, lost.serial)
    assert status() == ("revoked", "revoked")


def test_the_confirmation_says_yes_or_no_to_customers_only(app):
    row = ministry.of_kind(app.home, "mother", "mobile")[0]
    secret = f"Bearer {ministry.customer(app.home)['confirm']}"
    for number, who, same in ((row.number, MOTHER, True), (row.number, national_id.make(80, 1), False)):
        answer = ask(app, "POST", "/confirm", {"number": number, "national_id": who}, authorization=secret)
        assert json.loads(answer.body) == {"same": same}
    assert ask(app, "POST", "/confirm", {"number": row.number, "national_id": MOTHER}).status == 401
