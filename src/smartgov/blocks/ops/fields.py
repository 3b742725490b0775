"""A text column that is encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Exact

from smartgov.shared import sealed

if TYPE_CHECKING:
    TextColumn = models.TextField[str, str]
else:
    TextColumn = models.TextField


class EncryptedTextField(TextColumn):
    """Text sealed with the home's data key for `context` (unique for each column, for example `identity.account.name`).

    The empty text is stored as such, which is how retired values look. It cannot be searched: use a blind index.
    """

    def __init__(self, context: str = "", **options: Any) -> None:
        self.context = context
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Keep the context in migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "context": self.context}

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> str | None:
        """Open a stored value."""
        return sealed.unseal(value, self.context) if value else value

    def get_prep_value(self, value: Any) -> Any:
        """Seal a value on its way to the database."""
        return sealed.seal(str(value), self.context) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Sealed values differ each time, so comparing them would silently find nothing."""
        if lookup_name not in {"isnull", "exact"}:
            raise FieldError(f"{self.name} is encrypted and cannot be searched by {lookup_name}")
        return super().get_lookup(lookup_name)


@EncryptedTextField.register_lookup
class IsBlank(Exact):
    """The one comparison that makes sense: whether the value was retired (is the empty text)."""

    def get_prep_lookup(self) -> Any:
        """Refuse any text but the empty one."""
        if self.rhs != "":
            raise FieldError("an encrypted column can be compared with the empty text only")
        return ""
