"""The register of the OpenID Foundation's modules: each has a test that exists, mostly by its name, or a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.architecture.test_asvs import ROOT, names_in

REGISTER: dict[str, Any] = yaml.safe_load((ROOT / "docs/security/openid-conformance.yaml").read_text())
# How many modules each plan of the suite has.
SIZES = {
    "fapi2-security-profile-final-test-plan": 62,
    "oidcc-rp-initiated-logout-certification-test-plan": 11,
    "oidcc-backchannel-rp-initiated-logout-certification-test-plan": 2,
    "fapi-ciba-id1-test-plan": 66,
}


def test_no_module_is_left_out() -> None:
    assert {plan: len(modules) for plan, modules in REGISTER["plans"].items()} == SIZES


@pytest.mark.parametrize("plan", SIZES)
def test_each_module_has_a_test_or_a_reason(plan: str) -> None:
    for module, row in REGISTER["plans"][plan].items():
        for short in row.get("in", ()):
            name = f"test_{module.lower().replace('-', '_')}"
            assert name in names_in(ROOT / REGISTER["files"][short]), name
        for named in row.get("tests", ()):
            _must_exist(named)
        assert row.get("in") or row.get("tests") or row["reason"] in REGISTER["reasons"], module


def test_tests_that_a_reason_names_exist() -> None:
    for reason in REGISTER["reasons"].values():
        for named in re.findall(r"\w+::test_\w+", reason):
            _must_exist(named)


def _must_exist(named: str) -> None:
    short, _, function = named.partition("::")
    assert function in names_in(ROOT / REGISTER["files"][short]), named
