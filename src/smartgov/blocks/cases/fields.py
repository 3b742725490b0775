"""A JSON column that is encrypted at rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from smartgov.blocks.ops.api import EncryptedTextField

if TYPE_CHECKING:

    class EncryptedJSONField(models.JSONField):
        """The column as type checkers see it: any JSON value, or None."""

else:

    class EncryptedJSONField(EncryptedTextField):
        """A JSON value sealed with the home's data key; None is stored as the empty text, as retired values are."""

        def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> Any:
            """Open and read a stored value."""
            text = super().from_db_value(value, expression, connection)
            return json.loads(text) if text else None

        def get_prep_value(self, value: Any) -> Any:
            """Write and seal a value."""
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value is not None else ""
            return super().get_prep_value(text)

        def to_python(self, value: Any) -> Any:
            """The value is already Python."""
            return value
