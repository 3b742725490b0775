"""Django configuration and manifest of `identity`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class IdentityConfig(BlockConfig):
    """People, seats, sign-in, permissions."""

    name = "smartgov.blocks.identity"
    label = "identity"
    manifest = Manifest(needs=("ops", "audit", "directory"))
