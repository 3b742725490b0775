"""Holds an OpenAPI document to a published set of rules: what is wrong, on which line, and what to do."""

from smartgov.engines.apilint.changes import Changes, compare
from smartgov.engines.apilint.document import MOST_BYTES, Document
from smartgov.engines.apilint.linting import Finding, errors, lint
from smartgov.engines.apilint.rules import Rule, Ruleset, read

__all__ = ["MOST_BYTES", "Changes", "Document", "Finding", "Rule", "Ruleset", "compare", "errors", "lint", "read"]
