"""Django configuration and manifest of `notify`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class NotifyConfig(BlockConfig):
    """Notices on the wall and by e-mail."""

    name = "smartgov.blocks.notify"
    label = "notify"
    manifest = Manifest(needs=("ops", "audit", "identity"))
