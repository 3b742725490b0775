"""A form in use: which page comes next, what a posted page holds, what is still wrong, and all answers in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartgov.engines.forms import kinds
from smartgov.engines.forms.definition import Field, Page, asked, load_pages, shown
from smartgov.engines.forms.schema import json_schema
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Answers = Mapping[str, Any]
Errors = dict[str, Text]


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One answer in words, with the page on which it can be changed."""

    page: str
    field: str
    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its pages in order. Answers are kept by the caller as one JSON object of field id to value."""

    id: str
    title: Text
    pages: tuple[Page, ...]

    def page(self, page_id: str) -> Page:
        """The page with this id; Problem `form-page-unknown` (404) otherwise."""
        for page in self.pages:
            if page.id == page_id:
                return page
        raise Problem(
            "form-page-unknown",
            404,
            what=Text("There is no such page in this form.", "表單沒有這一頁。"),
            todo=Text("Go back to the first open question.", "請回到尚未填寫的問題。"),
        )

    def visible_pages(self, answers: Answers) -> tuple[Page, ...]:
        """The pages that the answers so far call for."""
        return tuple(page for page in self.pages if shown(page.show_if, answers))

    def visible_fields(self, page: Page, answers: Answers) -> tuple[Field, ...]:
        """The page's fields that the answers so far call for."""
        return tuple(field for field in page.fields if shown(field.show_if, answers))

    def next_page(self, answers: Answers, facts: Answers | None = None) -> Page | None:
        """The first page with an unanswered or wrong question, or None when all is answered: save and resume."""
        wrong = self.validate_all(answers, facts=facts)
        return next((page for page in self.visible_pages(answers) if page.id in wrong), None)

    def validate_page(
        self, page_id: str, posted: kinds.Posted, *, facts: Answers | None = None, answers: Answers | None = None
    ) -> tuple[dict[str, Any], Errors]:
        """The values of a posted page and one sentence for each field that cannot be taken.

        A field that the page's own answers do not call for is None, whatever was posted; inputs that the page does not
        have are ignored. `answers` of other pages matter only to conditions.
        """
        values: dict[str, Any] = {}
        errors: Errors = {}
        for field in self.page(page_id).fields:
            if field.elsewhere:
                continue
            if not asked(field.show_if, {**(answers or {}), **values}):
                values[field.id] = None
                continue
            try:
                values[field.id] = kinds.read(field, posted, facts or {})
            except kinds.Wrong as wrong:
                errors[field.id] = wrong.text
        return values, errors

    def validate_all(self, answers: Answers, *, facts: Answers | None = None) -> dict[str, Errors]:
        """What is still wrong or unanswered, by page and field; empty when the form may be sent."""
        found: dict[str, Errors] = {}
        for page in self.visible_pages(answers):
            posted: dict[str, str | list[str]] = {}
            for field in page.fields:
                posted |= kinds.write(field, answers.get(field.id))
            values, errors = self.validate_page(page.id, posted, facts=facts, answers=answers)
            errors |= {
                field.id: kinds.request(field)
                for field in page.fields
                if field.required and values.get(field.id) is not None and answers.get(field.id) is None
            }
            if errors:
                found[page.id] = errors
        return found

    def summary(self, answers: Answers) -> tuple[SummaryRow, ...]:
        """Every visible, answered question in words, in order."""
        return tuple(
            SummaryRow(page.id, field.id, field.label, kinds.in_words(field, answers[field.id]))
            for page in self.visible_pages(answers)
            for field in self.visible_fields(page, answers)
            if answers.get(field.id) is not None and not field.elsewhere
        )

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the answers, for programs that apply without pages."""
        return json_schema(self.id, self.title, self.pages)


def load(path: str | Path) -> Form:
    """The form that a YAML file defines; Problem `form-invalid` when it is not coherent."""
    return Form(*load_pages(Path(path)))
