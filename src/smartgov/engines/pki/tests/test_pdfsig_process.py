import shutil
import subprocess

import pytest

from .test_pades import agency, authority, plain, seal  # noqa: F401 - fixtures


@pytest.mark.process
@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="NOT RUN: poppler-utils is absent")
def test_another_reader_finds_the_seal_valid(plain, authority, agency, tmp_path):  # noqa: F811
    path = tmp_path / "sealed.pdf"
    path.write_bytes(seal(plain, authority, agency))
    said = subprocess.run(
        ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False, timeout=60
    ).stdout
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "Not total document signed" not in said
