"""The trail names fields in words."""

from __future__ import annotations

from smartgov.blocks.mydata import registers
from smartgov.shared.text import Text


def test_what_a_case_file_holds_is_named_in_words() -> None:
    assert registers.case_title("given_name").zh == "寶寶的名字"
    assert registers.case_title("birth_date").en == "Child's date of birth"
    assert registers.case_title("unheard_of") == Text.of("unheard_of")
