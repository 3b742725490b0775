"""Seeded changes to sound evidence: both verifiers say the same about each, and neither that a changed one is valid."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from smartgov.engines.troad import archive_check, verification, verify_evidence
from smartgov.engines.troad.tests import made, mutations
from smartgov.engines.troad.tests.made import HPA, MEMBERS, Land, both

ROUNDS, PER_ROUND = 8, 25
_SIGNED_PARTS = ("type", "exchange", "gateway", "stamp", "head")


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Land:
    return Land(tmp_path_factory.mktemp("land"))


@pytest.fixture(scope="module")
def trusted(land: Land, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pins = {member: [(land.thumbprint(member), land.now - timedelta(days=30))] for member in MEMBERS}
    return land.anchors(tmp_path_factory.mktemp("anchors"), members=pins)


@pytest.fixture(scope="module")
def sound(land: Land, trusted: Path) -> dict[str, Any]:
    """With all that a bundle may hold: a key was changed, and the head is judged by a later configuration."""
    land.rotate(HPA)
    day = land.configuration()
    bundle = land.bundle(day, head_configuration=land.configuration(land.now))
    assert both(bundle, trusted) == ("valid", ())
    return bundle


def verdicts(evidence: Any, trusted: Path) -> str:
    """The one verdict of both; their reasons may differ where several things are wrong."""
    check = archive_check.verify if isinstance(evidence, Path) else verification.verify
    found = check(evidence, trusted)
    with patch.object(verify_evidence, "openssl", made._asked_once):
        word, reasons = verify_evidence.verify(evidence, trusted)
    assert verify_evidence.STATUS[word] == found.verdict, (word, reasons, found)
    return word


def proves_no_more(changed: Any, sound: dict[str, Any]) -> bool:
    """Whether a bundle says nothing but what the sound one says: parts may be left out, unsigned lines be others."""
    one, other = _said(changed), _said(sound)
    same = all(one[name] == other[name] for name in _SIGNED_PARTS)
    before = one["before"] in (None, other["before"])
    configurations = all(
        one[name] is None or one[name] == other[name] for name in ("configuration", "head_configuration")
    )
    return same and before and configurations and all(entry in other["entries"] for entry in one["entries"])


def _said(bundle: dict[str, Any]) -> dict[str, Any]:
    said = {name: bundle.get(name) for name in _SIGNED_PARTS} | {"head": _text(bundle["head"])}
    before = bundle.get("before")
    said["before"] = before and {"head": _text(before["head"]), "consistency": before["consistency"]}
    for name in ("configuration", "head_configuration"):
        files = (bundle.get(name) or {}).get("files")
        said[name] = files and {one: _content(text) for one, text in files.items() if not one.endswith(".root.json")}
    return said | {"entries": bundle["entries"]}


def _text(note: str) -> str:
    return note.partition("\n\n")[0]


def _content(text: str) -> Any:
    content = json.loads(text)
    return content.get("signed", content)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_say_the_same_of_every_change_and_never_valid(seed: int, sound: dict[str, Any], trusted: Path) -> None:
    draw, everywhere = random.Random(seed), list(mutations.paths(sound))
    shallow = [at for at in everywhere if "files" not in at]
    for _ in range(PER_ROUND):
        changed = mutations.change(sound, draw.choice(draw.choice((everywhere, shallow))), draw)
        if verdicts(changed, trusted) == "valid":
            assert proves_no_more(changed, sound)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_say_the_same_of_every_changed_archive(seed: int, land: Land, trusted: Path, tmp_path: Path) -> None:
    file = land.archive(tmp_path / "a.archive.jsonl.gz", land.configuration())
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    draw, everywhere = random.Random(seed), list(mutations.paths(lines))
    shallow = [at for at in everywhere if "files" not in at]
    for _ in range(5):
        changed = mutations.change(lines, draw.choice(draw.choice((everywhere, shallow))), draw)
        rows = changed if isinstance(changed, list) else [changed]
        file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
        verdicts(file, trusted)


KNOWN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a salt with zeros after it, which is the same key to HMAC": lambda b: b["entries"][0].update(
        salt=base64.b64encode(base64.b64decode(b["entries"][0]["salt"]) + b"\0").decode()
    ),
    "a byte after the stamp": lambda b: b.update(stamp=_longer(b["stamp"])),
    "base64 with stray bits": lambda b: b["entries"][0].update(salt=_stray(b["entries"][0]["salt"])),
    "hex in capitals": lambda b: b["entries"][0]["proof"].__setitem__(0, b["entries"][0]["proof"][0].upper()),
    "a member that nobody reads": lambda b: b.update(further=1),
    "a member of an entry that nobody reads": lambda b: b["entries"][0].update(further=1),
    "a member of a head that nobody reads": lambda b: b["before"].update(further=1),
    "a member of the configuration that nobody reads": lambda b: b["configuration"].update(further=1),
    "a part that is erased alone": lambda b: b["entries"][0].pop("base"),
    "a veil that nobody committed to": lambda b: b["entries"][0].update(veil="AAAA", veil_salt="AAAA"),
    "something beside the signatures": lambda b: _in_file(b, lambda one: one.update(further=1)),
    "a signature twice": lambda b: _in_file(b, lambda one: one["signatures"].append(one["signatures"][0])),
    "a signature that is no hex": lambda b: _in_file(
        b, lambda one: one["signatures"].append({"keyid": "x", "sig": "zz"})
    ),
    "a signature in capitals": lambda b: _in_file(
        b, lambda one: one["signatures"][0].update(sig=one["signatures"][0]["sig"].upper())
    ),
}


def _longer(text: str) -> str:
    return base64.b64encode(base64.b64decode(text) + b"\0").decode()


def _stray(text: str) -> str:
    return text[:-2] + chr(ord(text[-2]) + 1) + "="


def _in_file(bundle: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> None:
    files = bundle["configuration"]["files"]
    content = json.loads(files["timestamp.json"])
    change(content)
    files["timestamp.json"] = json.dumps(content)


@pytest.mark.parametrize("name", KNOWN)
def test_another_form_of_the_same_is_invalid(name: str, sound: dict[str, Any], trusted: Path) -> None:
    changed = copy.deepcopy(sound)
    KNOWN[name](changed)
    assert verdicts(changed, trusted) == "invalid"


@pytest.mark.parametrize(
    "twice",
    [
        lambda text: text.replace('"type": ', '"type": "x", "type": ', 1),
        lambda text: text.replace('"exchange": ', '"exchange": "another", "exchange": ', 1),
        lambda text: text.replace('\\"signed\\":', '\\"signed\\":{},\\"signed\\":', 1),
        lambda text: "[" * 100_000,
        lambda text: text.replace('"have": []', '"have": [NaN]'),
        lambda text: text.encode("utf-8")[:-10].decode(),
    ],
    ids=["name", "exchange", "in metadata", "deep", "no number", "cut off"],
)
def test_a_name_that_stands_twice_is_believed_in_no_file(
    twice: Callable[[str], str], sound: dict[str, Any], trusted: Path, tmp_path: Path
) -> None:
    text = json.dumps(sound)
    file = tmp_path / "bundle.json"
    file.write_text(twice(text))
    assert file.read_text() != text
    assert verification.verify_text(file.read_text(), trusted).verdict == 1
    assert verify_evidence.verify(file, trusted)[0] == "invalid"


def test_a_line_under_a_head_that_nobody_writes_so_is_passed_over(sound: dict[str, Any], trusted: Path) -> None:
    stray = sound["head"].removesuffix("==\n") + "==\n— stranger AAAAAB==\n"
    assert both({**sound, "head": stray}, trusted) == ("valid", ())
    witness = sound["head"].splitlines()[-1]
    other = witness[:-3] + chr(ord(witness[-3]) + 1) + "=="
    fewer = sound["head"].replace(witness, other)
    assert both({**sound, "head": fewer}, trusted) == ("unknown-status", ("witnesses",))


def test_an_answer_without_its_question_proves_less(sound: dict[str, Any], trusted: Path) -> None:
    question, answer = sound["entries"]
    assert both({**sound, "entries": [answer]}, trusted) == ("unknown-status", ("question",))
    assert both({**sound, "entries": [question]}, trusted) == ("valid", ())
