"""What each model says about personal data, and its retirement when the time has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.apps import apps
from django.db import models

from smartgov.blocks.ops.fields import EncryptedTextField

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Declaration:
    """A model's `class Personal`: `fields` with the reason for each, and in words how they are `retire`d.

    A row is due when the moment in `since` (a column, also one of a row that it belongs to) lies longer back than
    `after`. It is deleted then, or with `blanked` only emptied of its personal fields. A model for which that is not
    the whole truth leaves `since` out and has a class method `retire(now)`, which returns how many rows it changed.
    """

    model: type[models.Model]
    fields: dict[str, str] = field(default_factory=dict)
    retire: str = ""
    after: timedelta | None = None
    since: str = ""
    blanked: bool = False
    none: str = ""

    @property
    def problem(self) -> str:
        """Why the declaration is not acceptable, or nothing."""
        if self.none and not self.fields:
            return ""
        if not self.fields:
            return "declares neither personal fields nor why there are none"
        known = {item.name for item in self.model._meta.get_fields()}
        if strange := set(self.fields) - known:
            return f"declares fields it does not have: {', '.join(sorted(strange))}"
        if not self.retire or self.after is None:
            return "does not say how and after how long"
        if bool(self.since) == callable(getattr(self.model, "retire", None)):
            return "needs either the column that its age counts from, or a retire(now)"
        return ""


def declaration_of(model: type[models.Model]) -> Declaration:
    """What `model` declares; a model without `class Personal` gives a declaration with a problem."""
    inner = model.__dict__.get("Personal")
    keys = ("fields", "retire", "after", "since", "blanked", "none")
    return Declaration(model, **{key: getattr(inner, key) for key in keys if hasattr(inner, key)})


def our_models() -> list[type[models.Model]]:
    """Every model of every installed block."""
    return [model for model in apps.get_models() if model.__module__.startswith("smartgov.")]


def retire(model: type[models.Model], now: datetime) -> int:
    """Retire what is due in one model, as it declares; the number of rows that were deleted or emptied."""
    told = declaration_of(model)
    if not told.since or told.after is None:
        return int(model.retire(now))  # type: ignore[attr-defined]
    due = model._default_manager.filter(**{f"{told.since}__lt": now - told.after})
    if not told.blanked:
        return due.delete()[0]
    columns = [column for column in model._meta.concrete_fields if column.name in told.fields]
    empty = {column.name: None if column.null else "" for column in columns}
    # What is sealed is empty as text, whatever it holds.
    sealed = {column.name: "" for column in columns if isinstance(column, EncryptedTextField)}
    return due.exclude(**(empty | sealed)).update(**empty)


def retire_all(now: datetime) -> dict[str, int]:
    """Retire what is due in every model; the number of rows for each model that retired any."""
    done: dict[str, int] = {}
    for model in our_models():
        if declaration_of(model).fields and (count := retire(model, now)):
            done[model._meta.label] = count
            logger.info("personal_data_retired", model=model._meta.label, rows=count)
    return done
