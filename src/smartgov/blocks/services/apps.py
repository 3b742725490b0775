"""Django configuration and manifest of `services`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class ServicesConfig(BlockConfig):
    """The citizen"s side: catalogue, application, timeline."""

    name = "smartgov.blocks.services"
    label = "services"
    manifest = Manifest(needs=("notify", "mydata"))
