"""Django configuration and manifest of `directory`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class DirectoryConfig(BlockConfig):
    """Agencies and the law they act on."""

    name = "smartgov.blocks.directory"
    label = "directory"
    manifest = Manifest(menu=(MenuItem("directory:agencies", Text("Agencies", "機關名錄"), place=80),), needs=("ops",))
