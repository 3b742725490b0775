"""Django configuration and manifest of `exchange`."""

from smartgov.blocks.exchange import centre, transport
from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class ExchangeConfig(BlockConfig):
    """T-Road's door for the other blocks, and its administration."""

    name = "smartgov.blocks.exchange"
    label = "exchange"
    manifest = Manifest(
        needs=("ops", "audit", "directory", "identity"),
        permissions={"exchange.view": Text("See members, services and rights", "檢視成員、服務與權限")},
        menu=(MenuItem("exchange:members", Text("T-Road", "T-Road"), "exchange.view"),),
        periodic=(Periodic("exchange.keep_published", 5, "smartgov.blocks.exchange.api.keep_published"),),
    )

    def ready(self) -> None:
        """Declare the event; speak to the gateways of this machine, and as the centre where its key lies."""
        from smartgov.blocks.exchange.adapters.centre import HomeCentre
        from smartgov.blocks.exchange.adapters.gateways import Gateways
        from smartgov.blocks.ops.api import declare_events

        declare_events("exchange", {"configuration_changed": ("change",)})
        transport.register(Gateways())
        centre.register(HomeCentre())
