"""Django configuration and manifest of `cases`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest


class CasesConfig(BlockConfig):
    """The agency"s side: case, work list, decision."""

    name = "smartgov.blocks.cases"
    label = "cases"
    manifest = Manifest(needs=("notify", "payments", "credentials"))
