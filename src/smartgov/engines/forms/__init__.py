"""Forms as data, validated on the server, one question a page; and the services that they belong to. See README.md."""

from __future__ import annotations

from smartgov.engines.forms.definition import Choice, Field, Page
from smartgov.engines.forms.form import Form, SummaryRow, load
from smartgov.engines.forms.kinds import CONFIRMED, fact_in_words

__all__ = ["CONFIRMED", "Choice", "Field", "Form", "Page", "SummaryRow", "fact_in_words", "load"]
