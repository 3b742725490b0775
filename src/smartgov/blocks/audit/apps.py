"""Django configuration and manifest of `audit`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class AuditConfig(BlockConfig):
    """Who did what, and use records of personal data read locally."""

    name = "smartgov.blocks.audit"
    label = "audit"
    manifest = Manifest(needs=("ops",))
