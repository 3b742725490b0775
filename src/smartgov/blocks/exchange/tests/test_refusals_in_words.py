"""What a form refuses is said in the reader's language, at its field."""

from __future__ import annotations

import pytest

from smartgov.blocks.exchange import domain, refusals
from smartgov.blocks.exchange.registry import SERVICE
from smartgov.shared.problems import Problem


@pytest.mark.parametrize(
    "name", ["", "TW/GOV/ris/household/a b", "TW/GOV/ris/household/" + "x" * 80, "TW/GOV/ris/a/b/c"]
)
def test_a_name_that_cannot_be_used_is_said_in_both_languages(name: str) -> None:
    with pytest.raises(Problem, match="registration-invalid") as caught:
        domain.check_name(name, 5, SERVICE)
    assert "parts of letters" in caught.value.why.en
    assert "英文字母" in caught.value.why.zh
    assert caught.value.extra["field"] == "code"


def test_one_rule_is_one_rule() -> None:
    assert "1 rule that" in refusals.document_refused([{"severity": "error"}]).why.en
    assert "2 rules that" in refusals.document_refused([{"severity": "error"}] * 2).why.en
