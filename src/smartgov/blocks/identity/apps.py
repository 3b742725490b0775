"""Django configuration and manifest of `identity`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, Periodic
from smartgov.shared.text import Text


class IdentityConfig(BlockConfig):
    """Subjects, accounts, seats, sign-in."""

    name = "smartgov.blocks.identity"
    label = "identity"
    manifest = Manifest(
        permissions={
            "identity.account": Text("See one's own account, devices and sign-ins", "檢視自己的帳號、裝置與登入紀錄")
        },
        needs=("ops", "audit", "directory"),
        periodic=(Periodic("identity.expire", 300, "smartgov.blocks.identity.expiry.expire"),),
    )

    def ready(self) -> None:
        """Stand at the gate of every block's doors, and connect the service behind the phones."""
        from smartgov.blocks.identity import mobile
        from smartgov.blocks.identity.adapters.phone import PhoneService
        from smartgov.blocks.identity.gate import SessionGate
        from smartgov.blocks.ops.api import register_gate

        register_gate(SessionGate())
        mobile.register_service(PhoneService())
