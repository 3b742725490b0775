"""The ledger sink of a running country: the agency's own gateway on the local hop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartgov.engines.troad.client import LocalGateway
from smartgov.shared import homes
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


class GatewayLedger:
    """Appends through `POST /local/v1/records` with the secret that the web process shares with its gateway."""

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Append all records to the log of `agency`'s gateway."""
        return _gateway(agency).append(records) if records else []


def _gateway(agency: str) -> LocalGateway:
    subsystem = "portal" if agency == "portal" else "cases"
    try:
        url, secret = homes.gateway_url(agency), homes.gateway_secret(agency, subsystem)
    except (OSError, KeyError, ValueError):
        raise Problem(
            "gateway-missing",
            503,
            what=Text("This agency has no gateway on this machine.", "本機沒有這個機關的資料交換閘道。"),
            why=Text("Its folder or its secret cannot be read.", "無法讀取閘道的資料夾或密鑰。"),
            agency=agency,
        ) from None
    return LocalGateway(url, secret, f"{homes.member_id(agency)}/{subsystem}")
