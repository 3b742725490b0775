"""Bundles of real exchanges, and the two verifiers that must say the same about every way of tampering with them."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import checkpoint, cosign, merkle
from smartgov.engines.troad import home as homes
from smartgov.engines.troad import verification, verify_evidence
from smartgov.engines.troad.tests.country import Country, ask_births, problem_type
from smartgov.engines.troad.tests.stamped import anchors, evidence, stamp, stamped_country
from smartgov.engines.troad.verification import Verdict
from smartgov.shared import canonical

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
BIRTHS_SYSTEM = "TW/GOV/hpa/births"


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    enable_socket()
    with stamped_country(tmp_path_factory.mktemp("evidence")) as running:
        ask_births(running.sdk())
        for code in ("ris", "hpa"):
            stamp(running, code)
        yield running


@pytest.fixture(scope="module")
def trusted(country: Country, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return anchors(country, tmp_path_factory.mktemp("anchors"))


@pytest.fixture(scope="module")
def sound(country: Country) -> dict[str, Any]:
    """A stamped bundle of the asking side, with an earlier head before it."""
    exchange = ask_births(country.sdk()).exchange_id
    stamp(country, "ris")
    bundle: dict[str, Any] = evidence(country, exchange)
    return bundle


def both(bundle: Any, trusted: Path) -> tuple[Verdict, tuple[str, ...]]:
    """The one answer of both verifiers."""
    found = verification.verify(bundle, trusted)
    word, reasons = verify_evidence.verify(bundle, trusted)
    assert (verify_evidence.STATUS[word], tuple(reasons)) == (found.verdict, found.reasons)
    return found.verdict, found.reasons


def test_a_bundle_of_either_side_is_valid_and_complete(country: Country, trusted: Path) -> None:
    exchange = ask_births(country.sdk()).exchange_id
    for code, system in (("ris", "TW/GOV/ris/cases"), ("hpa", BIRTHS_SYSTEM)):
        stamp(country, code)
        bundle = evidence(country, exchange, system)
        assert both(bundle, trusted) == (Verdict.VALID, ())
        kinds = [json.loads(base64.b64decode(entry["record"]))["kind"] for entry in bundle["entries"]]
        assert kinds == ["request", "answer"]
        assert "臺大醫院" in base64.b64decode(bundle["entries"][1]["body"]).decode()


def test_the_file_alone_checks_a_bundle_without_this_package(sound: dict[str, Any], trusted: Path) -> None:
    (trusted / "bundle.json").write_text(json.dumps(sound))
    script = trusted / "verify.py"
    script.write_bytes(Path(verify_evidence.__file__).read_bytes())
    command = [sys.executable, "-I", script, trusted / "bundle.json", "--anchors", trusted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert (done.returncode, done.stdout) == (0, f"valid\n{verify_evidence.MEANS['valid']}\n")
    (trusted / "bundle.json").write_text(json.dumps({**sound, "exchange": "another-exchange"}))
    assert subprocess.run(command, capture_output=True, timeout=60, check=False, cwd="/").returncode == 1
    (trusted / "bundle.json").write_text("nonsense")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert (done.returncode, done.stdout) == (1, f"invalid form\n{verify_evidence.MEANS['invalid']}\n")
    lost = [*command[:-1], trusted / "nowhere"]
    done = subprocess.run(lost, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert done.returncode == 2
    assert "there is no" in done.stderr


Change = Callable[[dict[str, Any]], Any]


def altered(entry: dict[str, Any], **changes: Any) -> None:
    record = json.loads(base64.b64decode(entry["record"]))
    entry["record"] = base64.b64encode(canonical.dumps({**record, **changes})).decode()


def flipped(text: str, at: int = 5) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def swap(bundle: dict[str, Any]) -> None:
    bundle["entries"].reverse()


def renumber(bundle: dict[str, Any]) -> None:
    one, two = bundle["entries"]
    one["index"], two["index"] = two["index"], one["index"]


TAMPERING: dict[str, tuple[Change, str]] = {
    "a record altered": (lambda b: altered(b["entries"][0], purpose="curiosity"), "inclusion"),
    "a record back-dated": (lambda b: altered(b["entries"][0], time="2020-01-01T00:00:00Z"), "inclusion"),
    "a record deleted from the log": (lambda b: b["entries"][0].update(record=""), "inclusion"),
    "records reordered": (swap, "order"),
    "indexes exchanged": (renumber, "inclusion"),
    "a record twice": (lambda b: b["entries"].append(copy.deepcopy(b["entries"][0])), "order"),
    "no record": (lambda b: b["entries"].clear(), "order"),
    "a proof altered": (lambda b: b["entries"][0]["proof"].__setitem__(0, "00" * 32), "inclusion"),
    "a proof shortened": (lambda b: b["entries"][0]["proof"].pop(), "inclusion"),
    "the size of the tree altered": (lambda b: b.update(head=b["head"].replace("\n", "\n1", 1)), "head"),
    "a head without signature": (lambda b: b.update(head=b["head"].partition("\n\n")[0] + "\n\n"), "head"),
    "another member's name": (lambda b: b.update(gateway="TW/GOV/hpa/gw1"), "head"),
    "an unknown gateway": (lambda b: b.update(gateway="TW/GOV/no/gw1"), "form"),
    "a body altered": (lambda b: b["entries"][1].update(body="eyJ4IjoxfQ=="), "body"),
    "a salt altered": (lambda b: b["entries"][1].update(salt=flipped(b["entries"][1]["salt"])), "body"),
    "a signature base altered": (lambda b: b["entries"][0].update(base=flipped(b["entries"][0]["base"])), "base"),
    "the configuration altered": (
        lambda b: b["configuration"]["files"].update(
            {"timestamp.json": b["configuration"]["files"]["timestamp.json"].replace('"version":1', '"version":2')}
        ),
        "configuration",
    ),
    "a configuration file missing": (lambda b: b["configuration"]["files"].pop("timestamp.json"), "configuration"),
    "the stamp damaged": (lambda b: b.update(stamp=flipped(b["stamp"], 60)), "stamp"),
    "the earlier head does not lead here": (lambda b: b["before"].update(consistency=[]), "before"),
    "another kind of file": (lambda b: b.update(type="something-else"), "form"),
    "no form at all": (lambda b: b.clear(), "form"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_both_verifiers_see_the_tampering(name: str, sound: dict[str, Any], trusted: Path) -> None:
    bundle, (change, reason) = copy.deepcopy(sound), TAMPERING[name]
    assert both(bundle, trusted) == (Verdict.VALID, ())
    change(bundle)
    verdict, reasons = both(bundle, trusted)
    assert (verdict, reasons) == (Verdict.INVALID, (reason,))


def test_the_stamp_of_another_head_is_none_of_this(country: Country, sound: dict[str, Any], trusted: Path) -> None:
    with country.gateways["ris"].core.store.reading() as (db, _):
        (other,) = db.execute("SELECT token FROM stamp ORDER BY size LIMIT 1").fetchone()
    wrong = {**sound, "stamp": base64.b64encode(other).decode()}
    assert wrong["stamp"] != sound["stamp"]
    assert both(wrong, trusted) == (Verdict.INVALID, ("stamp",))


def test_without_a_stamp_or_its_authority_the_time_is_unproven(
    sound: dict[str, Any], country: Country, tmp_path: Path
) -> None:
    trusted = anchors(country, tmp_path)
    assert both({**sound, "stamp": None}, trusted) == (Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
    (trusted / "tsa.pem").unlink()
    assert both(sound, trusted) == (Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))


def test_another_authority_or_another_country_is_not_trusted(
    sound: dict[str, Any], country: Country, tmp_path: Path
) -> None:
    from smartgov.engines.trust import Centre
    from smartgov.shared import clock
    from smartgov.simulators.timestamp.authority import Authority

    trusted = anchors(country, tmp_path / "a")
    (tmp_path / "tsa").mkdir()
    (trusted / "tsa.pem").write_bytes((Authority(tmp_path / "tsa").home / "root.pem").read_bytes())
    assert both(sound, trusted) == (Verdict.INVALID, ("stamp",))
    trusted = anchors(country, tmp_path / "b")
    (trusted / "root.json").write_bytes(Centre.create(tmp_path / "other", clock.now()).anchor)
    assert both(sound, trusted) == (Verdict.INVALID, ("configuration",))


def test_every_file_of_the_configuration_is_held_to_what_was_signed(sound: dict[str, Any], trusted: Path) -> None:
    files = sound["configuration"]["files"]
    kinds = {name.split(".")[-2].rpartition("/")[2] for name in files}
    assert kinds == {
        "root",
        "timestamp",
        "snapshot",
        "targets",
        "country",
        "member~TW~GOV~ris",
        "member~TW~GOV~hpa",
        "member~TW~GOV~portal",
    } | {
        "ris",
        "hpa",
        "portal",
    }, "the parties, and who co-signed the head"
    for name, text in files.items():
        content = json.loads(text)
        content.get("signed", content)["further"] = "1"
        changed = copy.deepcopy(sound)
        changed["configuration"]["files"][name] = json.dumps(content)
        assert both(changed, trusted) == (Verdict.INVALID, ("configuration",)), name


@pytest.mark.parametrize("name", ["member~TW~GOV~hpa.json", "1.member~TW~GOV~hpa.json", "0.root.json", "01.root.json"])
def test_a_configuration_holds_nothing_that_nobody_reads(name: str, sound: dict[str, Any], trusted: Path) -> None:
    changed = copy.deepcopy(sound)
    changed["configuration"]["files"][name] = changed["configuration"]["files"]["1.root.json"]
    assert both(changed, trusted) == (Verdict.INVALID, ("configuration",))


def test_a_head_that_too_few_have_seen_is_of_unknown_status(sound: dict[str, Any], trusted: Path) -> None:
    lines = sound["head"].splitlines(keepends=True)
    alone = "".join(line for line in lines if not line.startswith("— ") or line.startswith("— TW/GOV/ris/"))
    assert both({**sound, "head": alone}, trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))
    repeated = alone + lines[-1] * 2
    assert both({**sound, "head": repeated}, trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))


class Forger:
    """The owner of a gateway, with all its keys, who writes a log of his own."""

    def __init__(self, country: Country, bundle: dict[str, Any]) -> None:
        self.home = homes.load(country.folder / "ris")
        self.bundle = copy.deepcopy(bundle)
        self.records = [base64.b64decode(entry["record"]) for entry in self.bundle["entries"]]

    def rebuilt(self, *records: bytes, size: int | None = None, before: bool = False) -> dict[str, Any]:
        """The bundle over a new log with these records, signed with the gateway's own key and co-signed by nobody."""
        exact = list(records or self.records)
        leaves = [merkle.leaf_hash(record) for record in exact]
        head = checkpoint.Checkpoint(self.home.gateway, len(leaves), merkle.root(leaves))
        self.bundle |= {"head": checkpoint.sign(head, self.home.log_key()), "stamp": None, "over": None}
        if not before:
            self.bundle["before"] = None
        for index, (entry, record) in enumerate(zip(self.bundle["entries"], exact, strict=True)):
            proof = merkle.inclusion_proof(index, len(leaves), merkle.over(leaves))
            entry |= {
                "index": index,
                "record": base64.b64encode(record).decode(),
                "proof": [part.hex() for part in proof],
            }
        return self.bundle

    def cosigned(self, country: Country, time: int) -> dict[str, Any]:
        """With the co-signatures of witnesses that were deceived, or deceive."""
        for code in ("hpa", "portal"):
            witness = homes.load(country.folder / code)
            key: Ed25519PrivateKey = witness.witness_key()
            self.bundle["head"] += cosign.cosign(self.bundle["head"], witness.gateway, key, time)
        return self.bundle


def test_a_whole_new_log_is_told_by_the_witnesses_that_are_missing(
    country: Country, sound: dict[str, Any], trusted: Path
) -> None:
    assert both(Forger(country, sound).rebuilt(), trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client": "TW/GOV/ris/household"}, "claims"),
        ({"method": "GET"}, "claims"),
        ({"path": "/births/other"}, "claims"),
        ({"body": "hmac-sha-256=:AAAA:"}, "body"),
        ({"base": "00" * 32}, "base"),
        ({"side": "provider"}, "signer"),
        ({"time": "2020-01-01T00:00:00.000Z"}, "time"),
        ({"input": "troad=()"}, "signer"),
    ],
)
def test_the_owner_cannot_record_what_was_not_signed(
    changes: dict[str, Any], reason: str, country: Country, sound: dict[str, Any], trusted: Path
) -> None:
    forger = Forger(country, sound)
    question = canonical.dumps({**json.loads(forger.records[0]), **changes})
    assert both(forger.rebuilt(question, forger.records[1]), trusted) == (Verdict.INVALID, (reason,))


def test_a_record_put_in_later_under_an_older_time_is_seen(
    country: Country, sound: dict[str, Any], trusted: Path
) -> None:
    forger = Forger(country, sound)
    forged = forger.rebuilt()
    made = int(checkpoint_time(forger.records[0]))
    forged["before"] = {
        "head": checkpoint.sign(
            checkpoint.Checkpoint(forger.home.gateway, 0, merkle.EMPTY_ROOT), forger.home.log_key()
        ),
        "stamp": None,
        "consistency": [],
    }
    for code in ("hpa", "portal"):
        witness = homes.load(country.folder / code)
        forged["before"]["head"] += cosign.cosign(
            forged["before"]["head"], witness.gateway, witness.witness_key(), made + 4000
        )
    forger.cosigned(country, made + 5000)
    assert both(forged, trusted) == (Verdict.INVALID, ("back-dated",))


def test_a_record_from_the_future_of_its_head_is_seen(country: Country, sound: dict[str, Any], trusted: Path) -> None:
    forger = Forger(country, sound)
    forger.rebuilt()
    made = int(checkpoint_time(forger.records[0]))
    assert both(forger.cosigned(country, made - 4000), trusted) == (Verdict.INVALID, ("post-dated",))


def test_a_kept_head_tells_of_a_fork_and_of_a_shorter_tree(
    country: Country, sound: dict[str, Any], tmp_path: Path
) -> None:
    trusted = anchors(country, tmp_path)
    ask_births(country.sdk())
    kept = country.run(country.gateways["ris"].core.heads.publish())
    (trusted / "heads" / "ris.note").write_text(kept)
    size = checkpoint.parse(kept).size
    made = int(checkpoint_time(base64.b64decode(sound["entries"][0]["record"])))
    assert both(sound, trusted) == (Verdict.UNKNOWN_STATUS, ("kept-head",)), "older than the kept head, not linked"
    linked = evidence(country, sound["exchange"], have=str(size))
    assert both(linked, trusted)[0] in {Verdict.VALID, Verdict.VALID_UNTIMESTAMPED}
    forger = Forger(country, sound)
    forger.rebuilt()
    shorter = forger.cosigned(country, made + 100_000)
    assert both(shorter, trusted) == (Verdict.INVALID, ("shorter",))
    forked = Forger(country, linked)
    fork = forked.rebuilt() | {"have": [{"size": size, "consistency": []}]}
    assert both(fork, trusted) == (Verdict.INVALID, ("forked",))


def test_only_those_who_took_part_and_auditors_get_it_and_that_is_noted(
    country: Country, sound: dict[str, Any]
) -> None:
    exchange = sound["exchange"]
    secret = homes.secret(country.folder / "ris", "household")
    url = f"{country.url('ris')}/evidence/"
    refused = sync.request("GET", url + exchange, {"authorization": f"Bearer {secret}"})
    assert problem_type(refused) == "not-allowed-here"
    assert problem_type(sync.request("GET", url + exchange, {})) == "credentials-invalid"
    own = {"authorization": f"Bearer {homes.secret(country.folder / 'ris', 'cases')}"}
    assert problem_type(sync.request("GET", url + "no-such-exchange", own)) == "record-unknown"
    evidence(country, exchange)
    note = country.records("ris")[-1]
    assert (note["kind"], note["client"], note["request"]) == ("evidence", "TW/GOV/ris/cases", exchange)


def checkpoint_time(exact: bytes) -> float:
    from datetime import datetime

    return datetime.fromisoformat(json.loads(exact)["time"]).timestamp()
