"""Django configuration and manifest of `notify`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class NotifyConfig(BlockConfig):
    """Notices on the wall and by e-mail."""

    name = "smartgov.blocks.notify"
    label = "notify"
    manifest = Manifest(
        events={
            "notice_created": Text("A notice was written", "已建立通知"),
        },
        listeners={
            "tell_of_ending": Text("Tells whoever may renew it", "通知有權展延者"),
            "tell_of_account": Text("Tells the person", "通知本人"),
            "deliver": Text("Sends the notice by e-mail", "以電子郵件寄送通知"),
        },
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
