"""The translations tool, on a small tree of its own."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest

from smartgov.site import messages

TEMPLATE = """{% extends "x.html" %}{% load i18n %}
<h1>{% translate "Your child" %}</h1>
    <p>{% blocktranslate trimmed count n=days %}
       {{ n }} day left
    {% plural %}
       {{ n }} days left
    {% endblocktranslate %}</p>
  {% include "y.html" with label=_("Who asks") %}
"""
CODE = """from django.utils.translation import gettext_lazy as _, pgettext
def f():
    return pgettext("verb", "Open"), _("Hello %(name)s")
"""


@pytest.fixture
def block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one block named `demo` and an empty theme and site."""
    base = tmp_path / "blocks" / "demo"
    (base / "templates" / "demo").mkdir(parents=True)
    (base / "apps.py").touch()
    (base / "views.py").write_text(CODE)
    (base / "templates" / "demo" / "page.html").write_text(TEMPLATE)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    return base


def translate(words: dict[str, str], name: str = "demo") -> None:
    path = messages.po_path(name)
    text = path.read_text()
    for english, chinese in words.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{chinese}"')
    text = text.replace('msgstr[0] ""', 'msgstr[0] "還有 %(n)s 天"')
    path.write_text(text)


ALL = {"Your child": "您的孩子", "Who asks": "誰要資料", "Open": "開啟", "Hello %(name)s": "%(name)s，您好"}


@pytest.mark.usefixtures("block")
def test_update_collects_from_code_and_templates() -> None:
    assert set(messages.update("demo")) == {
        "Your child",
        "%(n)s day left",
        "Who asks",
        "verb|Open",
        "Hello %(name)s",
    }


@pytest.mark.usefixtures("block")
def test_update_keeps_what_is_translated_and_drops_what_is_not_said(block: Path) -> None:
    messages.update("demo")
    translate(ALL)
    (block / "views.py").write_text('_("New")')
    assert messages.update("demo") == ["New"]
    text = messages.po_path("demo").read_text()
    assert "您的孩子" in text
    assert "您好" not in text


@pytest.mark.usefixtures("block")
def test_complete_catalogue_has_no_findings_and_speaks() -> None:
    messages.update("demo")
    translate(ALL)
    assert messages.check(["demo"]) == []
    assert messages.compile_stale(["demo"]) == ["demo"]
    with messages.po_path("demo").with_suffix(".mo").open("rb") as file:
        words = gettext.GNUTranslations(file)
    assert words.gettext("Your child") == "您的孩子"
    assert words.ngettext("%(n)s day left", "%(n)s days left", 3) == "還有 %(n)s 天"
    assert words.pgettext("verb", "Open") == "開啟"


@pytest.mark.usefixtures("block")
def test_compile_only_what_changed() -> None:
    messages.update("demo")
    translate(ALL)
    messages.compile_stale(["demo"])
    assert messages.compile_stale(["demo"]) == []


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("words", "kind"),
    [({**ALL, "Your child": ""}, "missing"), ({**ALL, "Hello %(name)s": "%(nam)s，您好"}, "placeholders differ")],
)
def test_check_finds_faults(words: dict[str, str], kind: str) -> None:
    messages.update("demo")
    translate(words)
    assert [finding.kind for finding in messages.check(["demo"])] == [kind]


def test_check_finds_fuzzy_and_unused(block: Path) -> None:
    messages.update("demo")
    translate(ALL)
    path = messages.po_path("demo")
    path.write_text(path.read_text().replace('msgid "Your child"', '#, fuzzy\nmsgid "Your child"'))
    (block / "templates" / "demo" / "page.html").write_text('{% load i18n %}{% translate "Your child" %}')
    kinds = sorted(finding.kind for finding in messages.check(["demo"]))
    assert kinds == ["fuzzy", "unused", "unused"]


def test_check_finds_one_message_said_in_two_ways(block: Path) -> None:
    other = block.parent / "other"
    other.mkdir()
    (other / "apps.py").touch()
    (other / "views.py").write_text('_("Your child")')
    for name in ("demo", "other"):
        messages.update(name)
        translate(ALL if name == "demo" else {"Your child": "貴子女"}, name)
    assert [finding.kind for finding in messages.check(["other"])] == ["said in two ways"]


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        messages.update("nowhere")
