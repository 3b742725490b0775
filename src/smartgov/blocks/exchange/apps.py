"""Django configuration and manifest of `exchange`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class ExchangeConfig(BlockConfig):
    """T-Road"s door for the other blocks, and its administration."""

    name = "smartgov.blocks.exchange"
    label = "exchange"
    manifest = Manifest(needs=("ops", "audit", "directory", "identity"))
