"""Django's sessions in the database, read by a statement that is written once (setting SESSION_ENGINE).

Every page reads one; Django's own way to write the query anew each time costs several times what reading does.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from smartgov.blocks.ops.api import Statements

_sessions = Statements(Session)


class SessionStore(db.SessionStore):
    """As Django's, in everything but how a session is looked up."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Django's own table."""
        return Session

    def load(self) -> dict[str, Any]:
        """The data of the session, if it is known and has not ended; else none, and the key is forgotten."""
        found = _sessions.values(("session_data", "expire_date"), session_key=self.session_key)
        if found is None or found[1] <= timezone.now():
            self._session_key = None
            return {}
        return self.decode(found[0])
