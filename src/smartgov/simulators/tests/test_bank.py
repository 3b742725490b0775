import json
from datetime import timedelta
from hashlib import sha256

import pytest

from smartgov.shared import clock
from smartgov.simulators.bank.app import BankApp, payer_secret, sign
from smartgov.simulators.bank.books import Books

from .driving import ask, slug


@pytest.fixture
def app(tmp_path):
    return BankApp(Books(tmp_path), payer_secret(tmp_path))


def line(reference, account="012345678901", amount=5000, **more):
    base = {"reference": reference, "bank_code": "700", "account": account, "name": "林淑芬"}
    return {**base, "amount": amount, "purpose": "育兒津貼", **more}


def batch(name, *lines, **more):
    total = sum(entry["amount"] for entry in lines)
    return {
        "batch": name,
        "agency": "sfaa",
        "digest": "d1",
        "count": len(lines),
        "total": total,
        "lines": lines,
        **more,
    }


def send(app, body, method="POST", path="/batches", secret=None):
    raw = json.dumps(body).encode() if body is not None else b""
    secret = payer_secret(app.books.path.parent) if secret is None else secret
    return ask(app, method, path, raw, x_batch_signature=sign(secret, method, path, raw))


def result(app, name):
    return send(app, None, "GET", f"/batches/{name}/result")


def paid(app):
    return {account: total for _, account, _, total in app.books.balances()}


def test_a_batch_is_paid_and_its_result_covers_every_line(app):
    lines = [line("r1"), line("r2", "987654320000", 7000), line("r3", "12", 1)]
    assert send(app, batch("b1", *lines)).status == 201
    *body, trailer = result(app, "b1").body.decode().splitlines(keepends=True)
    assert body[0].startswith("H|b1|d1|")
    assert body[1:] == ["D|r1|5000|PAID|\n", "D|r2|7000|FAILED|account-closed\n", "D|r3|1|FAILED|account-unknown\n"]
    assert trailer == f"T|3|12001|{sha256(''.join(body).encode()).hexdigest()}\n"
    assert paid(app) == {"012345678901": 5000}


def test_a_batch_sent_twice_is_paid_once_and_answers_the_same(app):
    first = send(app, batch("b1", line("r1")))
    again = send(app, batch("b1", line("r1")))
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert result(app, "b1").body == result(app, "b1").body
    assert paid(app) == {"012345678901": 5000}


def test_the_same_id_with_other_content_is_refused(app):
    send(app, batch("b1", line("r1")))
    response = send(app, batch("b1", line("r1", amount=6000)))
    assert (response.status, slug(response)) == (409, "batch-differs")
    assert paid(app) == {"012345678901": 5000}


def test_a_reference_is_never_paid_twice_and_the_rest_of_its_batch_not_at_all(app):
    send(app, batch("b1", line("r1"), line("r2", "987654320000")))
    for again in ("r1", "r2"):
        response = send(app, batch("b2", line("r9", "111122223333"), line(again)))
        assert (response.status, slug(response)) == (409, "reference-taken")
    assert paid(app) == {"012345678901": 5000}
    assert result(app, "b2").status == 404


def test_books_survive_a_restart(app, tmp_path):
    send(app, batch("b1", line("r1")))
    before = result(app, "b1").body
    again = BankApp(Books(tmp_path), payer_secret(tmp_path))
    assert send(again, batch("b1", line("r1"))).status == 200
    assert result(again, "b1").body == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "body"),
        (batch("", line("r1")), "batch"),
        (batch("b|1", line("r1")), "batch"),
        (batch("b1"), "lines"),
        (batch("b1", line("r1"), count=2), "count"),
        (batch("b1", line("r1"), total=1), "total"),
        (batch("b1", line("r1"), line("r1")), "reference twice"),
        (batch("b1", line("r1", amount=0)), "line 1, amount"),
        (batch("b1", line("r1", amount=True)), "line 1, amount"),
        (batch("b1", line("r1", amount=1.5)), "line 1, amount"),
        (batch("b1", line("r1", amount=10**12)), "line 1, amount"),
        (batch("b1", line("r1"), line("r2\nD|r3|1|PAID|")), "line 2, reference"),
        (batch("b1", line("r1", extra="x")), "line 1"),
    ],
)
def test_a_wrong_batch_is_refused_whole_and_the_place_is_named(app, body, place):
    response = send(app, body)
    assert (response.status, slug(response)) == (422, "batch-invalid")
    assert json.loads(response.body)["place"] == place
    assert paid(app) == {}


def test_only_the_payer_is_heard(app):
    body = batch("b1", line("r1"))
    assert send(app, body, secret="wrong").status == 401
    assert ask(app, "POST", "/batches", body).status == 401
    raw = json.dumps(body).encode()
    other = sign(payer_secret(app.books.path.parent), "GET", "/batches", raw)
    assert ask(app, "POST", "/batches", raw, x_batch_signature=other).status == 401
    send(app, body)
    assert ask(app, "GET", "/batches/b1/result").status == 401
    assert slug(result(app, "none")) == "not-found"
    assert ask(BankApp(app.books, None), "GET", "/batches/b1/result").status == 200


def test_a_result_takes_its_time(tmp_path):
    app = BankApp(Books(tmp_path, timedelta(seconds=30)), payer_secret(tmp_path))
    send(app, batch("b1", line("r1")))
    assert (result(app, "b1").status, slug(result(app, "b1"))) == (425, "batch-at-work")
    with clock.travelling(delta=timedelta(seconds=31)):
        assert result(app, "b1").status == 200


def test_the_page_shows_payments_in_both_languages_and_no_whole_account(app):
    assert "No batch yet" in ask(app, "GET", "/").body.decode()
    send(app, batch("b1", line("r1", name="<b>林"), line("r2", "987654320000")))
    page = ask(app, "GET", "/").body.decode()
    assert "NT$5,000" in page
    assert "帳戶已結清" in page
    assert "account closed" in page
    assert "8901" in page
    assert "012345678901" not in page
    assert "<b>" not in page


def test_books_and_secret_belong_to_their_owner(app, tmp_path):
    for name in ("bank.sqlite3", "secrets/payer"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
