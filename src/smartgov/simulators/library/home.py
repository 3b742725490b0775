"""The library's folder: its key, and `party.json` with what it needs to know of the provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smartgov.engines.openid.client import RelyingParty
from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

NAME = Text("City library", "市立圖書館")
PURPOSE = Text("To lend you books in your name.", "以您的姓名辦理借書。")


def create(home: Path, *, issuer: str, client_id: str, address: str) -> dict[str, Any]:
    """Make the key and the folder; returns the registration to hand to the provider."""
    known = {"issuer": issuer, "client_id": client_id, "redirect_uri": f"{address}/callback"}
    public = public_key(home)
    write_party(home, known)
    return {
        "client_id": client_id,
        "name": NAME.as_dict(),
        "purpose": PURPOSE.as_dict(),
        "registration": {
            "redirect_uris": [known["redirect_uri"]],
            "post_logout_redirect_uris": [f"{address}/"],
            "backchannel_logout_uri": f"{address}/logout",
            "jwks": [public],
            "scopes": ["openid", "profile"],
            "mandates": True,
            "mandates_reason": "家長代未滿十四歲的子女借還書。Parents borrow and return books for their children.",
        },
    }


def public_key(home: Path) -> dict[str, str]:
    """The public half of the service's own key, as a JWK; the key is made when there is none."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / "key.pem").exists():
        keys.save_private(home / "key.pem", keys.generate_p256())
    return keys.public_jwk(keys.load_p256(home / "key.pem").public_key())


def is_registered(home: Path) -> bool:
    """Whether the folder knows what the service is called at the platform."""
    return (home / "party.json").exists()


def write_party(home: Path, known: dict[str, str]) -> None:
    """Remember `issuer`, `client_id` and `redirect_uri`."""
    keys.write_secret(home / "party.json", json.dumps(known).encode())


def relying_party(home: Path) -> RelyingParty:
    """The client of this folder; Problem `library-unregistered` when it has none."""
    try:
        known = json.loads((home / "party.json").read_text())
    except OSError:
        raise Problem(
            "library-unregistered",
            503,
            what=Text("The library is not registered anywhere.", "圖書館尚未登錄。"),
            why=Text("Its folder has no party.json.", "資料夾沒有 party.json。"),
            todo=Text("Raise the demo country anew.", "請重新建立示範國家。"),
        ) from None
    return RelyingParty(
        known["issuer"], known["client_id"], keys.load_p256(home / "key.pem"), known["redirect_uri"], "openid profile"
    )
