"""What the component tags write."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.translation import override

from smartgov.shared import clock
from smartgov.shared.text import Text

THEME = Path(__file__).resolve().parents[1]


def show(source: str, language: str = "en", **context: object) -> str:
    with override(language):
        return Template("{% load i18n theme %}" + source).render(Context(context))


def flat(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_what_a_caller_passes_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    for source in (
        "{% button bad %}",
        "{% field 'x' bad value=bad hint=bad error=bad %}",
        "{% fact_card bad bad source=bad note=bad %}",
        "{% summary_list rows %}",
        "{% timeline items %}",
        "{% empty bad bad %}",
        "{% copyable bad %}",
        "{% noticebox title=bad %}{{ bad }}{% endnoticebox %}",
    ):
        html = show(source, bad=bad, rows=[(bad, bad, bad)], items=[{"title": bad, "text": bad, "href": bad}])
        assert "<script" not in html
        assert "&lt;script" in html


def test_field_names_its_hint_and_error_to_screen_readers() -> None:
    html = show("{% field 'name' label hint=hint error=error %}", label="Name", hint="As written", error="Too long")
    assert 'for="f-name"' in html
    assert 'aria-describedby="f-name-hint f-name-error"' in html
    assert 'aria-invalid="true"' in html
    for part in ("hint", "error"):
        assert f'id="f-name-{part}"' in html


def test_error_summary_links_to_the_control_with_that_id() -> None:
    errors = {"born": Text("No such day", "沒有這一天"), "form": Text("Try again", "請再試一次"), "fine": ""}
    html = show("{% error_summary errors %}{% field 'born' 'Born' kind='date' %}", errors=errors)
    assert '<a href="#f-born">No such day</a>' in html
    assert html.count('id="f-born"') == 1
    assert "#f-form" not in html
    assert "#f-fine" not in html
    assert show("{% error_summary errors %}", errors={}) == ""


@pytest.mark.parametrize(
    "value",
    [date(2026, 3, 5), "2026-03-05", {"y": "2026", "m": "3", "d": "5"}, {"born_y": 2026, "born_m": 3, "born_d": 5}],
)
def test_date_field_shows_what_was_given(value: object) -> None:
    html = show("{% field 'born' 'Born' kind='date' value=value %}", value=value)
    assert re.findall(r'name="(born_[ymd])" value="(\d+)"', html) == [
        ("born_y", "2026"),
        ("born_m", "3"),
        ("born_d", "5"),
    ]


@pytest.mark.parametrize(
    "value", ["004-0012", {"bank": "004", "account": "0012"}, {"to_bank": "004", "to_account": "0012"}]
)
def test_account_field_has_two_inputs(value: object) -> None:
    html = show("{% field 'to' 'To' kind='bank_account' value=value %}", value=value)
    assert re.findall(r'name="(to_\w+)" value="(\d+)"', html) == [("to_bank", "004"), ("to_account", "0012")]


@pytest.mark.parametrize("value", [True, "yes"])
def test_yes_or_no(value: object) -> None:
    html = show("{% field 'twins' 'Twins?' kind='yesno' value=value %}", value=value)
    assert re.findall(r'value="(\w+)"( checked)?', html) == [("yes", " checked"), ("no", "")]


def test_unanswered_choice_has_nothing_chosen() -> None:
    html = show("{% field 'a' 'A' kind='choice' choices=c %}", c=[("None", "x"), ("", "y")])
    assert "checked" not in html


def test_checklist_keeps_every_tick() -> None:
    html = show(
        "{% field 'p' 'P' kind='checklist' choices=c value=v %}", c=[("a", "A"), ("b", "B"), ("c", "C")], v=["a", "c"]
    )
    assert re.findall(r'value="(\w)" checked', html) == ["a", "c"]


def test_unknown_kind_of_field_is_refused() -> None:
    with pytest.raises(ValueError, match="slider"):
        show("{% field 'x' 'X' kind='slider' %}")


def test_password_is_never_written_back() -> None:
    assert "geheim" not in show("{% field 'p' 'P' kind='password' value='geheim' %}")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% fact_card 'Born' '2026-11-05' kind='date' %}", "From the agency's own record"),
        ("{% fact_card 'Born' None note='It sleeps' %}", "It sleeps"),
        ("{% fact_card 'Born' None %}", "Not received yet"),
        ("{% fact_card 'Born' 'x' state='refused' %}", "Not proven"),
        ("{% fact_card 'Paid' 0 kind='money' %}", "NT$0"),
        ("{% fact_card 'Twins' False %}", "No"),
        ("{% fact_card 'Twins' 'no' kind='yesno' %}", "No"),
    ],
)
def test_fact_says_in_words_where_it_stands(source: str, said: str) -> None:
    assert said in show(source).replace("&#x27;", "'")


def test_deadline_counts_days_in_taipei() -> None:
    with clock.travelling(to=datetime(2026, 11, 21, 17, 30, tzinfo=UTC)):
        assert "1 day left" in show("{% deadline day %}", day=date(2026, 11, 23))
        late = show("{% deadline day %}", day=date(2026, 11, 20))
        kept = show("{% deadline day done=True %}", day=date(2026, 11, 20))
        large = flat(show("{% deadline day big=True %}", day=date(2027, 1, 1)))
    assert "2 days late" in late
    assert "late" not in kept
    assert large.startswith("40 days left")
    assert show("{% deadline day %}", day=None) == ""


def test_timeline_says_states_in_words() -> None:
    html = show("{% timeline items %}", items=[{"title": "Sent"}, {"title": "Paid", "state": "todo"}])
    assert "Sent (Done)" in re.sub(r"<[^>]+>", "", html)
    assert "Paid (Not started)" in re.sub(r"<[^>]+>", "", html)


def test_explanation_is_a_tree_with_its_law() -> None:
    law = {"title": Text("Act", "法"), "article": Text("Article 3", "第3條"), "url": "https://example.org/act"}
    child = {"text": "inner", "holds": False}
    html = show(
        "{% explain s %}", s=[{"text": "outer", "holds": True, "value": 6000, "source": law, "children": [child]}]
    )
    assert flat(html) == "Fulfilled: outer 6000 Act Article 3 Not fulfilled: inner"
    assert 'href="https://example.org/act"' in html


def test_a_value_that_nobody_verified_says_so() -> None:
    used = [
        {"title": "Premature below", "value": 37, "verified": False},
        {"title": "Days", "value": 60, "verified": True},
    ]
    html = show("{% explain s %}", s=[{"text": "outer", "holds": True, "parameters": used}])
    assert flat(html).count("Not yet compared with the official source") == 1


def test_pagination_keeps_the_question() -> None:
    page = Paginator(range(50), 20).page(2)
    html = show("{% pagination page %}", page=page, request=RequestFactory().get("/x?state=open&page=2"))
    assert 'href="?state=open&amp;page=1"' in html
    assert 'href="?state=open&amp;page=3"' in html
    assert show("{% pagination page %}", page=Paginator(range(5), 20).page(1)) == ""


def test_saved_papers_are_counted() -> None:
    assert flat(show("{% saved_papers p %}", p=["a", "b"])).startswith("2 papers you did not have to bring")
    assert show("{% saved_papers p %}", p=[]) == ""


def test_summary_of_nothing_is_a_dash() -> None:
    assert "—" in show("{% summary_list rows %}", rows=[("Phone", None)])
    assert "—" not in show("{% summary_list rows %}", rows=[("Children", 0)])


def test_colours_are_written_down_once() -> None:
    """Only tokens.css knows colours, so that a jurisdiction can change them in one place."""
    for name in ("base.css", "components.css"):
        css = (THEME / "static" / "theme" / name).read_text().split("@media print")[0]
        assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", css)) <= {"#fff"}


def test_no_template_needs_inline_script_or_style() -> None:
    for path in (THEME / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text), path


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 7),
        ("ink-soft", "paper-deep", 4.5),
        ("ink", "heed-wash", 7),
        ("accent", "paper", 4.5),
        ("accent", "accent-wash", 4.5),
        ("accent-deep", "accent-wash", 7),
        ("on-accent", "accent", 4.5),
        ("danger", "paper", 4.5),
        ("danger-deep", "danger-wash", 7),
        ("line-strong", "paper-deep", 3),
        ("line-strong", "card", 3),
        ("focus", "focus-ink", 3),
    ],
)
def test_tokens_keep_their_contrast(text: str, ground: str, least: float) -> None:
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (THEME / "static/theme/tokens.css").read_text()))
    high, low = sorted((luminance(tokens[text]), luminance(tokens[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= least
