"""Django configuration and manifest of `directory`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class DirectoryConfig(BlockConfig):
    """Agencies and the law they act on."""

    name = "smartgov.blocks.directory"
    label = "directory"
    manifest = Manifest(needs=("ops",))
