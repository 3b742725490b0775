"""Keys in SoftHSM2: signing, outage and return."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from smartgov.engines.pki import keys
from smartgov.engines.pki.token import Location, TokenKey
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.process
LIBRARIES = [Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tokens with one named gw; SoftHSM reads its configuration once a process."""
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTHSM2_CONF", str(conf))
    init = ["softhsm2-util", "--init-token", "--free", "--label", "gw", "--pin", "2468", "--so-pin", "1357"]
    subprocess.run(init, check=True, capture_output=True)
    (folder / "pin").write_text("2468\n")
    return folder


@pytest.fixture
def location(tokens: Path, request: pytest.FixtureRequest) -> Location:
    library = next((path for path in LIBRARIES if path.exists()), None)
    assert library, "softhsm2 is not installed (bash scripts/system.sh hsm)"
    return Location(str(library), "gw", request.node.name, tokens / "pin")


def test_a_key_in_a_token_signs_like_one_in_a_file(location: Location, tmp_path: Path) -> None:
    made = TokenKey.generate(location)
    uri = f"pkcs11:token=gw;object={location.label}?module-path={location.module}&pin-source=file:{location.pin_file}"
    keys.write_secret(tmp_path / "message.key", uri.encode())
    key = keys.load_p256(tmp_path / "message.key")
    assert keys.thumbprint(key.public_key()) == keys.thumbprint(made.public_key())
    signature = keys.sign(key, b"a message")
    assert keys.verify(key.public_key(), signature, b"a message")
    assert not keys.verify(key.public_key(), signature, b"another")
    with pytest.raises(UnsupportedAlgorithm):
        keys.save_private(tmp_path / "copy.key", key)
    with pytest.raises(FileExistsError):
        TokenKey.generate(location)


def test_after_an_outage_signing_resumes_without_a_restart(location: Location, tokens: Path) -> None:
    key = TokenKey.generate(location)
    shutil.move(tokens / "tokens", tokens / "away")
    with pytest.raises(Problem) as caught:
        keys.sign(key, b"a message")
    assert caught.value.slug == "key-away"
    shutil.move(tokens / "away", tokens / "tokens")
    assert keys.verify(key.public_key(), keys.sign(key, b"a message"), b"a message")


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:token=gw;object=m?module-path=/x.so&pin-value=2468",
        "pkcs11:token=gw?module-path=/x.so&pin-source=file:/pin",
        "pkcs11:token=gw;object=m?pin-source=file:/pin",
    ],
)
def test_an_incomplete_or_careless_uri_is_refused(uri: str, tmp_path: Path) -> None:
    keys.write_secret(tmp_path / "k.key", uri.encode())
    with pytest.raises(Problem) as caught:
        keys.load_private(tmp_path / "k.key")
    assert caught.value.slug == "key-unusable"
