"""Django configuration and manifest of `credentials`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class CredentialsConfig(BlockConfig):
    """E-certificates and their checking."""

    name = "smartgov.blocks.credentials"
    label = "credentials"
    manifest = Manifest(needs=("ops", "audit", "identity", "exchange"))
