"""Django configuration and manifest of `ops`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class OpsConfig(BlockConfig):
    """Health, outbox, periodic work, retirement of personal data."""

    name = "smartgov.blocks.ops"
    label = "ops"
    manifest = Manifest(needs=())
