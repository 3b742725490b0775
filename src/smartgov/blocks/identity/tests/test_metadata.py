"""Security keys at the highest level: which attestations are believed, which files, and what becomes of a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from smartgov.blocks.identity.models import Passkey
from smartgov.blocks.identity.people import metadata
from smartgov.blocks.identity.tests.authenticator import Authenticator
from smartgov.blocks.identity.tests.factories import signed_in_citizen
from smartgov.blocks.identity.tests.makers import Maker, SecurityKey, Service
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.shared import clock

pytestmark = pytest.mark.django_db
MAKER, SERVICE = Maker(), Service()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(metadata, "_folder", lambda: tmp_path / "fido")
    yield tmp_path / "fido"
    metadata._loaded.cache_clear()


def listed(*statuses: str, **entry: Any) -> None:
    """Put a file into use that lists the model."""
    metadata.take(SERVICE.blob(MAKER.entry(*statuses, **entry)), SERVICE.root_der)


def register(device: Authenticator, browser: Client | None = None) -> Any:
    browser = browser or signed_in_citizen()
    address = "/identity/account/passkeys/new"
    options = browser.post(f"{address}/options?kind=security-key").json()
    assert options["attestation"] == "direct"
    return browser.post(f"{address}/register", json.dumps(device.create(options)), content_type="application/json")


def use(device: Authenticator) -> tuple[Client, Any]:
    browser = Client()
    options = browser.post("/identity/passkey/options").json()
    body = json.dumps(device.get(options))
    return browser, browser.post("/identity/passkey/sign-in", body, content_type="application/json")


def test_an_attested_key_reaches_the_highest_level() -> None:
    listed("FIDO_CERTIFIED_L1")
    device = SecurityKey(settings.ORIGIN, MAKER)
    owner = signed_in_citizen()
    assert register(device, owner).status_code == 200
    assert Passkey.objects.get().attested
    assert "Test Key 1" in owner.get("/identity/account").content.decode()
    browser, answer = use(device)
    assert answer.status_code == 200
    assert browser.session["smartgov"]["method"] == "fidokey"
    got = Shop().sign_in(browser, acr_values="urn:smartgov:acr:aal3")
    assert (got.claims["acr"], got.claims["amr"]) == ("urn:smartgov:acr:aal3", ["hwk", "user", "mfa"])
    assert Shop().sign_in(browser, acr_values="phrh").claims["acr"] == "phrh"


def test_a_party_that_asks_for_it_leads_to_the_security_key() -> None:
    listed("FIDO_CERTIFIED_L1")
    page, _ = Shop().visit(signed_in_citizen(), acr_values="urn:smartgov:acr:aal3")
    assert "實體安全金鑰" in page.content.decode()


def test_ordinary_passkeys_are_not_asked_for_an_attestation() -> None:
    options = signed_in_citizen().post("/identity/account/passkeys/new/options").json()
    assert options["attestation"] == "none"


@pytest.mark.parametrize(
    "case",
    ["no file", "another maker's root", "software", "not certified", "self-asserted", "may be copied", "no status"],
)
def test_a_key_that_nobody_vouches_for_is_an_ordinary_passkey(case: str) -> None:
    if case == "another maker's root":
        listed("FIDO_CERTIFIED_L1", roots=[Maker().root.public_bytes(Encoding.DER)])
    elif case == "software":
        listed("FIDO_CERTIFIED_L1", protection="software")
    elif case in ("not certified", "self-asserted"):
        listed({"not certified": "NOT_FIDO_CERTIFIED", "self-asserted": "SELF_ASSERTION_SUBMITTED"}[case])
    elif case == "no status":
        listed()
    elif case == "may be copied":
        listed("FIDO_CERTIFIED_L1")
    device = SecurityKey(settings.ORIGIN, MAKER, backed_up=case == "may be copied")
    assert register(device).status_code == 200
    assert not Passkey.objects.get().attested
    browser, _ = use(device)
    assert browser.session["smartgov"]["method"] == "passkey"
    assert browser.session["smartgov"]["assurance"] == 2


def test_an_attestation_of_another_key_is_not_believed() -> None:
    listed("FIDO_CERTIFIED_L1")
    device = SecurityKey(settings.ORIGIN, MAKER)
    device.maker = Maker()
    device.maker.aaguid = MAKER.aaguid
    register(device)
    assert not Passkey.objects.filter(attested=True).exists()


def test_without_an_attestation_a_claimed_model_is_worth_nothing() -> None:
    listed("FIDO_CERTIFIED_L1")
    assert register(Authenticator(settings.ORIGIN)).status_code == 200
    assert not Passkey.objects.get().attested


@pytest.mark.parametrize("status", ["REVOKED", "USER_KEY_REMOTE_COMPROMISE", "USER_VERIFICATION_BYPASS"])
def test_a_broken_model_opens_nothing_any_more(status: str) -> None:
    listed("FIDO_CERTIFIED_L1")
    device = SecurityKey(settings.ORIGIN, MAKER)
    register(device)
    metadata.take(SERVICE.blob(MAKER.entry("FIDO_CERTIFIED_L1", status), number=2), SERVICE.root_der)
    browser, answer = use(device)
    assert answer.status_code == 403
    assert browser.get("/identity/account").status_code == 302
    assert register(SecurityKey(settings.ORIGIN, MAKER)).status_code == 403


@pytest.mark.parametrize("status", ["ATTESTATION_KEY_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE"])
def test_a_weakened_model_falls_below_the_highest_level(status: str) -> None:
    listed("FIDO_CERTIFIED_L1")
    device = SecurityKey(settings.ORIGIN, MAKER)
    register(device)
    metadata.take(SERVICE.blob(MAKER.entry("FIDO_CERTIFIED_L1", status), number=2), SERVICE.root_der)
    browser, answer = use(device)
    assert answer.status_code == 200
    assert browser.session["smartgov"]["assurance"] == 2


def test_files_that_are_not_believed() -> None:
    good = SERVICE.blob(MAKER.entry("FIDO_CERTIFIED_L1"))
    head, body, signature = good.split(b".")
    for blob, root, why in (
        (good, Service().root_der, "signature"),
        (b".".join((head, body[:-8] + b"AAAAAAAA", signature)), SERVICE.root_der, "signature"),
        (b"nonsense", SERVICE.root_der, "form"),
        (b"", SERVICE.root_der, "form"),
    ):
        with pytest.raises(metadata.MetadataRefusedError, match=why):
            metadata.take(blob, root)
    other, old = Service(host="evil.test"), Service(days=-1)
    with pytest.raises(metadata.MetadataRefusedError, match="signer"):
        metadata.take(other.blob(), other.root_der)
    with pytest.raises(metadata.MetadataRefusedError, match="force"):
        metadata.take(old.blob(), old.root_der)
    assert not metadata.is_there()


def test_numbers_go_up() -> None:
    metadata.take(SERVICE.blob(number=7), SERVICE.root_der)
    with pytest.raises(metadata.MetadataRefusedError, match="below"):
        metadata.take(SERVICE.blob(number=6), SERVICE.root_der)
    assert metadata.take(SERVICE.blob(number=6), SERVICE.root_der, older=True).number == 6
    assert not metadata.is_overdue()
    with clock.travelling(delta=timedelta(days=29)):
        assert not metadata.is_overdue()


def test_a_file_that_was_changed_on_disk_counts_for_nothing(folder: Path) -> None:
    listed("FIDO_CERTIFIED_L1")
    assert metadata.standing(str(MAKER.aaguid)) == "good"
    (folder / "blob.jwt").write_bytes(Service().blob(MAKER.entry("FIDO_CERTIFIED_L1"), number=9))
    metadata._loaded.cache_clear()
    assert metadata.standing(str(MAKER.aaguid)) == "unknown"
    assert not metadata.is_there()


def test_the_command_takes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blob, root = tmp_path / "blob.jwt", tmp_path / "root.pem"
    blob.write_bytes(SERVICE.blob(MAKER.entry("FIDO_CERTIFIED_L1"), number=3))
    root.write_bytes(SERVICE.root.public_bytes(Encoding.PEM))
    call_command("fido_metadata", str(blob), root=root)
    assert "Number 3 with 1 models" in capsys.readouterr().out
    root.write_bytes(Service().root_der)
    with pytest.raises(CommandError, match="not believed"):
        call_command("fido_metadata", str(blob), root=root)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("fido_metadata", str(tmp_path / "none"), root=root)


def test_a_copied_key_is_stopped_and_its_owner_is_told() -> None:
    from smartgov.blocks.ops.models import Event

    device = SecurityKey(settings.ORIGIN, MAKER)
    register(device)
    device.count = 40
    assert use(device)[1].status_code == 200
    device.count = 3
    browser, answer = use(device)
    assert answer.status_code == 403
    device.count = 99
    assert use(device)[1].status_code == 403, "neither copy nor original opens anything now"
    assert browser.get("/identity/account").status_code == 302
    assert Event.objects.filter(name="account_touched", payload__what="key_copied").count() == 1
