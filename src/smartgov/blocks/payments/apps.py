"""Django configuration and manifest of `payments`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class PaymentsConfig(BlockConfig):
    """Money out: instructions, batches, results."""

    name = "smartgov.blocks.payments"
    label = "payments"
    manifest = Manifest(needs=("ops", "audit", "identity", "exchange"))
