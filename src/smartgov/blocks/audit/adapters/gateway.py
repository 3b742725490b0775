"""The ledger sink of a running country: the agency's own gateway on the local hop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartgov.shared import homes


class GatewayLedger:
    """Appends through `POST /local/v1/records` with the secret that the web process shares with its gateway."""

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Append all records to the log of `agency`'s gateway."""
        from smartgov.engines.troad.client import LocalGateway

        subsystem = "portal" if agency == "portal" else "cases"
        gateway = LocalGateway(
            homes.gateway_url(agency),
            homes.gateway_secret(agency, subsystem),
            f"{homes.member_id(agency)}/{subsystem}",
        )
        return list(gateway.append(list(records)))
