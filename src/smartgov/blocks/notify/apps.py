"""Django configuration and manifest of `notify`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class NotifyConfig(BlockConfig):
    """Notices on the wall and by e-mail."""

    name = "smartgov.blocks.notify"
    label = "notify"
    manifest = Manifest(
        needs=("ops", "audit", "identity", "exchange"),
        permissions={"notify.wall": Text("Read one's own notices", "查看自己的通知")},
        menu=(MenuItem("notify:list", Text("Notices", "通知"), "notify.wall", 22),),
    )

    def ready(self) -> None:
        """Take SMTP as the carrier of mail and declare our event."""
        from smartgov.blocks.notify import ports
        from smartgov.blocks.notify.adapters.smtp import SmtpCarrier
        from smartgov.blocks.ops import api as ops

        ports.register(SmtpCarrier())
        ops.declare_events("notify", {"notice_created": ("notice",)})
