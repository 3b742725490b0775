"""The life of certificates, the list, the answers and the trail."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp as wire
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.pki import certificates, deltas, keys, revocation
from smartgov.engines.pki.authority import Authority, State, life, ocsp, trail
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.engines.pki.authority.store import SqliteStore
from smartgov.shared import clock
from smartgov.shared.problems import Problem

YEAR = timedelta(days=365)


@pytest.fixture
def authority(tmp_path):
    return Authority.create(tmp_path / "ca", "Citizens' Authority", address="http://localhost:9/pki")


def csr(key, name="whoever"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def requested(authority, key=None, **more):
    facts = {"profile": "person", "holder": "h1", "common_name": "陳美玲", "organisation": "", "by": "citizen:1"}
    return authority.request(csr(key or keys.generate_p256()), **{**facts, "organisation": "smartgov", **more})


def issued(authority, key, **more):
    record = requested(authority, key, **more)
    authority.prove(record.id, method="sign-in", level=2, by="system")
    return authority.issue(record.id, by="officer:2")


def active(authority, key=None, **more):
    key = key or keys.generate_p256()
    record = issued(authority, key, **more)
    return authority.activate(record.id, keys.sign(key, activation_text(record)), by="citizen:1")


def status(authority, record, nonce=None):
    certificate = certificates.from_pem(record.certificate.encode())
    answer = authority.answer(ocsp.request_for(certificate, authority.certificate, nonce))
    by_ocsp = ocsp.check(answer, certificate, authority.certificate, now=clock.now(), nonce=nonce)
    crl = revocation.read(authority.crl(), authority.certificate)
    by_list = revocation.check(certificate, authority.certificate, [crl], now=clock.now())
    assert (by_ocsp.status, by_ocsp.reason) == (by_list.status, by_list.reason)
    return by_ocsp.status


def test_a_whole_life(authority):
    key = keys.generate_p256()
    record = issued(authority, key)
    assert status(authority, record) == "suspended", "nobody has shown to have the key"
    record = authority.activate(record.id, keys.sign(key, activation_text(record)), by="citizen:1")
    assert status(authority, record, nonce=b"0123456789abcdef") == "good"
    assert record.not_after - clock.now() > 5 * YEAR - timedelta(days=1)
    certificate = certificates.from_pem(record.certificate.encode())
    assert certificates.common_name(certificate) == "陳美玲", "the name in the request counts for nothing"
    authority.suspend(record.id, by="officer:2")
    assert status(authority, record) == "suspended"
    authority.resume(record.id, by="officer:2")
    assert status(authority, record) == "good"
    authority.revoke(record.id, "keyCompromise", by="officer:2")
    assert status(authority, record) == "revoked"
    with pytest.raises(Problem):
        authority.resume(record.id, by="officer:2")
    steps = [one.content["step"] for one in authority.entries()]
    assert steps == ["request", "prove", "issue", "activate", "suspend", "resume", "revoke"]
    assert trail.first_flaw(authority.entries(), authority.trail_key) is None


def test_only_the_certified_key_activates(authority):
    record = issued(authority, keys.generate_p256())
    with pytest.raises(Problem) as caught:
        authority.activate(record.id, keys.sign(keys.generate_p256(), activation_text(record)), by="citizen:1")
    assert caught.value.slug == "not-the-key"
    assert authority.get(record.id).state is State.ISSUED


def test_a_request_needs_its_own_unused_key_and_a_proof(authority):
    key = keys.generate_p256()
    record = requested(authority, key)
    for again in (lambda: requested(authority, key), lambda: authority.issue(record.id, by="o")):
        with pytest.raises(Problem):
            again()
    other = csr(keys.generate_p256())
    broken = x509.load_pem_x509_csr(other).public_bytes(serialization.Encoding.DER)[:-3] + b"abc"
    for wrong in (b"nonsense", broken):
        with pytest.raises(Problem) as caught:
            authority.request(wrong, profile="person", holder="h", common_name="n", organisation="o", by="x")
        assert caught.value.slug == "request-unusable"
    with pytest.raises(Problem) as caught:
        authority.prove(record.id, method="sign-in", level=1, by="system")
    assert caught.value.slug == "proof-too-weak"


def test_whoever_proves_does_not_issue(authority):
    record = requested(authority)
    authority.prove(record.id, method="counter", level=3, by="officer:1")
    with pytest.raises(Problem) as caught:
        authority.issue(record.id, by="officer:1")
    assert caught.value.slug == "four-eyes"
    authority.issue(record.id, by="officer:2")


def test_one_extension_of_three_years_in_the_last_sixty_days(authority):
    record = active(authority)
    with pytest.raises(Problem):
        authority.extend(record.id, by="citizen:1")
    with clock.travelling(to=record.not_after - timedelta(days=30)):
        more = authority.extend(record.id, by="citizen:1")
        assert more.not_after - record.not_after == 3 * YEAR
        assert more.public_key == record.public_key
        assert more.state is State.ACTIVE
        with pytest.raises(Problem):
            authority.extend(record.id, by="citizen:1")
    with clock.travelling(to=record.not_after + timedelta(days=1)):
        assert authority.expire() == 1
        assert authority.get(record.id).state is State.EXPIRED
    with clock.travelling(to=more.not_after - timedelta(days=30)), pytest.raises(Problem) as caught:
        authority.extend(more.id, by="citizen:1")
    assert caught.value.slug == "no-extension"


def test_a_renewal_supersedes_when_it_is_activated(authority):
    old = active(authority)
    key = keys.generate_p256()
    new = issued(authority, key, renews=old.id)
    assert status(authority, old) == "good"
    authority.activate(new.id, keys.sign(key, activation_text(new)), by="citizen:1")
    assert authority.get(old.id).reason == "superseded"


def test_lists_count_up_and_are_made_anew_in_time(authority):
    first = revocation.read(authority.crl(), authority.certificate).head
    assert revocation.read(authority.crl(), authority.certificate).head == first
    with clock.travelling(delta=timedelta(hours=13)):
        assert revocation.read(authority.crl(), authority.certificate).head.number == first.number + 1
    again = Authority(authority.home, address="http://localhost:9/pki")
    assert revocation.read(again.crl(), authority.certificate).head.number == first.number + 1


def test_answers_are_signed_ahead_and_anew_for_a_nonce(authority):
    record = active(authority)
    certificate = certificates.from_pem(record.certificate.encode())
    plain = ocsp.request_for(certificate, authority.certificate)
    assert authority.answer(plain) == authority.answer(plain), "kept"
    fresh = ocsp.request_for(certificate, authority.certificate, b"n" * 16)
    assert authority.answer(fresh) != authority.answer(plain)
    with pytest.raises(ValueError, match="question"):
        ocsp.check(authority.answer(plain), certificate, authority.certificate, now=clock.now(), nonce=b"n" * 16)
    late = ocsp.check(authority.answer(plain), certificate, authority.certificate, now=clock.now() + 2 * ocsp.LIFE)
    assert (late.status, late.stale, late.accepted) == ("good", True, False)


def test_answers_about_others_and_by_others_are_refused(authority, tmp_path):
    other = Authority.create(tmp_path / "other", "Citizens' Authority")
    mine, theirs = active(authority), active(other)
    certificate = certificates.from_pem(mine.certificate.encode())
    foreign = ocsp.request_for(certificates.from_pem(theirs.certificate.encode()), other.certificate)
    assert read_status(authority.answer(foreign)) is wire.OCSPResponseStatus.UNAUTHORIZED
    assert read_status(authority.answer(b"what?")) is wire.OCSPResponseStatus.MALFORMED_REQUEST
    with pytest.raises(ValueError, match="another"):
        ocsp.check(other.answer(foreign), certificate, authority.certificate, now=clock.now())
    never = wire.OCSPRequestBuilder().add_certificate_by_hash(
        *ocsp._names_of(authority.certificate, hashes.SHA256()), 4711, hashes.SHA256()
    )
    answer = wire.load_der_ocsp_response(authority.answer(never.build().public_bytes(serialization.Encoding.DER)))
    assert answer.certificate_status is wire.OCSPCertStatus.UNKNOWN
    # An answer signed by a certificate that is not one for answers.
    forged = ocsp.Responder(other._ca.key, other.certificate, authority.certificate)
    request = wire.load_der_ocsp_request(ocsp.request_for(certificate, authority.certificate))
    with pytest.raises(ValueError, match="not signed"):
        ocsp.check(forged.answer(request, mine, clock.now()), certificate, authority.certificate, now=clock.now())


def read_status(answer):
    return wire.load_der_ocsp_response(answer).response_status


@given(st.data())
def test_an_altered_trail_shows(data):
    key = keys.generate_ed25519()
    entries, last = [], None
    for number in range(6):
        last = trail.entry(last, key, at=clock.now(), by="x", step="issue", detail={"record": str(number)})
        entries.append(last)
    place = data.draw(st.integers(0, 5))
    victim = entries[place]
    change = data.draw(st.sampled_from(["drop", "body", "signature", "swap"]))
    if change == "drop" and place < 5:
        del entries[place]
    elif change == "body":
        entries[place] = replace(victim, body=victim.body.replace("issue", "prove"))
    elif change == "signature":
        entries[place] = replace(victim, signature=keys.b64url(bytes(64)))
    else:
        entries[place], entries[place - 1] = entries[place - 1], entries[place]
    assert trail.first_flaw(entries, key.public_key()) is not None


@settings(max_examples=200)
@given(st.lists(st.sampled_from(list(life._STEPS)), max_size=12))
def test_no_walk_leads_out_of_an_end(steps):
    state, ended = State.REQUESTED, False
    for step in steps:
        try:
            state = life.after(step, state)
        except Problem:
            continue
        assert not ended, "an end was left"
        ended = state in {State.REJECTED, State.REVOKED, State.EXPIRED}
        if state is State.ACTIVE:
            assert {"suspend", "revoke"} <= set(life.steps_from(state))


def test_a_record_survives_its_json(authority):
    record = active(authority)
    assert life.from_json(life.to_json(record)) == record


def listed(authority, crl):
    return {row.serial: row for row in revocation.read(crl, authority.certificate).rows()}


def laid_on(authority, crl, delta):
    """What a reader knows who held a complete list and takes in the delta."""
    known = revocation.read(crl, authority.certificate)
    found = deltas.take_in(delta, authority.certificate, known=known.head)
    rows, (came, gone) = {row.serial: row for row in known.rows()}, deltas.changes(found)
    for serial in gone:
        rows.pop(serial, None)  # a list between base and delta may not have it any more
    return rows | {row.serial: row for row in came}


def test_a_delta_leads_every_list_that_is_still_in_force_to_the_newest_one(authority):
    held, lost, kept = (active(authority, holder=name) for name in ("h1", "h2", "h3"))
    authority.suspend(held.id, by="officer:2")
    lists = [authority.crl()]
    for hours in range(1, 60, 7):
        with clock.travelling(delta=timedelta(hours=hours)):
            if hours == 8:
                authority.revoke(lost.id, "keyCompromise", by="officer:2")
            if hours == 15:
                authority.suspend(kept.id, by="officer:2")
            if hours == 22:  # on no list of the day before, and on none now
                authority.resume(kept.id, by="officer:2")
            if hours == 29:
                authority.resume(held.id, by="officer:2")
                authority.suspend(kept.id, by="officer:2")
            lists.append(authority.crl())
            newest, delta, now = listed(authority, lists[-1]), authority.delta(), clock.now()
            head = deltas.read(delta, authority.certificate).head
            assert head.number == revocation.read(lists[-1], authority.certificate).head.number
            assert authority.delta() == delta, "it is made once"
            for crl in lists:
                old = revocation.read(crl, authority.certificate).head
                if old.next_update >= now and old.number < head.number:
                    assert laid_on(authority, crl, delta) == newest
    assert {row.reason for row in newest.values()} == {"keyCompromise", revocation.HOLD}
    assert held.serial not in newest


def test_before_a_day_is_over_the_delta_starts_from_the_first_list(authority):
    first = authority.crl()
    delta = deltas.read(authority.delta(), authority.certificate)
    assert (len(delta), delta.base) == (0, 1)
    lost = active(authority)
    authority.revoke(lost.id, "superseded", by="officer:2")
    assert laid_on(authority, first, authority.delta()).keys() == {lost.serial}


def test_each_list_says_where_its_delta_lies(authority):
    points = x509.load_der_x509_crl(authority.crl()).extensions.get_extension_for_class(x509.FreshestCRL).value
    assert [one.full_name[0].value for one in points] == ["http://localhost:9/pki/delta"]


@pytest.mark.process
@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent")
def test_openssl_agrees_about_list_and_answers(authority, tmp_path):
    kept, lost = active(authority), active(authority, holder="h2")
    authority.revoke(lost.id, "keyCompromise", by="officer:2")
    (tmp_path / "ca.pem").write_bytes(certificates.pem(authority.certificate))
    crl = x509.load_der_x509_crl(authority.crl()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "crl.pem").write_bytes(crl)
    for record, verified, said in ((kept, "one.pem: OK", "good"), (lost, "certificate revoked", "revoked")):
        (tmp_path / "one.pem").write_text(record.certificate)
        checked = openssl(tmp_path, "verify -CAfile ca.pem -CRLfile crl.pem -crl_check one.pem")
        assert verified in checked.stdout + checked.stderr
        openssl(tmp_path, "ocsp -issuer ca.pem -cert one.pem -no_nonce -reqout request.der")
        (tmp_path / "answer.der").write_bytes(authority.answer((tmp_path / "request.der").read_bytes()))
        answer = openssl(tmp_path, "ocsp -respin answer.der -no_nonce -issuer ca.pem -cert one.pem -CAfile ca.pem")
        assert "Response verify OK" in answer.stderr
        assert f"one.pem: {said}" in answer.stdout
    assert "keyCompromise" in answer.stdout


def openssl(folder, command):
    return subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_reader_in_another_thread_does_not_stand_in_an_open_change(tmp_path):
    store = SqliteStore(tmp_path / "memory.sqlite3")
    with store.change(), ThreadPoolExecutor(1) as other:
        store.put_list(1, "2026-11-28T00:00:00+00:00", b"list")
        assert store.last_list() == (1, b"list")
        assert other.submit(store.last_list).result(20) is None
    assert store.last_list() == (1, b"list")
