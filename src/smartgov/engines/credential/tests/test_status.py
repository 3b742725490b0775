"""The status list: size, places, and what is refused."""

import random
import zlib
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.credential import status, tokens
from smartgov.engines.credential.status import Status, StatusList
from smartgov.engines.pki import keys
from smartgov.shared import clock

KEY = keys.generate_p256()
URI = "https://x.example/lists/1"


def signed(one, uri=URI):
    return status.token(one, uri=uri, sign=tokens.signer(KEY), x5c=[], issued_at=clock.now(), life=3600, ttl=900)


def read(text, **more):
    settings = {"uri": URI, "key": KEY.public_key(), "now": clock.now()}
    return status.read(text, **{**settings, **more})


def test_a_million_credentials_with_one_in_a_hundred_revoked_fit_into_20_kilobytes():
    one, seed = StatusList(1_000_000), random.Random(1)
    revoked = seed.sample(range(1_000_000), 10_000)
    for index in revoked:
        one[index] = Status.REVOKED
    assert len(one.compressed()) < 20_000
    again = read(signed(one))
    assert all(again[index] == Status.REVOKED for index in revoked)
    assert sum(again[index] for index in range(1_000_000)) == 10_000


@given(st.dictionaries(st.integers(0, 999), st.sampled_from(list(Status)), max_size=50))
def test_what_is_set_is_read(marks):
    one = StatusList(1000)
    for index, value in marks.items():
        one[index] = value
    again = StatusList.of(one.compressed())
    assert [again[index] for index in range(1000)] == [marks.get(index, 0) for index in range(1000)]


@given(st.integers(1, 3000), st.binary(min_size=32, max_size=32))
def test_places_are_a_permutation(size, key):
    assert sorted(status.place(number, key, size) for number in range(size)) == list(range(size))
    with pytest.raises(IndexError):
        status.place(size, key, size)


def test_neighbours_in_time_are_no_neighbours_in_the_list():
    places = [status.place(number, b"k" * 32, 1_000_000) for number in range(1000)]
    near = sum(abs(one - other) < 1000 for one, other in pairwise(places))
    assert near < 20
    assert places != [status.place(number, b"j" * 32, 1_000_000) for number in range(1000)]


def test_another_list_an_old_one_and_a_bomb_are_refused():
    one = StatusList(100)
    with pytest.raises(tokens.TokenError, match="another list"):
        read(signed(one, "https://x.example/lists/2"))
    with pytest.raises(tokens.TokenError, match="expired"):
        read(signed(one), now=clock.now() + timedelta(hours=2))
    with pytest.raises(tokens.TokenError, match="signature"):
        read(signed(one), key=keys.generate_p256().public_key())
    bomb = zlib.compress(bytes(70 * 2**20), 9)
    for wrong in (b"", b"nonsense", one.compressed()[:-4], bomb):
        with pytest.raises(ValueError, match="status list"):
            StatusList.of(wrong)
    with pytest.raises(IndexError):
        one[100]
