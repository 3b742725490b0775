"""What each model says about personal data, and its retirement when the time has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.apps import apps
from django.db import models

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Declaration:
    """A model's `class Personal`: `fields` with the reason for each, how and after how long they are retired."""

    model: type[models.Model]
    fields: dict[str, str] = field(default_factory=dict)
    retire: str = ""
    after: timedelta | None = None
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
        if not self.retire or self.after is None or not callable(getattr(self.model, "retire", None)):
            return "does not say how and after how long, or has no retire(now)"
        return ""


def declaration_of(model: type[models.Model]) -> Declaration:
    """What `model` declares; a model without `class Personal` gives a declaration with a problem."""
    inner = model.__dict__.get("Personal")
    keys = ("fields", "retire", "after", "none")
    return Declaration(model, **{key: getattr(inner, key) for key in keys if hasattr(inner, key)})


def our_models() -> list[type[models.Model]]:
    """Every model of every installed block."""
    return [model for model in apps.get_models() if model.__module__.startswith("smartgov.")]


def retire_all(now: datetime) -> dict[str, int]:
    """Retire what is due in every model; the number of rows for each model that retired any."""
    done: dict[str, int] = {}
    for model in our_models():
        if not declaration_of(model).fields:
            continue
        count = int(model.retire(now) or 0)  # type: ignore[attr-defined]
        if count:
            done[model._meta.label] = count
            logger.info("personal_data_retired", model=model._meta.label, rows=count)
    return done
