"""Every published rule: its good changes of the example keep it, its bad ones break it, and lines are right."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.apilint import errors, lint, read
from smartgov.engines.apilint.document import pointer_of
from smartgov.engines.apilint.personal import words_of
from smartgov.engines.apilint.rules import Rule

RULES = read()
BY_ID = {rule.id: rule for rule in RULES.rules}


def changed(change: Mapping[str, Any]) -> dict[str, Any]:
    """The example with some parts set, or taken away by null."""
    document: dict[str, Any] = copy.deepcopy(dict(RULES.example))
    for pointer, value in change.items():
        *way, last = pointer_of("#" + pointer)
        here: Any = document
        for key in way:
            here = here[int(key)] if isinstance(here, list) else here[key]
        if isinstance(here, list):
            here[int(last)] = value
        elif value is None:
            del here[last]
        else:
            here[last] = value
    return document


def broken(document: Mapping[str, Any], rule: str) -> list[str]:
    found = lint(json.dumps(document).encode(), RULES)
    return [one.note.en for one in found if one.rule == rule and one.severity == BY_ID[rule].severity]


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(rule, change, id=f"{rule.id}-{number}")
        for rule in RULES.rules
        for number, change in enumerate(getattr(rule, kind))
    ]


def test_the_example_keeps_every_rule() -> None:
    assert lint(json.dumps(RULES.example).encode(), RULES) == []


def test_every_rule_has_a_good_and_a_bad_example_and_both_languages() -> None:
    for rule in RULES.rules:
        assert rule.good, rule.id
        assert rule.bad, rule.id
        assert rule.text.en != rule.text.zh
        assert rule.todo.en != rule.todo.zh


@pytest.mark.parametrize(("rule", "change"), cases("bad"))
def test_a_bad_example_breaks_its_rule(rule: Rule, change: Mapping[str, Any]) -> None:
    assert broken(changed(change), rule.id)


@pytest.mark.parametrize(("rule", "change"), cases("good"))
def test_a_good_example_keeps_its_rule(rule: Rule, change: Mapping[str, Any]) -> None:
    assert broken(changed(change), rule.id) == []


@pytest.mark.parametrize("write", [json.dumps, lambda d: json.dumps(d, indent="\t"), yaml.safe_dump])
def test_the_line_is_that_of_the_place(write: Any) -> None:
    document = changed({"/paths/~1stations/get/parameters/0/name": "nationalId"})
    source: str = write(document)
    (found,) = [one for one in lint(source.encode(), RULES) if one.rule == "personal-in-address"]
    line = source.splitlines()[found.line - 1][found.column - 1 :]
    assert found.at == "/paths/~1stations/get/parameters/0"
    assert line.startswith(("{", "in:", "name:", "- in:", "schema"))
    assert "nationalId" in "\n".join(source.splitlines()[found.line - 1 : found.line + 4])


def test_what_is_missing_is_placed_at_what_surrounds_it() -> None:
    source = yaml.safe_dump(changed({"/info/license": None}), sort_keys=False)
    (found,) = lint(source.encode(), RULES)
    assert (found.rule, source.splitlines()[found.line - 1]) == ("license", "info:")


@pytest.mark.parametrize(
    ("source", "line"),
    [(b'{"a": 1,\n "b": }', 2), (b"a: 1\nb: [", 2), (b"a: &x 1\nb: *x", 2), (b"[1]", 1), (b"", 1), (b"a: 1\n\xff", 2)],
)
def test_what_cannot_be_read_is_one_finding_with_its_line(source: bytes, line: int) -> None:
    (found,) = lint(source, RULES)
    assert (found.rule, found.severity) == ("readable", "error")
    assert found.line in {line, line + 1}


def test_a_reason_excuses_a_name_and_stays_visible() -> None:
    place = "/paths/~1stations/get/parameters/0"
    document = changed({f"{place}/name": "name", f"{place}/x-not-personal": "the station's own name"})
    found = [one for one in lint(json.dumps(document).encode(), RULES) if one.rule == "personal-in-address"]
    assert [one.severity for one in found] == ["warning"]
    assert "the station's own name" in found[0].note.en
    document = changed({f"{place}/schema": {"format": "email"}, f"{place}/x-not-personal": "the station's own"})
    assert errors(lint(json.dumps(document).encode(), RULES)), "a format leaves no doubt"


STYLES = [
    "_".join,
    "-".join,
    lambda words: "_".join(words).upper(),
    lambda words: words[0] + "".join(word.capitalize() for word in words[1:]),
    lambda words: "".join(word.capitalize() for word in words),
]
PERSONAL = BY_ID["personal-in-address"].options


@given(st.sampled_from([*PERSONAL["names"], *PERSONAL["endings"]]), st.sampled_from(STYLES), st.booleans())
def test_a_personal_name_is_refused_in_every_style(name: str, style: Any, query: bool) -> None:
    written = style(name.split("_"))
    if query:
        document = changed({"/paths/~1stations/get/parameters/1/name": written})
    else:
        document = changed({"/paths/~1stations~1{id}/get/parameters/0/name": written})
        document["paths"][f"/stations/{{{written}}}"] = document["paths"].pop("/stations/{id}")
    assert broken(document, "personal-in-address"), written


@given(
    st.lists(
        st.sampled_from(["river", "station", "height", "code", "unit", "page", "year", "month", "county", "kind"]),
        min_size=1,
    )
)
def test_names_of_things_are_taken(words: list[str]) -> None:
    written = "_".join(words)
    assert not broken(changed({"/paths/~1stations/get/parameters/1/name": written}), "personal-in-address")


@given(st.text(max_size=40))
def test_words_of_a_name_are_lower_case_and_never_fail(name: str) -> None:
    assert all(word and word == word.lower() for word in words_of(name))


PARTS = st.sampled_from(
    [
        "/info",
        "/paths",
        "/components",
        "/servers",
        "/security",
        "/paths/~1stations/get",
        "/components/schemas/Station",
        "/components/schemas/Station/properties",
        "/components/responses/Problem/content",
        "/paths/~1stations/get/parameters/0",
        "/paths/~1stations/get/responses/200/content/application~1json/schema",
    ]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(PARTS, JUNK, st.sampled_from(["3.0.3", "3.1.0"]))
def test_no_junk_breaks_the_linter(part: str, junk: Any, version: str) -> None:
    document = changed({part: junk if junk is not None else 0, "/openapi": version})
    found = lint(json.dumps(document).encode(), RULES)
    assert all(one.line >= 1 for one in found)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_linter(source: bytes) -> None:
    assert lint(source, RULES)
