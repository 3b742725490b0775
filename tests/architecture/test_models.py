"""Tables: no foreign key crosses a block, and every model says what is personal in it and how that ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import models

from smartgov.blocks.ops.api import declaration_of
from smartgov.blocks.ops.manifest import installed_blocks

LABELS = {block.label for block in installed_blocks()}


def ours() -> list[type[models.Model]]:
    """The models of our blocks."""
    return [model for model in apps.get_models() if model._meta.app_label in LABELS]


@pytest.mark.parametrize("model", ours(), ids=lambda model: model._meta.label)
def test_no_relation_leaves_its_block(model: type[models.Model]) -> None:
    for field in model._meta.get_fields(include_hidden=True):
        target = getattr(field, "related_model", None)
        if target is None or isinstance(target, str) or (field.auto_created and not field.concrete):
            continue
        own = model._meta.app_label
        # Django's own permission tables come with the account model and hold nothing of other blocks.
        assert target._meta.app_label in (own, "auth", "contenttypes"), f"{model._meta.label}.{field.name}"


@pytest.mark.parametrize("model", ours(), ids=lambda model: model._meta.label)
def test_every_model_declares_its_personal_data(model: type[models.Model]) -> None:
    personal = getattr(model, "Personal", None)
    assert personal is not None, f"{model._meta.label} declares no Personal"
    if getattr(personal, "none", ""):
        return
    columns = {field.name for field in model._meta.get_fields()}
    assert set(personal.fields) <= columns, f"{model._meta.label} declares fields it does not have"
    assert all(personal.fields.values()), "each personal field says why it is kept"
    assert personal.retire, "says how it is retired"
    assert isinstance(personal.after, timedelta)
    assert not declaration_of(model).problem, f"{model._meta.label} {declaration_of(model).problem}"
