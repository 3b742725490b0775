"""Django configuration and manifest of `mydata`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class MydataConfig(BlockConfig):
    """Consent, and the trail of who looked."""

    name = "smartgov.blocks.mydata"
    label = "mydata"
    manifest = Manifest(needs=("ops", "audit", "identity", "exchange"))
