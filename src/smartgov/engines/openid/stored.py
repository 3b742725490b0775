"""The JSON form in which a store keeps what was asked and granted."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from smartgov.engines.openid.model import Asked, Authentication, Granted

_EMPTY = tuple((each.name, getattr(Asked(scopes=()), each.name)) for each in fields(Asked))


def asked_to_json(asked: Asked) -> dict[str, Any]:
    """Without the members that are as if nothing had been said."""
    found = {}
    for name, empty in _EMPTY:
        value = getattr(asked, name)
        if value != empty:
            found[name] = sorted(value) if isinstance(value, frozenset) else value
    return found


def asked_from_json(stored: dict[str, Any]) -> Asked:
    """The value of a stored form."""
    lists: dict[str, Any] = {
        name: tuple(stored[name]) for name in ("scopes", "acr", "details", "ui_locales") if name in stored
    }
    return Asked(**{**stored, "prompt": frozenset(stored.get("prompt", ())), "scopes": (), **lists})


def granted_to_json(granted: Granted) -> dict[str, Any]:
    """The stored form; `subject` and `session` stand in columns of their own as well."""
    event = granted.authentication
    return {
        "event": {name: getattr(event, name) for name in _PLAIN if getattr(event, name)},
        "at": event.at.timestamp(),
        "amr": list(event.amr),
        "sub": granted.sub,
        "acr": granted.acr,
        "scopes": list(granted.scopes),
        "until": granted.until.timestamp(),
    }


def granted_from_json(stored: dict[str, Any], zone: Any) -> Granted:
    """The value of a stored form, with times in `zone`."""
    event = Authentication(**stored["event"], at=datetime.fromtimestamp(stored["at"], zone), amr=tuple(stored["amr"]))
    until = datetime.fromtimestamp(stored["until"], zone)
    return Granted(event, stored["sub"], stored["acr"], tuple(stored["scopes"]), until)


_PLAIN = tuple(each.name for each in fields(Authentication) if each.name not in {"at", "amr"})
