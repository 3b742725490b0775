"""Django configuration and manifest of `audit`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class AuditConfig(BlockConfig):
    """Who did what, and use records of personal data read locally."""

    name = "smartgov.blocks.audit"
    label = "audit"
    manifest = Manifest(
        permissions={"audit.view": Text("Read the audit entries of one's agency", "檢視本機關稽核紀錄")},
        menu=(MenuItem("audit:entries", Text("Audit", "稽核紀錄"), "audit.view", 62),),
        needs=("ops",),
        periodic=(
            Periodic(
                "audit.sequence",
                1,
                "smartgov.blocks.audit.api.sequence",
                Text("Appends audit entries to the ledger, in order", "將稽核紀錄依序寫入帳本"),
            ),
        ),
    )

    def ready(self) -> None:
        """Connect the ledger of the agencies' gateways."""
        from smartgov.blocks.audit import api
        from smartgov.blocks.audit.adapters.gateway import GatewayLedger

        api.register_sink(GatewayLedger())
