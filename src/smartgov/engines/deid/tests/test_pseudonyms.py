"""Pseudonyms: stable inside a project, unrelated between projects, back only with the keys."""

from __future__ import annotations

import base64
import hmac
import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid import keyring, pseudonyms
from smartgov.engines.deid.keyring import Key, KeyRing
from smartgov.shared.problems import Problem

IDS = pa.array(["A100000001", "B200000002", "A100000001", "C100000003"])


def ring(project: str = "births", *masters: bytes) -> KeyRing:
    masters = masters or (os.urandom(32),)
    last = len(masters) - 1
    return KeyRing(
        project,
        tuple(
            Key(f"key{'abcd'[n] * 3}", "2026-11-01", "active" if n == last else "retired", master)
            for n, master in enumerate(masters)
        ),
    )


def refused(slug: str, call: object, *arguments: object, **named: object) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    assert caught.value.slug == slug
    assert caught.value.why.en
    assert caught.value.why.zh
    assert "A100000001" not in str(caught.value.as_dict("en"))
    return caught.value


def test_the_same_person_gets_the_same_pseudonym_and_nobody_elses() -> None:
    made = pseudonyms.pseudonyms(IDS, ring(), "national-id").to_pylist()
    assert made[0] == made[2]
    assert len(set(made)) == 3
    assert all(len(value) == pseudonyms.LENGTH and value.startswith("keyaaa.") for value in made)


def test_the_letters_are_the_hmac_in_base32() -> None:
    keys = ring()
    digest = hmac.digest(keys.derive("pseudonym", "national-id"), b"A100000001", sha256)
    letters = base64.b32encode(digest[:20]).decode().lower()
    assert pseudonyms.pseudonyms(IDS, keys, "national-id")[0].as_py() == "keyaaa." + letters


def test_projects_domains_keys_and_uses_are_unrelated() -> None:
    master = os.urandom(32)
    made = {
        pseudonyms.pseudonyms(IDS, ring("births", master), "national-id")[0].as_py()[7:],
        pseudonyms.pseudonyms(IDS, ring("deaths", master), "national-id")[0].as_py()[7:],
        pseudonyms.pseudonyms(IDS, ring("births", master), "plate")[0].as_py()[7:],
        pseudonyms.pseudonyms(IDS, ring("births", b"x" * 32, master), "national-id")[0].as_py()[7:],
        pseudonyms.pseudonyms(IDS, ring("births"), "national-id")[0].as_py()[7:],
    }
    assert len(made) == 5
    keys = ring("births", master)
    assert keys.derive("pseudonym", "x") != keys.derive("date-shift", "x")
    assert keys.derive("a", "bc") != keys.derive("ab", "c")


def test_two_projects_made_alike_share_no_pseudonym(tmp_path: Path) -> None:
    one, two = (keyring.create(tmp_path / name / "keys", "births") for name in ("one", "two"))
    first, second = (set(pseudonyms.pseudonyms(IDS, keys, "id").to_pylist()) for keys in (one, two))
    assert not first & second


@given(st.lists(st.text("ABC台灣123", min_size=1), min_size=1, max_size=20))
def test_values_differ_exactly_when_pseudonyms_differ(values: list[str]) -> None:
    made = pseudonyms.pseudonyms(pa.array(values), ring(), "name").to_pylist()
    assert len(set(made)) == len(set(values))
    assert [made.index(value) for value in made] == [values.index(value) for value in values]


def test_numbers_text_chunks_and_dictionaries_agree() -> None:
    keys = ring()
    text = pseudonyms.pseudonyms(pa.array(["17", "4"]), keys, "case").to_pylist()
    assert pseudonyms.pseudonyms(pa.array([17, 4]), keys, "case").to_pylist() == text
    assert pseudonyms.pseudonyms(pa.chunked_array([["17"], ["4"]]), keys, "case").to_pylist() == text
    assert pseudonyms.pseudonyms(pa.array(["17", "4"]).dictionary_encode(), keys, "case").to_pylist() == text
    assert pseudonyms.pseudonyms(pa.array([], pa.string()), keys, "case").to_pylist() == []


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["A100000001", None]),
        pa.array(["A100000001", ""]),
        pa.array(["A100000001", "A100000001 "]),
        pa.array(["A100000001", "e\u0301"]),
        pa.array([1.0, 2.0]),
    ],
    ids=["null", "empty", "spaces", "two spellings", "floats"],
)
def test_what_could_split_a_person_is_refused(values: pa.Array) -> None:
    problem = refused("pseudonym-refused", pseudonyms.pseudonyms, values, ring(), "national-id")
    assert problem.extra.get("row", 2) == 2


def test_rotation_keeps_old_pseudonyms_resolvable_for_the_key_holder_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    before = keyring.create(path, "births")
    old = pseudonyms.pseudonyms(IDS, before, "id").to_pylist()
    after = keyring.rotate(path)
    new = pseudonyms.pseudonyms(IDS, after, "id").to_pylist()
    assert not set(old) & set(new)
    found = pseudonyms.resolve([old[0], new[1]], IDS, keyring.load(path, "births"), "id")
    assert found == {old[0]: "A100000001", new[1]: "B200000002"}
    assert pseudonyms.resolve([old[0]], IDS, after, "other-domain") == {}
    stranger = keyring.create(tmp_path / "stranger", "births")
    refused("key-unknown", pseudonyms.resolve, [old[0]], IDS, stranger, "id")
    table = pseudonyms.bridge(IDS, after, "id", before.active.id).to_pydict()
    assert dict(zip(old, new, strict=True)) == dict(zip(table["before"], table["after"], strict=True))


def test_a_destroyed_key_resolves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ring = keyring.create(path, "births")
    old = pseudonyms.pseudonyms(IDS, ring, "id").to_pylist()
    refused("keys-unusable", keyring.destroy, path, ring.active.id)
    keyring.rotate(path)
    keyring.destroy(path, ring.active.id)
    loaded = keyring.load(path)
    assert [key.state for key in loaded.keys] == ["destroyed", "active"]
    refused("key-destroyed", pseudonyms.resolve, old, IDS, loaded, "id")
    assert not any(form in path.read_bytes() for form in (base64.b64encode(ring.active.master or b""),))


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "k" / "keys"
    ring = keyring.create(path, "births")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keyring.rotate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert repr(ring.active.master) not in repr(ring)
    refused("keys-exist", keyring.create, path, "births")
    refused("keys-unusable", keyring.load, path, "deaths")
    path.chmod(0o640)
    refused("keys-unusable", keyring.load, path)
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    refused("keys-unusable", keyring.load, tmp_path / "link")
    refused("keys-unusable", keyring.load, tmp_path / "absent")
    refused("keys-unusable", keyring.create, tmp_path / "odd", "Births 2026")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"project": "No Name"},
        {"project": 7},
        {"keys": []},
        {"keys": [{"id": "abc", "created": "", "state": "active", "master": "AA=="}]},
        {"keys": [{"id": "aaaaaa", "created": "", "state": "active", "master": None}]},
        {"keys": None},
        {"more": 1},
    ],
)
def test_a_broken_key_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "keys"
    keyring.create(path, "births")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    refused("keys-unusable", keyring.load, path)


def test_keys_stay_out_of_releases(tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys", "births")
    release = tmp_path / "release"
    release.mkdir()
    keyring.refuse_beside(tmp_path / "keys", release)
    refused("keys-in-release", keyring.refuse_beside, release / "under" / "keys", release)
    assert keyring.found_in(ring, release) == []
    assert ring.active.master
    for name, content in (("raw", ring.active.master), ("hex", ring.active.master.hex().encode())):
        (release / name).write_bytes(b"before " + content)
    (release / "copy.json").write_bytes((tmp_path / "keys").read_bytes())
    assert [path.name for path in keyring.found_in(ring, release)] == ["copy.json", "hex", "raw"]
