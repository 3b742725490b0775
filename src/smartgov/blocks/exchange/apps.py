"""Django configuration and manifest of `exchange`."""

from smartgov.blocks.exchange import transport
from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class ExchangeConfig(BlockConfig):
    """T-Road's door for the other blocks, and its administration."""

    name = "smartgov.blocks.exchange"
    label = "exchange"
    manifest = Manifest(
        needs=("ops", "audit", "directory", "identity"),
        permissions={"exchange.view": Text("See members, services and rights", "檢視成員、服務與權限")},
        menu=(MenuItem("exchange:members", Text("T-Road", "T-Road"), "exchange.view"),),
    )

    def ready(self) -> None:
        """Speak to the gateways of this machine."""
        from smartgov.blocks.exchange.adapters.gateways import Gateways

        transport.register(Gateways())
